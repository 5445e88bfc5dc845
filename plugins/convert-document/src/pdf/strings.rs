//! Text strings of PDF (ISO 32000-1, 7.9.2.2) and the codes of the standard fonts.

/// Characters of PDFDocEncoding from 0x80 on (ISO 32000-1, annex D.3); `\0` is none.
const PDF_DOC_HIGH: &str = "•†‡…—–ƒ⁄‹›−‰„“”‘’‚™ﬁﬂŁŒŠŸŽıłœšž\0€";
/// Characters of PDFDocEncoding from 0x18 on.
const PDF_DOC_ACCENTS: &str = "˘ˇˆ˙˝˛˚˜";
/// Characters of WinAnsiEncoding from 0x80 on (ISO 32000-1, annex D.2); `\0` is none.
const WIN_ANSI_HIGH: &str = "€\0‚ƒ„…†‡ˆ‰Š‹Œ\0Ž\0\0‘’“”•–—˜™š›œ\0žŸ";

/// Reads a text string: UTF-16 or UTF-8 with a byte order mark, otherwise PDFDocEncoding.
pub(super) fn decode(bytes: &[u8]) -> String {
    let utf16 = |units: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = units.as_chunks::<2>().0.iter().map(|pair| unit(*pair)).collect();
        String::from_utf16_lossy(&units)
    };
    match bytes {
        [0xfe, 0xff, units @ ..] => utf16(units, u16::from_be_bytes),
        [0xff, 0xfe, units @ ..] => utf16(units, u16::from_le_bytes),
        [0xef, 0xbb, 0xbf, text @ ..] => String::from_utf8_lossy(text).into_owned(),
        _ => bytes.iter().map(|byte| pdf_doc(*byte)).collect(),
    }
}

fn pdf_doc(byte: u8) -> char {
    let high = |first: u8, table: &str| table.chars().nth(usize::from(byte.saturating_sub(first)));
    let found = match byte {
        0x18..=0x1f => high(0x18, PDF_DOC_ACCENTS),
        0x80..=0xa0 => high(0x80, PDF_DOC_HIGH),
        _ => Some(char::from(byte)),
    };
    found
        .filter(|found| *found != '\0')
        .unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// Whether the standard fonts have a character (ISO 32000-1, annex D.2, standard Latin character set).
pub(super) fn is_standard(character: char) -> bool {
    let others = [PDF_DOC_HIGH, PDF_DOC_ACCENTS];
    win_ansi(character).is_some() || others.iter().any(|others| others.contains(character))
}

/// The code of a character in WinAnsiEncoding.
pub(super) fn win_ansi(character: char) -> Option<u8> {
    match character {
        ' '..='~' | '\u{a1}'..='\u{ac}' | '\u{ae}'..='\u{ff}' => u8::try_from(u32::from(character)).ok(),
        '\u{a0}' | '\u{202f}' | '\u{2007}' | '\t' => Some(b' '),
        '\u{ad}' | '\u{2010}' | '\u{2011}' => Some(b'-'),
        '\0' => None,
        _ => {
            let index = WIN_ANSI_HIGH.chars().position(|high| high == character)?;
            u8::try_from(index).ok().map(|index| 0x80 + index)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_read_in_each_encoding() {
        for (bytes, text) in [
            (&b"Jane"[..], "Jane"),
            (b"\x80\xa0\xe9\x1a", "•€éˆ"),
            (b"\xfe\xff\0J\x04\x16", "JЖ"),
            (b"\xff\xfeJ\0", "J"),
            (b"\xef\xbb\xbf\xd0\x96", "Ж"),
            (b"\x9f", "\u{fffd}"),
        ] {
            assert_eq!(decode(bytes), text);
        }
    }

    #[test]
    fn codes_are_those_of_the_standard() {
        for (character, code) in [
            ('A', 0x41),
            ('€', 0x80),
            ('Ÿ', 0x9f),
            ('ÿ', 0xff),
            ('\u{ad}', b'-'),
            ('\u{a0}', b' '),
        ] {
            assert_eq!(win_ansi(character), Some(code), "{character}");
        }
        assert!(
            ['Ł', 'Ж', '\0', '\u{fffd}', '\n']
                .iter()
                .all(|character| win_ansi(*character).is_none())
        );
    }
}
