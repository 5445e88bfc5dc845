//! Web pages as text: parsed by html5ever, laid out by html2text, printed like any text.
//!
//! What a page says is kept, with its headings, lists and tables; what it looks like is not, and the sender is told.

use crate::model::{Failure, FailureKind, Library, Paper};
use crate::text::{self, TextPdf};

/// Bytes of markup: far more than anybody reads on paper.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// Whether a text is the source of a web page.
pub(crate) fn is_html(data: &[u8]) -> bool {
    let data = data
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(data)
        .trim_ascii_start();
    let starts = |mark: &[u8]| {
        data.get(..mark.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(mark))
    };
    starts(b"<!doctype html") || starts(b"<html")
}

/// Prints a web page as text.
pub(crate) fn to_pdf(
    data: &[u8],
    paper: Paper,
    max_pages: u32,
    library: Library,
) -> Result<TextPdf, Failure> {
    if data.len() > MAX_BYTES {
        return Err(Failure::new(
            FailureKind::TooLarge,
            "The web page is too large; print it to a PDF and send that.",
        ));
    }
    let decoded = text::decode(data);
    let said = html2text::config::plain()
        .string_from_read(decoded.text.as_bytes(), text::columns(paper))
        .map_err(|_| {
            Failure::new(
                FailureKind::Broken,
                "The web page can't be laid out as text; print it to a PDF and send that.",
            )
        })?;
    if said.trim().is_empty() {
        return Err(Failure::new(
            FailureKind::Empty,
            "The web page has no text; print it to a PDF and send that.",
        ));
    }
    let mut made = text::print(&said, None, paper, max_pages, library)?;
    let pictures = pictures(&decoded.text);
    let mut notes = vec!["The web page is faxed as text; to keep its looks, print it to a PDF.".to_owned()];
    match pictures {
        0 => {}
        1 => notes.push("One picture of the web page is left out.".to_owned()),
        many => notes.push(format!("{many} pictures of the web page are left out.")),
    }
    notes.extend(decoded.note.map(str::to_owned));
    made.notes.splice(0..0, notes);
    Ok(made)
}

/// Pictures that are not faxed.
fn pictures(markup: &str) -> usize {
    let bytes = markup.as_bytes();
    let starts = memchr::memchr_iter(b'<', bytes);
    starts
        .filter(|at| {
            ["img", "svg", "canvas", "video", "picture"].iter().any(|name| {
                let tag = bytes.get(at + 1..at + 1 + name.len());
                let next = bytes.get(at + 1 + name.len());
                tag.is_some_and(|tag| tag.eq_ignore_ascii_case(name.as_bytes()))
                    && next.is_some_and(|next| !next.is_ascii_alphanumeric())
            })
        })
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_page_says_is_printed() {
        let page =
            b"<!doctype html><title>x</title><h1>Order</h1><p>Two <b>boxes</b> &amp; a lid<img src=a.png>\
            <table><tr><td>one</td><td>two</td></tr></table><script>var hidden;</script>";
        assert!(is_html(page));
        let made = to_pdf(page, Paper::Letter, 10, &|_| None).unwrap();
        assert_eq!((made.pages, made.notes.len()), (1, 2));
        assert!(made.notes[1].starts_with("One picture"), "{:?}", made.notes);
    }

    #[test]
    fn nothing_to_read_is_refused() {
        for page in [
            "<html></html>",
            "<html><script>document.write('x')</script></html>",
        ] {
            let refused = to_pdf(page.as_bytes(), Paper::A4, 10, &|_| None);
            assert_eq!(refused.unwrap_err().kind, FailureKind::Empty);
        }
    }
}
