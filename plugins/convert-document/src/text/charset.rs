//! The declared encoding of a text: by the sender, or by a web page itself.
//!
//! Labels are those of the WHATWG Encoding Standard. A byte order mark wins over any label; a label that the bytes disprove
//! (UTF-8 or ASCII that isn't) is not believed, and the sender is told.

use super::decode::{self, Decoded, decode_marked, is_text, is_text_character, unmarked_utf16};
use crate::model::{Failure, FailureKind};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use std::borrow::Cow;

/// How far into a web page its encoding is looked for.
const DECLARED_WITHIN: usize = 16 * 1024;

/// Labels of ASCII, which the Encoding Standard reads as Windows-1252. Programs declare it for anything.
const ASCII: [&str; 5] = ["us-ascii", "ascii", "ansi_x3.4-1968", "iso-ir-6", "iso646-us"];

/// Reads a text by its declared encoding, or by its bytes when none is declared; none when the bytes are no text.
/// `called_text` says that the gateway took the bytes for a text.
pub(super) fn decode<'a>(
    data: &'a [u8],
    declared: Option<&str>,
    called_text: bool,
) -> Result<Option<Decoded<'a>>, Failure> {
    let undeclared = || (is_text(data) || (called_text && !data.contains(&0))).then(|| decode::decode(data));
    let unclear = |_: &&str| decode_marked(data).is_none();
    if let Some(label) = declared
        .map(clean)
        .filter(|label| !label.is_empty())
        .filter(unclear)
    {
        return match named(label)? {
            None => Ok(undeclared()),
            Some(encoding) if encoding == UTF_8 || is_ascii(label) => {
                Ok(undeclared().map(|text| disproved(data, text)))
            }
            Some(encoding) => Ok(decode_as(data, label, encoding)),
        };
    }
    if decode_marked(data).is_none()
        && let Some(label) = declared_in_page(data)
        && std::str::from_utf8(data).is_err()
    {
        match named(&label)? {
            // A page whose declaration could be read is not in UTF-16 (HTML Standard, 13.2.3.2).
            Some(encoding) if ![UTF_8, UTF_16BE, UTF_16LE].contains(&encoding) => {
                return Ok(decode_as(data, &label, encoding));
            }
            _ => {}
        }
    }
    Ok(undeclared())
}

/// A label without the marks that stand around it.
fn clean(label: &str) -> &str {
    label.trim_matches(|c: char| c.is_ascii_whitespace() || matches!(c, '"' | '\''))
}

fn is_ascii(label: &str) -> bool {
    ASCII.iter().any(|name| name.eq_ignore_ascii_case(label))
}

/// The encoding of this label; none for one that says nothing about a text.
fn named(label: &str) -> Result<Option<&'static Encoding>, Failure> {
    if label.eq_ignore_ascii_case("binary") {
        return Ok(None);
    }
    Encoding::for_label_no_replacement(label.as_bytes())
        .map(Some)
        .ok_or_else(|| {
            Failure::new(
                FailureKind::Unsupported,
                "The declared charset of the text is not known here; send the text in UTF-8, or as a PDF.",
            )
        })
}

/// Adds a note to a text that is not in the UTF-8 or ASCII that was declared.
fn disproved<'a>(data: &[u8], mut text: Decoded<'a>) -> Decoded<'a> {
    if text.note.is_some() && std::str::from_utf8(data).is_err() {
        text.note = Some(Cow::Borrowed(
            "The text is not in the charset that was declared for it and was read as what its bytes look like; check \
             accented letters.",
        ));
    }
    text
}

/// Reads a text in an encoding; none when that leaves control characters, so that the bytes are no text.
fn decode_as<'a>(data: &'a [u8], label: &str, encoding: &'static Encoding) -> Option<Decoded<'a>> {
    // Without a mark, big-endian text is often called just UTF-16 (RFC 2781, 4.3).
    let encoding = if label.eq_ignore_ascii_case("utf-16") && unmarked_utf16(data) == Some(false) {
        UTF_16BE
    } else {
        encoding
    };
    let (text, has_errors) = encoding.decode_without_bom_handling(data);
    if !text.chars().all(is_text_character) {
        return None;
    }
    let note = has_errors.then(|| {
        Cow::Owned(format!(
            "Some bytes of the text are not {} and are shown as boxes.",
            encoding.name()
        ))
    });
    Some(Decoded { text, note })
}

/// The label that a web page declares in a `meta` element or in its XML declaration (HTML Standard, 13.2.3.2).
fn declared_in_page(data: &[u8]) -> Option<String> {
    let head = data.get(..DECLARED_WITHIN).unwrap_or(data);
    let head: String = head.iter().map(|byte| char::from(*byte)).collect();
    if !super::kind::is_html(&head) {
        return None;
    }
    let lower = head.to_ascii_lowercase();
    let after_xml = lower.trim_start().strip_prefix("<?xml");
    let in_xml = after_xml
        .and_then(|rest| rest.split_once("?>"))
        .and_then(|(declaration, _)| value(declaration, "encoding"));
    in_xml.or_else(|| {
        let mut metas = without_comments(&lower);
        let mut found = None;
        while found.is_none()
            && let Some((_, rest)) = metas.split_once("<meta")
        {
            let (tag, after) = rest.split_once('>')?;
            found = value(tag, "charset").or_else(|| {
                let content = value(tag, "content").filter(|_| tag.contains("http-equiv"))?;
                value(&content, "charset")
            });
            metas = after.to_owned();
        }
        found
    })
}

fn without_comments(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("<!--") {
        kept.push_str(before);
        rest = after.split_once("-->").map_or("", |(_, after)| after);
    }
    kept.push_str(rest);
    kept
}

/// The value of an attribute or parameter, which may be quoted.
fn value(text: &str, name: &str) -> Option<String> {
    let mut rest = text;
    while let Some(at) = rest.find(name) {
        let (before, after) = rest.split_at(at);
        rest = after.get(name.len()..)?;
        let begins = before
            .chars()
            .next_back()
            .is_none_or(|c| c.is_ascii_whitespace() || matches!(c, ';' | '"' | '\'' | '/'));
        let Some(assigned) = rest.trim_start().strip_prefix('=').filter(|_| begins) else {
            continue;
        };
        let assigned = assigned.trim_start();
        let value = match assigned.chars().next()? {
            quote @ ('"' | '\'') => assigned.get(1..)?.split(quote).next()?,
            _ => assigned
                .split(|c: char| c.is_ascii_whitespace() || matches!(c, ';' | '/' | '>' | '"' | '\''))
                .next()?,
        };
        return Some(value.trim().to_owned()).filter(|value| !value.is_empty());
    }
    None
}

#[cfg(test)]
mod tests;
