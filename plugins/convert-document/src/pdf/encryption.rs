//! Files of which only the attachments are encrypted.
//!
//! ISO 32000-1, 7.6.5: streams and strings are as they are if their crypt filter is Identity, which it is by default; the
//! password is for the attachments, which are not sent anyway.

use super::objects::name_is;
use hayro::hayro_syntax::Pdf;
use hayro::hayro_syntax::object::{Dict, FromBytes, Name, ObjectIdentifier};
use std::sync::Arc;

const ENTRY: &[u8] = b"/Encrypt";

/// Opens a file whose pages are not encrypted although the file says that something is; `None` for any other.
pub(super) fn open_unencrypted_pages(data: &[u8]) -> Option<(Pdf, Arc<Vec<u8>>)> {
    let mut open = data.to_vec();
    let mut entries = Vec::new();
    for at in memchr::memmem::find_iter(data, ENTRY) {
        let value = data.get(at + ENTRY.len()..)?;
        // Not a longer name.
        if value.first()?.is_ascii_alphanumeric() {
            continue;
        }
        entries.push(value.trim_ascii_start());
        // Readers don't know the entry under another name.
        *open.get_mut(at + 1)? = b'X';
    }
    let open = Arc::new(open);
    let pdf = Pdf::new(Arc::clone(&open)).ok()?;
    let is_open = |value: &&[u8]| match value.starts_with(b"<<") {
        true => Dict::from_bytes(value).is_some_and(|dict| has_open_pages(&dict)),
        false => {
            let dict = reference(value).and_then(|id| pdf.xref().get::<Dict<'_>>(id));
            dict.is_some_and(|dict| has_open_pages(&dict))
        }
    };
    let all_open = !entries.is_empty() && entries.iter().all(is_open);
    all_open.then_some((pdf, open))
}

fn has_open_pages(encryption: &Dict<'_>) -> bool {
    let filters = encryption.get::<Dict<'_>>("CF").unwrap_or_default();
    let is_identity = |key: &str| match encryption.get::<Name<'_>>(key) {
        None => !encryption.contains_key(key),
        Some(name) if name.as_ref() == b"Identity" => true,
        Some(name) => {
            let filter = filters.get::<Dict<'_>>(name.as_ref());
            filter.is_some_and(|filter| name_is(&filter, "CFM", b"None"))
        }
    };
    encryption.get::<i32>("V").is_some_and(|version| version >= 4)
        && is_identity("StmF")
        && is_identity("StrF")
}

/// The object that a reference names.
fn reference(data: &[u8]) -> Option<ObjectIdentifier> {
    let text = data.get(..data.len().min(32))?;
    let mut words = text
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty());
    let mut number = || std::str::from_utf8(words.next()?).ok()?.parse::<u32>().ok();
    let (object, generation) = (number()?, number()?);
    let is_reference = words.next()?.starts_with(b"R");
    is_reference.then(|| ObjectIdentifier::new(object, generation as i32))
}
