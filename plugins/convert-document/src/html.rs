//! Web pages as text: parsed by html5ever, laid out by html2text, printed like any text.
//!
//! Words, headings, lists and tables are kept; the layout is not, and a note tells the sender.

use crate::model::{Failure, FailureKind, FontProvider, Paper};
use crate::text::{self, Decoded, TextPdf};

/// Bytes of markup: far more than anybody reads on paper.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// Prints a web page as text.
pub(crate) fn to_pdf(
    page: Decoded<'_>,
    paper: Paper,
    max_pages: u32,
    library: FontProvider,
) -> Result<TextPdf, Failure> {
    if page.text.len() > MAX_BYTES {
        return Err(Failure::new(
            FailureKind::TooLarge,
            "The web page is too large; print it to a PDF and send that.",
        ));
    }
    let text = html2text::config::plain()
        .string_from_read(page.text.as_bytes(), text::columns(paper))
        .map_err(|_| {
            Failure::new(
                FailureKind::Broken,
                "The web page can't be laid out as text; print it to a PDF and send that.",
            )
        })?;
    if text.trim().is_empty() {
        return Err(Failure::new(
            FailureKind::Empty,
            "The web page has no text; print it to a PDF and send that.",
        ));
    }
    let mut made = text::print(&text, None, paper, max_pages, library)?;
    let pictures = count_pictures(&page.text);
    let mut notes = vec!["The web page is faxed as text; to keep its looks, print it to a PDF.".to_owned()];
    match pictures {
        0 => {}
        1 => notes.push("One picture of the web page is left out.".to_owned()),
        many => notes.push(format!("{many} pictures of the web page are left out.")),
    }
    notes.extend(page.note.map(String::from));
    made.notes.splice(0..0, notes);
    Ok(made)
}

/// Pictures that are not faxed.
fn count_pictures(markup: &str) -> usize {
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

    fn convert(page: &str) -> Result<TextPdf, Failure> {
        to_pdf(text::decode(page.as_bytes()), Paper::Letter, 10, &|_| None)
    }

    #[test]
    fn what_a_page_says_is_printed() {
        let page = "<!doctype html><title>x</title><h1>Order</h1><p>Two <b>boxes</b> &amp; a lid<img src=a.png>\
            <table><tr><td>one</td><td>two</td></tr></table><script>var hidden;</script>";
        let made = convert(page).unwrap();
        assert_eq!((made.pages, made.notes.len()), (1, 2));
        assert!(made.notes[1].starts_with("One picture"), "{:?}", made.notes);
    }

    #[test]
    fn nothing_to_read_is_refused() {
        for page in [
            "<html></html>",
            "<html><script>document.write('x')</script></html>",
        ] {
            assert_eq!(convert(page).unwrap_err().kind, FailureKind::Empty);
        }
    }
}
