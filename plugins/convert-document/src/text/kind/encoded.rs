//! Files written as text: base64, uuencode, yEnc, BinHex, hexadecimal digits; and quoted-printable text.

use super::lines;

/// Shortest line of base64 among others: programs write 60 to 76 characters.
const LINE: usize = 40;
/// Shortest text of base64 that begins as no known file does.
const LONE: usize = 60;
/// Shortest text that begins as a known file does.
const KNOWN: usize = 16;
/// Shortest text of hexadecimal digits that begins as a known file does.
const HEXADECIMAL: usize = 64;

/// How files begin in base64: PDF, PNG, JPEG, GIF, ZIP, TIFF, RTF, PostScript, HTML, XML, old Office.
const KNOWN_BASE64: [&str; 13] = [
    "JVBERi0",
    "iVBORw0KGgo",
    "/9j/",
    "R0lGOD",
    "UEsDB",
    "SUkqA",
    "TU0AK",
    "e1xydGY",
    "JSFQUy",
    "PGh0bWw",
    "PCFET0NUWVBF",
    "PD94bWw",
    "0M8R4KGx",
];
/// The same in hexadecimal digits.
const KNOWN_HEXADECIMAL: [&str; 6] = [
    "255044462d",
    "89504e47",
    "ffd8ff",
    "474946383",
    "504b0304",
    "49492a00",
];

/// Whether a text is a file in an encoding of bytes as letters, apart from a few lines around it.
pub(super) fn is_blob(text: &str) -> bool {
    is_marked(text) || is_known(text) || is_mostly_base64(text)
}

/// Whether the encoding is named: a `data:` URI, uuencode, yEnc or BinHex.
fn is_marked(text: &str) -> bool {
    let is_uri = text
        .split_once(',')
        .is_some_and(|(head, _)| head.starts_with("data:") && head.ends_with(";base64"));
    if is_uri || text.starts_with("(This file must be converted with BinHex") {
        return true;
    }
    let mut unread = lines(text).filter(|line| !line.is_empty()).peekable();
    while let Some(line) = unread.next() {
        let next = unread.peek().copied().unwrap_or_default();
        let begins = line.strip_prefix("begin ").is_some_and(|rest| {
            let mode = rest.split(' ').next().unwrap_or_default();
            mode.len() == 3 && mode.bytes().all(|byte| byte.is_ascii_digit())
        });
        if (begins && is_uuencoded(next)) || line.starts_with("=ybegin ") {
            return true;
        }
    }
    false
}

/// Whether a line begins with the number of its bytes, three of which take four letters.
fn is_uuencoded(line: &str) -> bool {
    let count = line
        .bytes()
        .next()
        .map_or(0, |first| usize::from(first.wrapping_sub(b' ')) % 64);
    (1..=45).contains(&count) && line.len() == 1 + count.div_ceil(3) * 4
}

/// Whether a text is nothing but a known kind of file in base64 or hexadecimal digits.
fn is_known(text: &str) -> bool {
    let head: String = text.chars().filter(|c| !c.is_whitespace()).take(16).collect();
    let lower = head.to_ascii_lowercase();
    let whole = |is: fn(u8) -> bool, length: usize| {
        let letters = || text.bytes().filter(|byte| !byte.is_ascii_whitespace());
        letters().all(is) && letters().count() >= length
    };
    (KNOWN_BASE64.iter().any(|known| head.starts_with(known)) && whole(is_base64, KNOWN))
        || (KNOWN_HEXADECIMAL.iter().any(|known| lower.starts_with(known))
            && whole(|byte| byte.is_ascii_hexdigit(), HEXADECIMAL))
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_')
}

/// Whether four fifths of a text are lines of base64.
fn is_mostly_base64(text: &str) -> bool {
    let (mut all, mut inside, mut longest, mut count) = (0, 0, 0, 0);
    let (mut upper, mut lower, mut digits, mut beyond_hexadecimal) = (0, 0, 0, false);
    for line in lines(text).map(str::trim) {
        all += line.len();
        let is_letters = line.bytes().all(is_base64);
        let enough = line.bytes().filter(u8::is_ascii_alphanumeric).count() * 10 >= line.len() * 9;
        // The last line is shorter.
        let belongs = line.len() >= LINE || count > 0;
        if line.is_empty() || !is_letters || !enough || !belongs {
            continue;
        }
        inside += line.len();
        longest = longest.max(line.len());
        count += usize::from(line.len() >= LINE);
        for byte in line.bytes() {
            upper += usize::from(byte.is_ascii_uppercase());
            lower += usize::from(byte.is_ascii_lowercase());
            digits += usize::from(byte.is_ascii_digit());
            beyond_hexadecimal |= !byte.is_ascii_hexdigit();
        }
    }
    // Words have few capitals and digits; a file has a third of each kind of letter and a seventh of digits.
    let mixed = upper >= 6 && lower >= 6 && digits >= 3 && beyond_hexadecimal;
    mixed && (longest >= LONE || count >= 2) && inside * 5 >= all * 4
}

/// Whether a text is in quoted-printable encoding (RFC 2045, 6.7): lines that go on after `=`, or letters of other scripts
/// written as `=C3=BC` or `M=FCnchen`.
pub(super) fn is_quoted_printable(text: &str) -> bool {
    let soft_breaks = lines(text)
        .filter(|line| line.ends_with('=') && (60..=76).contains(&line.len()))
        .count();
    let bytes = text.as_bytes();
    let escaped = |at: usize| match bytes.get(at..at + 3) {
        Some([b'=', high, low]) => {
            let digit = |byte: u8| {
                char::from(byte)
                    .to_digit(16)
                    .filter(|_| !byte.is_ascii_lowercase())
            };
            Some(digit(*high)? * 16 + digit(*low)?)
        }
        _ => None,
    };
    let (mut escapes, mut letters) = (0, 0);
    for at in memchr::memchr_iter(b'=', bytes) {
        let Some(value) = escaped(at) else { continue };
        escapes += 1;
        let before = at.checked_sub(1).and_then(|at| bytes.get(at));
        let in_word = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphabetic);
        let continues = (0xc2..=0xf4).contains(&value)
            && escaped(at + 3).is_some_and(|next| (0x80..=0xbf).contains(&next));
        let in_latin_word = value >= 0xc0 && in_word(before) && in_word(bytes.get(at + 3));
        letters += usize::from(continues || in_latin_word);
    }
    (soft_breaks >= 2 && escapes >= 2) || (soft_breaks >= 1 && letters >= 1) || letters >= 2
}
