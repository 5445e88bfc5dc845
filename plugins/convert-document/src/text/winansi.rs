//! WinAnsi, the encoding of the fonts that every PDF reader has (ISO 32000-1, annex D.2).

use super::decode::WINDOWS_1252_HIGH;
use super::layout::Line;
use super::write::{FontWriter, LEADING};
use pdf_writer::{Content, Name, Pdf, Ref, Str};

/// The built-in Courier.
pub(super) struct Courier;

/// Whether every character of the line has a WinAnsi code.
pub(super) fn can_encode(line: &str) -> bool {
    // The usual line is ASCII, which needs no look at each character.
    (line.is_ascii() && !line.bytes().any(|byte| byte.is_ascii_control()))
        || line.chars().all(|c| encode(c).is_some())
}

fn encode(c: char) -> Option<u8> {
    match c {
        ' '..='~' => u8::try_from(c).ok(),
        '\u{a0}'..='\u{ff}' => u8::try_from(u32::from(c)).ok(),
        char::REPLACEMENT_CHARACTER => None,
        _ => {
            let index = WINDOWS_1252_HIGH.iter().position(|high| *high == c)?;
            u8::try_from(index).ok().map(|index| 0x80 + index)
        }
    }
}

impl FontWriter for Courier {
    fn font_count(&self) -> usize {
        1
    }

    fn show_page(&self, _number: usize, lines: &[Line], x: f32, y: f32, content: &mut Content) {
        content
            .begin_text()
            .set_font(Name(b"F0"), 10.0)
            .set_leading(LEADING as f32);
        content.next_line(x, y);
        for (index, line) in lines.iter().enumerate() {
            if index > 0 {
                content.next_line_using_leading();
            }
            if !line.text.is_empty() {
                let bytes: Vec<u8> = line.text.chars().filter_map(encode).collect();
                content.show(Str(&bytes));
            }
        }
        content.end_text();
    }

    fn write_fonts(&self, pdf: &mut Pdf, fonts: &[Ref], _free: Ref) {
        for font in fonts {
            pdf.type1_font(*font)
                .base_font(Name(b"Courier"))
                .encoding_predefined(Name(b"WinAnsiEncoding"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_follow_the_standard() {
        assert_eq!(encode('A'), Some(0x41));
        assert_eq!(encode('€'), Some(0x80));
        assert_eq!(encode('Ÿ'), Some(0x9f));
        assert_eq!(encode('ÿ'), Some(0xff));
        assert_eq!(encode('\t'), None);
        assert_eq!(encode('\u{81}'), None);
        assert_eq!(encode('Ł'), None);
        assert!(can_encode("“Größe” – 5 €"));
        assert!(!can_encode("a\u{8}b"));
    }
}
