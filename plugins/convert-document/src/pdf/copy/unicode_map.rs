//! ToUnicode CMaps (ISO 32000-1, 9.10.3) of fonts that are not embedded, rewritten with the characters that substitute
//! fonts have.

use super::hyphens::usual_character;

/// Codes of two bytes; a map with more is not one.
const MAX_CODES: usize = 1 << 16;
/// Entries of one block (ISO 32000-1, 9.7.5.4, refers to Adobe technical note 5014).
const BLOCK: usize = 100;

/// Replaces characters that substitute fonts lack. A map that can't be read stays as it is.
pub(super) fn with_usual_characters(map: &[u8]) -> Vec<u8> {
    match UnicodeMap::read(map) {
        Some(read) if read.characters.iter().any(|(_, value)| usual(value) != *value) => read.write(),
        _ => map.to_vec(),
    }
}

#[derive(Default)]
struct UnicodeMap {
    /// First and last code of each range of codes, as hexadecimal digits.
    codes: Vec<(Vec<u8>, Vec<u8>)>,
    /// Codes with their characters in UTF-16.
    characters: Vec<(Vec<u8>, Vec<u16>)>,
}

enum Token<'a> {
    Hex(Vec<u8>),
    Open,
    Close,
    Word(&'a [u8]),
}

impl UnicodeMap {
    fn read(mut map: &[u8]) -> Option<Self> {
        let mut read = Self::default();
        let mut strings: Vec<Vec<u8>> = Vec::new();
        let mut list: Option<Vec<Vec<u8>>> = None;
        let mut block: &[u8] = b"";
        while let Some(token) = next_token(&mut map) {
            match token {
                Token::Word(b"usecmap") => return None,
                Token::Word(word) => {
                    if word.starts_with(b"begin") || word.starts_with(b"end") {
                        block = word;
                    }
                    strings.clear();
                }
                Token::Open => list = Some(Vec::new()),
                Token::Close => {
                    let values = list.take()?;
                    read.add_list(strings.first()?, values);
                    strings.clear();
                }
                Token::Hex(hex) => match &mut list {
                    Some(list) => list.push(hex),
                    None => strings.push(hex),
                },
            }
            match (block, strings.as_slice()) {
                (b"begincodespacerange", [first, last]) => read.codes.push((first.clone(), last.clone())),
                (b"beginbfchar", [code, value]) => read.characters.push((code.clone(), units(value))),
                (b"beginbfrange", [first, last, value]) => read.add_range(first, last, &units(value))?,
                _ => continue,
            }
            strings.clear();
        }
        (read.characters.len() <= MAX_CODES).then_some(read)
    }

    fn add_range(&mut self, first: &[u8], last: &[u8], value: &[u16]) -> Option<()> {
        let count = number(last).checked_sub(number(first))?;
        if count as usize + self.characters.len() > MAX_CODES {
            return None;
        }
        for step in 0..=count {
            let mut value = value.to_vec();
            let unit = value.last_mut()?;
            *unit = unit.wrapping_add(step as u16);
            self.characters.push((code(first, step), value));
        }
        Some(())
    }

    fn add_list(&mut self, first: &[u8], values: Vec<Vec<u8>>) {
        for (step, value) in (0..).zip(values) {
            self.characters.push((code(first, step), units(&value)));
        }
    }

    fn write(&self) -> Vec<u8> {
        let mut out = b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap\n/CMapName /Mended def /CMapType 2 def\n".to_vec();
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        for block in self.codes.chunks(BLOCK) {
            out.extend(format!("{} begincodespacerange\n", block.len()).bytes());
            for (first, last) in block {
                out.extend(format!("<{}> <{}>\n", hex(first), hex(last)).bytes());
            }
            out.extend(b"endcodespacerange\n");
        }
        for block in self.characters.chunks(BLOCK) {
            out.extend(format!("{} beginbfchar\n", block.len()).bytes());
            for (code, value) in block {
                let value: Vec<u8> = usual(value).iter().flat_map(|unit| unit.to_be_bytes()).collect();
                out.extend(format!("<{}> <{}>\n", hex(code), hex(&value)).bytes());
            }
            out.extend(b"endbfchar\n");
        }
        out.extend(b"endcmap CMapName currentdict /CMap defineresource pop end end\n");
        out
    }
}

fn usual(value: &[u16]) -> Vec<u16> {
    match value {
        [unit] => vec![usual_character(*unit).unwrap_or(*unit)],
        _ => value.to_vec(),
    }
}

fn units(bytes: &[u8]) -> Vec<u16> {
    match bytes {
        [byte] => vec![u16::from(*byte)],
        _ => bytes
            .as_chunks::<2>()
            .0
            .iter()
            .map(|unit| u16::from_be_bytes(*unit))
            .collect(),
    }
}

fn number(code: &[u8]) -> u32 {
    code.iter().fold(0, |number, byte| number << 8 | u32::from(*byte))
}

/// The code that comes `step` after `first`, with as many bytes.
fn code(first: &[u8], step: u32) -> Vec<u8> {
    let bytes = number(first).wrapping_add(step).to_be_bytes();
    bytes
        .get(bytes.len().saturating_sub(first.len())..)
        .unwrap_or_default()
        .to_vec()
}

/// Takes the next token off `rest`. Names and strings count as words: no map has its codes in them.
fn next_token<'a>(rest: &mut &'a [u8]) -> Option<Token<'a>> {
    let mut data = rest.trim_ascii_start();
    while let Some(comment) = data.strip_prefix(b"%") {
        let end = comment.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
        data = comment.get(end?..)?.trim_ascii_start();
    }
    let (token, length) = match data {
        [] => return None,
        [b'<', b'<', ..] | [b'>', b'>', ..] => (Token::Word(b"<<"), 2),
        [b'<', hex @ ..] => {
            let end = hex.iter().position(|byte| *byte == b'>')?;
            (Token::Hex(bytes_of(hex.get(..end)?)), end + 2)
        }
        [b'[', ..] => (Token::Open, 1),
        [b']', ..] => (Token::Close, 1),
        [_, more @ ..] => {
            let ends = |byte: &u8| byte.is_ascii_whitespace() || b"<>[]/(%".contains(byte);
            let length = more.iter().position(ends).unwrap_or(more.len()) + 1;
            (Token::Word(data.get(..length)?), length)
        }
    };
    *rest = data.get(length..)?;
    Some(token)
}

fn bytes_of(hex: &[u8]) -> Vec<u8> {
    let digits: Vec<u8> = hex
        .iter()
        .filter_map(|digit| char::from(*digit).to_digit(16))
        .map(|digit| digit as u8)
        .collect();
    digits
        .chunks(2)
        .map(|pair| pair.first().unwrap_or(&0) << 4 | pair.get(1).unwrap_or(&0))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(map: &str) -> Vec<(u32, Vec<u16>)> {
        let read = UnicodeMap::read(&with_usual_characters(map.as_bytes())).map(|read| read.characters);
        read.unwrap_or_default()
            .into_iter()
            .map(|(code, value)| (number(&code), value))
            .collect()
    }

    #[test]
    fn hyphens_and_spaces_become_the_usual_ones() {
        let map = "1 begincodespacerange <0000> <FFFF> endcodespacerange\n\
                   2 beginbfchar <0003> <00A0> <0010> <2010> endbfchar\n\
                   3 beginbfrange <0020> <0022> <00AC> <0030> <0031> [<0041> <2011>] <0040> <0040> <00410301> endbfrange";
        assert_eq!(
            values(map),
            [
                (0x03, vec![0x20]),
                (0x10, vec![0x2d]),
                (0x20, vec![0xac]),
                (0x21, vec![0x2d]),
                (0x22, vec![0xae]),
                (0x30, vec![0x41]),
                (0x31, vec![0x2d]),
                (0x40, vec![0x41, 0x301]),
            ]
        );
    }

    #[test]
    fn a_map_without_them_stays_as_it_is() {
        for map in [
            "1 beginbfchar <01> <0041> endbfchar % end",
            "/Other usecmap 1 beginbfchar <01> <00AD> endbfchar",
            "<",
            "]",
        ] {
            assert_eq!(with_usual_characters(map.as_bytes()), map.as_bytes());
        }
    }
}
