//! PDF as it comes in: is it whole, how many pages has it, can they be shown.

mod annotations;
mod audit;
mod copy;
mod cut;
mod encryption;
mod fonts;
mod forms;
mod images;
mod inflate;
mod inspect;
mod objects;
mod strings;
mod structure;
#[cfg(test)]
mod tests;

pub(crate) use audit::Audit;
pub(crate) use copy::copy;
pub(crate) use cut::is_small;
pub(crate) use fonts::{Fonts, check_letters, chooses_letters};
pub(crate) use images::{check_images, is_image, jpeg_decoder};
pub(crate) use inspect::{Coverage, PageInspector};

use crate::model::{Failure, FailureKind, Paper};
use hayro::hayro_syntax::object::{Array, Dict, Name, Object, Stream};
use hayro::hayro_syntax::page::Page;
use hayro::hayro_syntax::{DecryptionError, Filter, LoadPdfError, Pdf};
use std::sync::Arc;

/// Compressed bytes of page content that are checked when a document is opened: about a millisecond's worth.
/// Content is text and strokes; fonts and pictures, which make files large, are not part of it.
const CHECKED_CONTENT: usize = 512 * 1024;

/// A PDF as it was opened.
pub(crate) struct Opened {
    pub(crate) pdf: Pdf,
    pub(crate) bytes: Arc<Vec<u8>>,
    /// Whether the file says that something of it is encrypted.
    pub(crate) was_protected: bool,
}

impl Opened {
    /// Whether the file can be handed on, and what it holds besides its pages. `paper` is what it is printed on.
    pub(crate) fn audit(&self, paper: Paper) -> Audit {
        let mut audit = audit::audit(&self.pdf);
        audit.must_copy |= self.was_protected
            || !structure::is_sound(&self.bytes)
            || self.pdf.pages().iter().any(|page| cut::is_cut(page, paper));
        audit
    }
}

/// Parses a PDF and refuses one that can't be faxed in full. Nothing is drawn.
///
/// A file whose user password is empty opens, as it does in every viewer.
///
/// One that was `checked` before is only parsed and counted.
pub(crate) fn open(data: Arc<Vec<u8>>, max_pages: u32, checked: bool) -> Result<Opened, Failure> {
    let opened = match Pdf::new(Arc::clone(&data)) {
        Ok(pdf) => Opened {
            pdf,
            was_protected: is_encrypted(&data),
            bytes: data,
        },
        Err(error) => match encryption::open_unencrypted_pages(&data) {
            Some((pdf, bytes)) => Opened {
                pdf,
                was_protected: true,
                bytes,
            },
            None => return Err(refuse(error, &data)),
        },
    };
    check_structure(&opened, max_pages, checked)?;
    if !checked {
        forms::check_contents(&opened.pdf)?;
    }
    Ok(opened)
}

/// Whether something of a file is encrypted. The entry stands in the trailer, which is never compressed.
fn is_encrypted(data: &[u8]) -> bool {
    memchr::memmem::find(data, b"/Encrypt").is_some()
}

fn check_structure(opened: &Opened, max_pages: u32, checked: bool) -> Result<(), Failure> {
    let pdf = &opened.pdf;
    if is_cut_off(&opened.bytes) {
        return Err(broken(
            "The PDF is incomplete: its end is missing; send it again.",
        ));
    }
    let pages = pdf.pages();
    // Without its root the parser gathers pages in no particular order.
    let tree = copy::root(pdf).and_then(|root| root.get::<Dict<'_>>("Pages"));
    let tree =
        tree.ok_or_else(|| broken("The PDF is damaged: its list of pages can't be read; save it again."))?;
    // ISO 32000-1, 7.7.3.2; some writers leave it out.
    let declared = tree
        .get::<i32>("Count")
        .and_then(|count| usize::try_from(count).ok());
    if pages.is_empty() {
        return Err(match declared {
            Some(0) => Failure::new(
                FailureKind::Empty,
                "The PDF has no pages; send a document with content.",
            ),
            _ => broken("The PDF is damaged: none of its pages can be found; save it again."),
        });
    }
    if u32::try_from(pages.len()).map_or(true, |count| count > max_pages) {
        return Err(Failure::too_many_pages(max_pages));
    }
    // The parser leaves out pages that it can't read; faxing the rest as if it were all would be a lie.
    if declared.is_some_and(|declared| declared > pages.len()) {
        return Err(broken(
            "The PDF is damaged: some of its pages can't be read; save it again.",
        ));
    }
    let mut budget = if checked { 0 } else { CHECKED_CONTENT };
    for (index, page) in pages.iter().enumerate() {
        if !content_is_whole(page, &mut budget) {
            let number = index + 1;
            return Err(broken(&format!(
                "The PDF is damaged: page {number} can't be read; save it again."
            )));
        }
    }
    Ok(())
}

fn broken(message: &str) -> Failure {
    Failure::new(FailureKind::Broken, message)
}

fn refuse(error: LoadPdfError, data: &[u8]) -> Failure {
    match error {
        LoadPdfError::Decryption(DecryptionError::PasswordProtected) => Failure::new(
            FailureKind::Encrypted,
            "The PDF needs a password; save it without one and send it again.",
        ),
        LoadPdfError::Decryption(_) => Failure::new(
            FailureKind::Encrypted,
            "The PDF is encrypted in a way that can't be opened here; save it without protection.",
        ),
        // The second attempt of the parser, on damaged files, hides why the first one failed.
        LoadPdfError::Invalid if is_encrypted(data) => Failure::new(
            FailureKind::Encrypted,
            "The PDF is encrypted; save it without protection and send it again.",
        ),
        LoadPdfError::Invalid => broken("The file starts like a PDF but can't be read; save it again."),
    }
}

/// How far from the end of a file its last `startxref` may stand; some servers append a page of their own.
const TRAILER_WITHIN: usize = 64 * 1024;
/// The linearization dictionary is the first object (ISO 32000-1, F.3.1).
const LINEARIZED_WITHIN: usize = 1024;

/// Whether the end of the file is missing. The parser gathers what it finds without the end, and pictures or
/// fonts that were there would be missing without a word.
fn is_cut_off(data: &[u8]) -> bool {
    let tail = data
        .get(data.len().saturating_sub(TRAILER_WITHIN)..)
        .unwrap_or_default();
    if !tail.windows(9).any(|window| window == b"startxref") {
        return true;
    }
    // A linearized file has a `startxref` near its beginning as well, and says how long it is.
    let head = data.get(..LINEARIZED_WITHIN.min(data.len())).unwrap_or_default();
    let Some(at) = head.windows(11).position(|window| window == b"/Linearized") else {
        return false;
    };
    let entry = head.get(at..).unwrap_or_default();
    let entry = entry.split(|byte| *byte == b'>').next().unwrap_or_default();
    let Some(at) = entry
        .windows(3)
        .position(|window| window.starts_with(b"/L") && !window.ends_with(b"i"))
    else {
        return false;
    };
    let digits = entry
        .iter()
        .skip(at + 2)
        .skip_while(|byte| byte.is_ascii_whitespace());
    let length = digits.take_while(|byte| byte.is_ascii_digit()).take(12);
    length.fold(0u64, |length, digit| length * 10 + u64::from(digit - b'0')) > data.len() as u64
}

/// Whether a page that came out white lost what was on it: content that is cut short, or a form that can't be
/// inflated. Pictures and fonts are reported by the renderer itself.
pub(crate) fn lost_content(page: &Page<'_>) -> bool {
    if !content_is_whole(page, &mut { usize::MAX }) {
        return true;
    }
    let forms = page
        .raw()
        .get::<Dict<'_>>("Resources")
        .and_then(|all| all.get::<Dict<'_>>("XObject"));
    forms.is_some_and(|forms| {
        forms.keys().any(|key| match forms.get::<Stream<'_>>(&*key) {
            Some(form) => {
                let is_form = form
                    .dict()
                    .get::<Name<'_>>("Subtype")
                    .is_some_and(|kind| kind.as_ref() == b"Form");
                is_form && !stream_is_whole(&form, &mut { usize::MAX })
            }
            None => true,
        })
    })
}

/// The names in the content of a page, and what looks like one in strings and pictures.
fn names<'a>(page: &'a Page<'_>) -> impl Iterator<Item = &'a [u8]> {
    let content = page.page_stream().unwrap_or_default();
    let delimits = |byte: &u8| byte.is_ascii_whitespace() || b"\0()<>[]{}/%".contains(byte);
    memchr::memchr_iter(b'/', content).map(move |at| {
        let name = content.get(at + 1..).unwrap_or_default();
        let end = name.iter().position(delimits);
        name.get(..end.unwrap_or(name.len())).unwrap_or_default()
    })
}

/// Whether the content streams of a page are all there and inflate to their end. Streams beyond the budget are
/// taken on trust.
fn content_is_whole(page: &Page<'_>, budget: &mut usize) -> bool {
    let page = page.raw();
    if let Some(stream) = page.get::<Stream<'_>>("Contents") {
        return stream_is_whole(&stream, budget);
    }
    if let Some(streams) = page.get::<Array<'_>>("Contents") {
        let listed = streams.raw_iter().count();
        let mut found = 0;
        return streams.iter::<Stream<'_>>().all(|stream| {
            found += 1;
            stream_is_whole(&stream, budget)
        }) && found == listed;
    }
    // An absent or null entry is an empty page; a reference to nothing is a page that lost its content.
    page.get_ref("Contents").is_none() || matches!(page.get::<Object<'_>>("Contents"), Some(Object::Null(_)))
}

fn stream_is_whole(stream: &Stream<'_>, budget: &mut usize) -> bool {
    let data = stream.raw_data();
    if data.len() > *budget || data.is_empty() {
        return true;
    }
    *budget -= data.len();
    match stream.filters().as_slice() {
        [] => true,
        [Filter::FlateDecode] => inflate::is_whole(&data),
        _ => stream.decoded_data().is_ok(),
    }
}
