//! WinAnsi, the encoding of the fonts that every PDF reader has (ISO 32000-1, annex D.2).

use super::decode::WINDOWS_1252_HIGH;
use super::write::Face;
use pdf_writer::{Content, Name, Pdf, Ref, Str};

/// The built-in Courier.
pub(super) struct Courier;

/// Whether every character of the line has a WinAnsi code.
pub(super) fn holds(line: &str) -> bool {
    // The usual line is ASCII, which needs no look at each character.
    (line.is_ascii() && !line.bytes().any(|byte| byte.is_ascii_control()))
        || line.chars().all(|c| code(c).is_some())
}

fn code(c: char) -> Option<u8> {
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

impl Face for Courier {
    fn size(&self) -> f32 {
        10.0
    }

    fn show(&self, line: &str, content: &mut Content) {
        let bytes: Vec<u8> = line.chars().filter_map(code).collect();
        content.show(Str(&bytes));
    }

    fn write(&self, pdf: &mut Pdf, font: Ref, _free: Ref) {
        pdf.type1_font(font)
            .base_font(Name(b"Courier"))
            .encoding_predefined(Name(b"WinAnsiEncoding"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_follow_the_standard() {
        assert_eq!(code('A'), Some(0x41));
        assert_eq!(code('€'), Some(0x80));
        assert_eq!(code('Ÿ'), Some(0x9f));
        assert_eq!(code('ÿ'), Some(0xff));
        assert_eq!(code('\t'), None);
        assert_eq!(code('\u{81}'), None);
        assert_eq!(code('Ł'), None);
        assert!(holds("“Größe” – 5 €"));
        assert!(!holds("a\u{8}b"));
    }
}
