//! Bytes to characters: tells the encoding of a text from its bytes.

use std::borrow::Cow;

/// A text and what was assumed to read it.
#[derive(Debug)]
pub(crate) struct Decoded<'a> {
    /// The characters, without byte order mark.
    pub(crate) text: Cow<'a, str>,
    /// What the sender should know, one sentence.
    pub(crate) note: Option<Cow<'static, str>>,
}

/// Windows-1252 for the bytes 0x80 to 0x9f; five are not assigned.
pub(super) const WINDOWS_1252_HIGH: [char; 32] = [
    '€', '\u{fffd}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{fffd}', 'Ž', '\u{fffd}',
    '\u{fffd}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{fffd}', 'ž', 'Ÿ',
];

/// Reads a text in UTF-8, UTF-16 or UTF-32 (by byte order mark, or UTF-16 by its zero bytes), else Windows-1252.
pub(crate) fn decode(data: &[u8]) -> Decoded<'_> {
    if let Some(decoded) = decode_marked(data) {
        return decoded;
    }
    if let Some(little) = unmarked_utf16(data) {
        let read = if little {
            u16::from_le_bytes
        } else {
            u16::from_be_bytes
        };
        let note = Some(Cow::Borrowed(
            "The text has no byte order mark and was read as UTF-16.",
        ));
        return Decoded {
            text: Cow::Owned(utf16(data, read)),
            note,
        };
    }
    utf8_or_legacy(data)
}

/// Reads a text that begins with a byte order mark, which tells its encoding whatever else is said of it (Encoding Standard,
/// "BOM sniff").
pub(super) fn decode_marked(data: &[u8]) -> Option<Decoded<'_>> {
    if let Some(rest) = data.strip_prefix(b"\xef\xbb\xbf") {
        return Some(utf8_or_legacy(rest));
    }
    let text = if let Some(rest) = data.strip_prefix(b"\xff\xfe\0\0") {
        utf32(rest, u32::from_le_bytes)
    } else if let Some(rest) = data.strip_prefix(b"\0\0\xfe\xff") {
        utf32(rest, u32::from_be_bytes)
    } else if let Some(rest) = data.strip_prefix(b"\xff\xfe") {
        utf16(rest, u16::from_le_bytes)
    } else {
        utf16(data.strip_prefix(b"\xfe\xff")?, u16::from_be_bytes)
    };
    Some(Decoded {
        text: Cow::Owned(text),
        note: None,
    })
}

/// Whether bytes that nobody recognised can be a text: no control characters that no text has.
pub(crate) fn is_text(data: &[u8]) -> bool {
    if [&b"\xff\xfe"[..], b"\xfe\xff", b"\0\0\xfe\xff"]
        .iter()
        .any(|mark| data.starts_with(mark))
    {
        return data.len().is_multiple_of(2);
    }
    if unmarked_utf16(data).is_some() {
        return true;
    }
    if !data.iter().all(|byte| is_text_character(char::from(*byte))) {
        return false;
    }
    // A text in a legacy encoding of a Latin script is mostly ASCII; compressed data is not.
    let high = data.iter().filter(|byte| **byte >= 0x80).count();
    std::str::from_utf8(data).is_ok() || high * 3 < data.len()
}

/// Whether a character may stand in a text: tab to carriage return, and escape and end-of-file marks that old programs leave
/// behind, but no other control character of ASCII.
pub(super) fn is_text_character(c: char) -> bool {
    matches!(c, '\u{8}'..='\r' | '\u{1a}' | '\u{1b}' | ' '..='~' | '\u{80}'..)
}

fn utf8_or_legacy(data: &[u8]) -> Decoded<'_> {
    if let Ok(text) = std::str::from_utf8(data) {
        return Decoded {
            text: Cow::Borrowed(text),
            note: None,
        };
    }
    // A long UTF-8 text with a few bad bytes stays UTF-8: reading it as a legacy encoding would spoil all of it.
    let (mut good, mut bad) = (0usize, 0usize);
    for chunk in data.utf8_chunks() {
        good += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        bad += usize::from(!chunk.invalid().is_empty());
    }
    if good > bad * 4 {
        let note = Some(Cow::Borrowed(
            "Some bytes of the text are not UTF-8 and are shown as boxes.",
        ));
        return Decoded {
            text: String::from_utf8_lossy(data),
            note,
        };
    }
    let text = data
        .iter()
        .map(|&byte| match byte {
            0x80..=0x9f => WINDOWS_1252_HIGH
                .get(usize::from(byte - 0x80))
                .copied()
                .unwrap_or(char::REPLACEMENT_CHARACTER),
            other => char::from(other),
        })
        .collect();
    let note = Some(Cow::Borrowed(
        "The text is not UTF-8 and was read as Windows-1252; check accented letters, or declare its charset.",
    ));
    Decoded {
        text: Cow::Owned(text),
        note,
    }
}

fn utf16(data: &[u8], read: fn([u8; 2]) -> u16) -> String {
    let units = data.chunks(2).map(|pair| match *pair {
        [a, b] => read([a, b]),
        // Half a unit at the end shows as a replacement character.
        _ => 0xfffd,
    });
    char::decode_utf16(units)
        .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

fn utf32(data: &[u8], read: fn([u8; 4]) -> u32) -> String {
    data.chunks(4)
        .map(|unit| {
            <[u8; 4]>::try_from(unit)
                .ok()
                .and_then(|unit| char::from_u32(read(unit)))
                .unwrap_or(char::REPLACEMENT_CHARACTER)
        })
        .collect()
}

/// Whether this is UTF-16 without a mark, and if so whether little-endian: Western text has a zero in every
/// other byte and nowhere else.
pub(super) fn unmarked_utf16(data: &[u8]) -> Option<bool> {
    if data.len() < 8 || !data.len().is_multiple_of(2) {
        return None;
    }
    let (mut even, mut odd) = (0usize, 0usize);
    for pair in data.chunks_exact(2) {
        if let [a, b] = pair {
            even += usize::from(*a == 0);
            odd += usize::from(*b == 0);
        }
    }
    let pairs = data.len() / 2;
    match (even, odd) {
        (0, odd) if odd * 10 >= pairs * 9 => Some(true),
        (even, 0) if even * 10 >= pairs * 9 => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16_bytes(text: &str, mark: bool, little: bool) -> Vec<u8> {
        let mark = mark.then_some(0xfeff);
        let write = if little {
            u16::to_le_bytes
        } else {
            u16::to_be_bytes
        };
        mark.into_iter()
            .chain(text.encode_utf16())
            .flat_map(write)
            .collect()
    }

    #[test]
    fn every_unicode_form_gives_the_same_text() {
        let text = "Grüße, 世界 😀\n";
        assert_eq!(decode(text.as_bytes()).text, text);
        assert_eq!(decode(format!("\u{feff}{text}").as_bytes()).text, text);
        for little in [true, false] {
            let decoded = utf16_bytes(text, true, little);
            assert_eq!(decode(&decoded).text, text);
            assert!(decode(&decoded).note.is_none());
        }
    }

    #[test]
    fn unmarked_utf16_is_told_by_its_zeros() {
        for little in [true, false] {
            let data = utf16_bytes("Plain words.", false, little);
            assert_eq!(decode(&data).text, "Plain words.");
            assert!(decode(&data).note.is_some());
            assert!(is_text(&data));
        }
    }

    #[test]
    fn legacy_text_is_read_with_a_note() {
        let decoded = decode(b"Stra\xdfe \x80 5 \x93ok\x94");
        assert_eq!(decoded.text, "Straße € 5 “ok”");
        assert!(decoded.note.is_some());
    }

    #[test]
    fn one_bad_byte_does_not_spoil_a_unicode_text() {
        let mut data = "żółć ".repeat(20).into_bytes();
        data.push(0xff);
        let decoded = decode(&data);
        assert!(decoded.text.starts_with("żółć"));
        assert!(decoded.note.is_some());
    }

    #[test]
    fn damaged_utf16_becomes_replacement_characters() {
        assert_eq!(decode(b"\xff\xfeA\0\x00\xd8").text, "A\u{fffd}");
        assert_eq!(decode(b"\xff\xfeA\0B").text, "A\u{fffd}");
    }

    #[test]
    fn binaries_are_not_text() {
        assert!(is_text(b"x-lab: 19 bytes ok\n"));
        assert!(is_text("Größe".as_bytes()));
        assert!(!is_text(b"\x7fELF\x02\x01\x01\0\0\0\0"));
        assert!(!is_text(
            &(0u32..600)
                .map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8)
                .collect::<Vec<_>>()
        ));
    }
}
