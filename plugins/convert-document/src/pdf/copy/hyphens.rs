//! Hyphens and spaces of fonts that are not embedded.
//!
//! ISO 32000-1, annex D.2: in WinAnsiEncoding the code 255 (octal) is a hyphen too, and 240 a space. Substitute fonts have
//! no glyphs of their own for the soft and non-breaking kinds, so the usual ones are named instead.

use crate::pdf::fonts::{descendant, is_substituted};
use crate::pdf::objects::name_is;
use hayro::hayro_syntax::object::{Array, Dict, MaybeRef, Name, Object};
use pdf_writer::Obj;
use std::borrow::Cow;

/// A font that another one is used for.
pub(super) enum Substitute {
    Simple,
    Composite,
}

impl Substitute {
    /// `None` for a font that is embedded or drawn by the document.
    pub(super) fn of(font: &Dict<'_>) -> Option<Self> {
        is_substituted(font).then(|| match descendant(font) {
            Some(_) => Self::Composite,
            None => Self::Simple,
        })
    }
}

/// The usual glyph name for one that substitute fonts lack.
pub(super) fn usual_name(name: &[u8]) -> Option<&'static [u8]> {
    match name {
        b"sfthyphen" | b"softhyphen" | b"hyphentwo" | b"hyphennobreak" | b"nonbreakinghyphen"
        | b"uni00AD" | b"uni2010" | b"uni2011" => Some(b"hyphen"),
        b"nbspace" | b"nonbreakingspace" | b"uni00A0" | b"uni202F" => Some(b"space"),
        _ => None,
    }
}

/// The usual character for one that substitute fonts lack.
pub(super) fn usual_character(unit: u16) -> Option<u16> {
    match unit {
        0x00ad | 0x2010 | 0x2011 => Some(0x2d),
        0x00a0 | 0x2000..=0x200a | 0x202f | 0x205f | 0x3000 => Some(0x20),
        0x2012 => Some(0x2013),
        0x2015 => Some(0x2014),
        _ => None,
    }
}

/// Writes the encoding of a simple font with the usual hyphen and space.
pub(super) fn write_encoding(font: &Dict<'_>, out: Obj<'_>) {
    let own = font.get::<Dict<'_>>("Encoding");
    let base = match &own {
        Some(encoding) => encoding.get::<Name<'_>>("BaseEncoding"),
        None => font.get::<Name<'_>>("Encoding"),
    };
    let mut encoding = out.dict();
    encoding.pair(pdf_writer::Name(b"Type"), pdf_writer::Name(b"Encoding"));
    let mut added: &[(i32, &[u8])] = &[];
    if let Some(base) = base {
        encoding.pair(pdf_writer::Name(b"BaseEncoding"), pdf_writer::Name(base.as_ref()));
        added = match base.as_ref() {
            b"WinAnsiEncoding" => &[(0xa0, b"space"), (0xad, b"hyphen")],
            b"MacRomanEncoding" => &[(0xca, b"space")],
            _ => added,
        };
    }
    let differences = own.and_then(|encoding| encoding.get::<Array<'_>>("Differences"));
    if added.is_empty() && differences.is_none() {
        return;
    }
    let mut array = encoding.insert(pdf_writer::Name(b"Differences")).array();
    for (code, name) in added {
        array.item(*code).item(pdf_writer::Name(name));
    }
    for item in differences.iter().flat_map(Array::raw_iter) {
        match item {
            MaybeRef::NotRef(Object::Number(code)) => {
                array.item(i32::try_from(code.as_i64()).unwrap_or(0));
            }
            MaybeRef::NotRef(Object::Name(name)) => {
                array.item(pdf_writer::Name(
                    usual_name(name.as_ref()).unwrap_or(name.as_ref()),
                ));
            }
            _ => {}
        }
    }
}

/// Whether writing anew changes how text in some of these fonts looks. Looks at the content only if that decides.
pub(crate) fn are_mended<'c>(fonts: &Dict<'_>, content: impl FnOnce() -> Cow<'c, [u8]>) -> bool {
    let mut by_code = false;
    for key in fonts.keys() {
        let Some(font) = fonts.get::<Dict<'_>>(key.as_ref()) else {
            continue;
        };
        match Substitute::of(&font) {
            Some(Substitute::Composite) if font.contains_key("ToUnicode") => return true,
            Some(Substitute::Simple) => {
                let encoding = font.get::<Dict<'_>>("Encoding").unwrap_or_default();
                let differences = encoding.get::<Array<'_>>("Differences");
                let mut names = differences.iter().flat_map(Array::raw_iter);
                if names.any(|name| matches!(name, MaybeRef::NotRef(Object::Name(name)) if usual_name(name.as_ref()).is_some())) {
                    return true;
                }
                by_code |= name_is(&font, "Encoding", b"WinAnsiEncoding")
                    || name_is(&encoding, "BaseEncoding", b"WinAnsiEncoding");
            }
            _ => {}
        }
    }
    by_code && may_show(&content(), 0xad)
}

/// Whether the strings of some content may have this code: as a byte, in octal or hexadecimal digits.
fn may_show(content: &[u8], code: u8) -> bool {
    let octal = format!("\\{code:03o}");
    let hex = [format!("{code:02x}"), format!("{code:02X}")];
    let has = |digits: &str| memchr::memmem::find(content, digits.as_bytes()).is_some();
    memchr::memchr(code, content).is_some()
        || has(&octal)
        || (memchr::memchr(b'<', content).is_some() && hex.iter().any(|hex| has(hex)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_found_however_they_are_written() {
        for content in [&b"(a\xadb) Tj"[..], b"(a\\255b) Tj", b"<61AD> Tj", b"<61ad> Tj"] {
            assert!(may_show(content, 0xad), "{content:?}");
        }
        for content in [&b"(ab) Tj"[..], b"(ad AD) Tj", b"<61> Tj"] {
            assert!(!may_show(content, 0xad), "{content:?}");
        }
    }
}
