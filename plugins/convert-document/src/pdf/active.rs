//! Whether a PDF holds more than pages: scripts, actions on other files, attachments, encryption.

use super::copy::root;
use hayro::hayro_syntax::Pdf;
use hayro::hayro_syntax::object::{Array, Dict, Name, Object};

/// Annotations looked at; a file with more is written anew without a look.
const MAX_ANNOTATIONS: usize = 2000;

/// What is better left behind before the file is handed on, as a sentence for the sender.
pub(crate) fn reason_to_copy(pdf: &Pdf, data: &[u8]) -> Option<&'static str> {
    if is_encrypted(data) {
        return Some("The PDF was protected without a password; it is sent without the protection.");
    }
    if acts(pdf) {
        return Some("The PDF held scripts, attachments or links to other files; only its pages are sent.");
    }
    None
}

/// Whether the file was decrypted on the way in. The entry stands in the trailer, which is never compressed.
pub(super) fn is_encrypted(data: &[u8]) -> bool {
    memchr::memmem::find(data, b"/Encrypt").is_some()
}

/// Whether it holds scripts, attachments or actions on other files.
pub(crate) fn acts(pdf: &Pdf) -> bool {
    let Some(root) = root(pdf) else { return false };
    let names = root.get::<Dict<'_>>("Names").unwrap_or_default();
    if root.contains_key("AA")
        || names.contains_key("JavaScript")
        || names.contains_key("EmbeddedFiles")
        || root
            .get::<Dict<'_>>("OpenAction")
            .is_some_and(|action| is_harmful(&action))
    {
        return true;
    }
    let mut left = MAX_ANNOTATIONS;
    pdf.pages().iter().any(|page| {
        let raw = page.raw();
        raw.contains_key("AA")
            || raw.get::<Array<'_>>("Annots").is_some_and(|notes| {
                notes.iter::<Dict<'_>>().any(|note| {
                    left = left.saturating_sub(1);
                    left == 0 || is_active(&note)
                })
            })
    })
}

fn is_active(note: &Dict<'_>) -> bool {
    let kind = note.get::<Name<'_>>("Subtype");
    let carries = |kind: &[u8]| {
        matches!(
            kind,
            b"FileAttachment" | b"RichMedia" | b"Movie" | b"Screen" | b"Sound"
        )
    };
    note.contains_key("AA")
        || kind.is_some_and(|kind| carries(kind.as_ref()))
        || note
            .get::<Dict<'_>>("A")
            .is_some_and(|action| is_harmful(&action))
}

/// An action that does more than turn to a page or open an address (ISO 32000-1, table 198).
fn is_harmful(action: &Dict<'_>) -> bool {
    let harmless = |kind: &[u8]| matches!(kind, b"GoTo" | b"URI" | b"Named" | b"Thread" | b"Hide");
    matches!(action.get::<Object<'_>>("S"), Some(Object::Name(kind)) if !harmless(kind.as_ref()))
}
