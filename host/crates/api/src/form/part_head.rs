//! The head of one part of a multipart form: its name, file name, type and transfer encoding.

use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use http::{HeaderMap, HeaderName};

use super::parameters::{parameter, parameters};
use super::transfer_encoding::TransferEncoding;
use crate::problem::Problem;
use faxgate_domain::code::Code;

/// Longest file name kept, in characters.
const MAX_FILE_NAME: usize = 255;
/// Longest name that an error repeats, in characters.
const MAX_SHOWN_NAME: usize = 40;
/// Longest charset label; those of the Encoding Standard are shorter.
const MAX_CHARSET: usize = 40;

/// The head of a part.
#[derive(Debug)]
pub(super) struct PartHead {
    /// The name of the form field; empty when it has none.
    pub(super) name: String,
    /// The declared file name; empty for a file input that the user left empty. None for a text field.
    pub(super) declared_file_name: Option<String>,
    /// The declared media type, without parameters, in lower case.
    pub(super) media_type: Option<String>,
    /// The declared character set, in lower case.
    pub(super) charset: Option<String>,
    /// How the bytes are encoded.
    pub(super) encoding: TransferEncoding,
}

impl PartHead {
    /// Reads the headers of a part.
    ///
    /// # Errors
    /// When the part contains parts of its own, or is encoded in an unknown way.
    pub(super) fn read(headers: &HeaderMap) -> Result<Self, Problem> {
        let text = |name: &HeaderName| {
            let value = headers.get(name)?;
            // Names of files may be in another encoding than UTF-8.
            Some(String::from_utf8_lossy(http::HeaderValue::as_bytes(value)).into_owned())
        };
        let disposition = text(&CONTENT_DISPOSITION).unwrap_or_default();
        let (mut name, mut file_name, mut extended) = (None, None, None);
        for (parameter, value) in parameters(&disposition) {
            let slot = match parameter.as_str() {
                "name" => &mut name,
                "filename" => &mut file_name,
                "filename*" => &mut extended,
                _ => continue,
            };
            slot.get_or_insert(value);
        }
        let name = name.unwrap_or_default();
        let content_type = text(&CONTENT_TYPE).unwrap_or_default();
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        let media_type = (!media_type.is_empty()).then(|| media_type.to_ascii_lowercase());
        if media_type
            .as_deref()
            .is_some_and(|kind| kind.starts_with("multipart/"))
        {
            return Err(nested(&name));
        }
        let encoding = headers.get("content-transfer-encoding");
        let encoding = TransferEncoding::of(encoding.map_or(&[][..], |value| value.as_bytes()));
        Ok(Self {
            encoding: encoding.ok_or_else(|| unknown_encoding(&name))?,
            declared_file_name: file_name.or_else(|| extended.as_deref().and_then(decode_extended)),
            charset: parameter(&content_type, "charset")
                .filter(|charset| !charset.is_empty() && charset.len() <= MAX_CHARSET)
                .map(|charset| charset.to_ascii_lowercase()),
            media_type,
            name,
        })
    }

    /// The declared file name without its path and without control characters; none when nothing is left.
    pub(super) fn file_name(&self) -> Option<String> {
        self.declared_file_name.as_deref().and_then(clean_file_name)
    }
}

/// A name that the client chose, as an error may repeat it.
pub(super) fn shown(name: &str) -> String {
    let plain = name.chars().filter(|c| !c.is_control()).take(MAX_SHOWN_NAME);
    format!("`{}`", plain.collect::<String>())
}

fn nested(name: &str) -> Problem {
    Problem::new(
        Code::Invalid,
        format!(
            "part {0} contains a form of its own (multipart/mixed): send one part for each value; a value that begins \
             with `(` needs --form-string in curl",
            shown(name)
        ),
    )
}

fn unknown_encoding(name: &str) -> Problem {
    Problem::new(
        Code::Invalid,
        format!(
            "part {} has an unknown Content-Transfer-Encoding: send the bytes as they are, or in base64 or \
             quoted-printable",
            shown(name)
        ),
    )
}

/// The value of `filename*`: `UTF-8''r%C3%A9sum%C3%A9.pdf` (RFC 5987). Other character sets are not read.
fn decode_extended(value: &str) -> Option<String> {
    let (charset, rest) = value.split_once('\'')?;
    let (_, encoded) = rest.split_once('\'')?;
    if !charset.eq_ignore_ascii_case("utf-8") {
        return Some(encoded.to_owned());
    }
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        match (first, tail) {
            (b'%', [high, low, after @ ..]) => {
                let digit = |byte: &u8| char::from(*byte).to_digit(16);
                let byte = digit(high)? * 16 + digit(low)?;
                bytes.push(u8::try_from(byte).ok()?);
                rest = after;
            }
            _ => bytes.push(*first),
        }
    }
    String::from_utf8(bytes).ok()
}

/// The last component of a name, without invisible characters; none when nothing is left.
pub(super) fn clean_file_name(name: &str) -> Option<String> {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let clean: String = last
        .chars()
        .filter(|c| !is_invisible(*c))
        .take(MAX_FILE_NAME)
        .collect();
    let clean = clean.trim();
    (!clean.is_empty() && clean != "." && clean != "..").then(|| clean.to_owned())
}

/// Control characters, and those that change the direction of text: a name must be shown as it is.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests;
