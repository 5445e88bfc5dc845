//! Plain text to PDF: Courier 10 point, as a typewriter would.
//!
//! A text whose characters are all in WinAnsi uses the Courier that every PDF reader has and takes microseconds;
//! any other is shaped and embeds the parts that it needs of DejaVu Sans Mono and of the fonts of its scripts.

mod decode;
mod embedded;
mod layout;
mod shape;
mod shelf;
mod winansi;
mod write;

use crate::model::{Failure, FailureKind, Library, Paper};
use decode::Decoded;
pub(crate) use decode::{decode, is_text};
use embedded::Embedded;
use layout::{Grid, Pages};
use shape::ShapedPages;
pub(crate) use write::Heading;
use write::{HEADING_LINES, Sheet};

/// A text as a PDF.
#[derive(Debug)]
pub(crate) struct TextPdf {
    /// The file.
    pub(crate) pdf: Vec<u8>,
    /// Its pages.
    pub(crate) pages: usize,
    /// What the sender should know, one sentence each.
    pub(crate) notes: Vec<String>,
}

/// Turns the bytes of a text into a PDF of at most `max_pages` pages.
pub(crate) fn to_pdf(
    data: &[u8],
    paper: Paper,
    max_pages: u32,
    library: Library,
) -> Result<TextPdf, Failure> {
    let Decoded { text, note } = decode::decode(data);
    let mut made = print(&text, None, paper, max_pages, library)?;
    made.notes.splice(0..0, note.map(str::to_owned));
    Ok(made)
}

/// Characters on a line of this paper.
pub(crate) fn columns(paper: Paper) -> usize {
    Sheet::new(paper).grid().columns
}

/// Pages that a text takes below a heading.
pub(crate) fn count_pages(text: &str, paper: Paper, max_pages: u32) -> Result<usize, Failure> {
    let text = "\n".repeat(HEADING_LINES) + text;
    Ok(lay_out(&text, Sheet::new(paper).grid(), max_pages)?.len())
}

/// Prints characters, with a heading over them when there is one.
pub(crate) fn print(
    text: &str,
    heading: Heading,
    paper: Paper,
    max_pages: u32,
    library: Library,
) -> Result<TextPdf, Failure> {
    let sheet = Sheet::new(paper);
    let headed = heading.map(|_| "\n".repeat(HEADING_LINES) + text);
    let pages = lay_out(headed.as_deref().unwrap_or(text), sheet.grid(), max_pages)?;
    let mut notes = Vec::new();
    let plain = pages.iter().flatten().all(|line| winansi::holds(&line.text));
    let pdf = if plain {
        write::pdf(&pages, &sheet, &winansi::Courier, heading)
    } else {
        let face = ShapedPages::new(&pages, library)
            .and_then(|shaped| Embedded::new(shaped, sheet.grid().columns))
            .ok_or_else(|| {
                Failure::new(
                    FailureKind::Unsupported,
                    "The text needs a font that could not be made; send a PDF.",
                )
            })?;
        match face.missing() {
            0 => {}
            1 => notes.push("One character of the text is in no font here and is shown as a box.".to_owned()),
            many => notes.push(format!(
                "{many} characters of the text are in no font here and are shown as boxes."
            )),
        }
        write::pdf(&pages, &sheet, &face, heading)
    };
    Ok(TextPdf {
        pdf,
        pages: pages.len(),
        notes,
    })
}

fn lay_out(text: &str, grid: Grid, max_pages: u32) -> Result<Pages, Failure> {
    let pages = layout::lay_out(text, grid, max_pages as usize)
        .map_err(|layout::TooManyPages| Failure::too_many_pages(max_pages))?;
    if pages.is_empty() {
        return Err(Failure::new(
            FailureKind::Empty,
            "The text has nothing to print; send a document with content.",
        ));
    }
    Ok(pages)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hayro::hayro_syntax::Pdf;

    fn convert(text: &[u8]) -> TextPdf {
        to_pdf(text, Paper::Letter, 200, &|_| None).unwrap()
    }

    fn page_count(pdf: &TextPdf) -> usize {
        Pdf::new(pdf.pdf.clone()).unwrap().pages().len()
    }

    #[test]
    fn ascii_uses_the_built_in_font() {
        let made = convert(b"Hello (world) \\ \n");
        assert_eq!(page_count(&made), 1);
        assert!(made.notes.is_empty());
        assert!(made.pdf.len() < 2000, "{}", made.pdf.len());
    }

    #[test]
    fn a_full_page_is_one_page() {
        assert_eq!(page_count(&convert("line\n".repeat(57).as_bytes())), 1);
        assert_eq!(page_count(&convert("line\r\n".repeat(58).as_bytes())), 2);
        assert_eq!(page_count(&convert("line\n".repeat(570).as_bytes())), 10);
    }

    #[test]
    fn other_scripts_embed_a_subset() {
        let made = convert("Zażółć gęślą jaźń. Привет, κόσμε! ﬁ ½\n".as_bytes());
        assert_eq!(page_count(&made), 1);
        assert!(made.notes.is_empty(), "{:?}", made.notes);
        assert!((1000..60_000).contains(&made.pdf.len()), "{}", made.pdf.len());
    }

    #[test]
    fn characters_without_a_glyph_are_counted() {
        assert_eq!(convert("世界".as_bytes()).notes.len(), 1);
        assert!(convert("世界".as_bytes()).notes[0].starts_with("2 characters"));
        assert!(convert("\u{1b}[1mbold".as_bytes()).notes[0].starts_with("One character"));
    }

    #[test]
    fn refusals_have_their_kind() {
        assert_eq!(
            to_pdf(b" \n", Paper::A4, 9, &|_| None).unwrap_err().kind,
            FailureKind::Empty
        );
        assert_eq!(
            to_pdf(b"\xef\xbb\xbf", Paper::A4, 9, &|_| None).unwrap_err().kind,
            FailureKind::Empty
        );
        let long = "x\u{c}".repeat(9) + "x";
        assert_eq!(
            to_pdf(long.as_bytes(), Paper::A4, 9, &|_| None).unwrap_err().kind,
            FailureKind::TooManyPages
        );
        assert_eq!(
            page_count(&to_pdf(long.as_bytes(), Paper::A4, 10, &|_| None).unwrap()),
            10
        );
    }
}
