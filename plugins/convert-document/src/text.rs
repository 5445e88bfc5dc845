//! Plain text to PDF in Courier 10 point.
//!
//! A text whose characters are all in WinAnsi uses the Courier that every PDF reader has and takes microseconds;
//! any other is shaped and embeds the parts that it needs of DejaVu Sans Mono and of the fonts of its scripts.

mod charset;
mod decode;
mod embedded;
mod fonts;
mod kind;
mod layout;
mod shape;
mod winansi;
mod write;

use crate::html;
use crate::model::{Failure, FailureKind, FontProvider, Paper, Part};
pub(crate) use decode::Decoded;
pub(crate) use decode::decode;
use embedded::Embedded;
use kind::TextKind;
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

/// The attribute of a part that names the declared encoding.
const CHARSET: &str = "charset";

/// Turns a text or a web page into a PDF of at most `max_pages` pages.
pub(crate) fn to_pdf(
    part: &Part,
    paper: Paper,
    max_pages: u32,
    library: FontProvider,
) -> Result<TextPdf, Failure> {
    let mut attributes = part.attributes.iter();
    let declared = attributes.find(|(name, _)| name == CHARSET);
    let called_text = part.media_type.starts_with("text/");
    let decoded = charset::decode(&part.data, declared.map(|(_, label)| label.as_str()), called_text)?;
    let decoded = decoded.ok_or_else(|| {
        Failure::new(
            FailureKind::Unsupported,
            "This kind of file can't be faxed; send a PDF, a picture or plain text.",
        )
    })?;
    match kind::classify(&decoded.text) {
        TextKind::Data(sentence) => Err(Failure::new(FailureKind::Unsupported, sentence)),
        TextKind::Html => html::to_pdf(decoded, paper, max_pages, library),
        TextKind::Prose => {
            let mut made = print(&decoded.text, None, paper, max_pages, library)?;
            made.notes.splice(0..0, decoded.note.map(String::from));
            Ok(made)
        }
    }
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
    library: FontProvider,
) -> Result<TextPdf, Failure> {
    let sheet = Sheet::new(paper);
    let headed = heading.map(|_| "\n".repeat(HEADING_LINES) + text);
    let pages = lay_out(headed.as_deref().unwrap_or(text), sheet.grid(), max_pages)?;
    let mut notes = Vec::new();
    let plain = pages.iter().flatten().all(|line| winansi::can_encode(&line.text));
    let pdf = if plain {
        write::pdf(&pages, &sheet, &winansi::Courier, heading)
    } else {
        let embedded = ShapedPages::new(&pages, library)
            .and_then(|shaped| Embedded::new(shaped, sheet.grid().columns))
            .ok_or_else(|| {
                Failure::new(
                    FailureKind::Unsupported,
                    "The text needs a font that could not be made; send a PDF.",
                )
            })?;
        match embedded.missing() {
            0 => {}
            1 => notes.push("One character of the text is in no font here and is shown as a box.".to_owned()),
            many => notes.push(format!(
                "{many} characters of the text are in no font here and are shown as boxes."
            )),
        }
        write::pdf(&pages, &sheet, &embedded, heading)
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
    let is_blank = |line: &layout::Line| line.text.chars().all(layout::is_blank);
    if let Some(at) = pages.iter().position(|page| page.iter().all(is_blank)) {
        return Err(Failure::new(
            FailureKind::Empty,
            format!(
                "Page {} of the text is blank; remove the form feeds or blank lines that make it, and send the text again.",
                at + 1
            ),
        ));
    }
    Ok(pages)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hayro::hayro_syntax::Pdf;

    fn try_convert(text: &[u8], paper: Paper, max_pages: u32) -> Result<TextPdf, Failure> {
        let part = Part {
            data: text.to_vec(),
            media_type: "text/plain".to_owned(),
            attributes: Vec::new(),
        };
        to_pdf(&part, paper, max_pages, &|_| None)
    }

    fn convert(text: &[u8]) -> TextPdf {
        try_convert(text, Paper::Letter, 200).unwrap()
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
    fn the_charset_of_a_part_decides() {
        let part = |label: &str, data: &[u8]| Part {
            data: data.to_vec(),
            media_type: "text/plain".to_owned(),
            attributes: vec![("charset".to_owned(), label.to_owned())],
        };
        let made = to_pdf(&part("windows-1252", b"\xdcber"), Paper::A4, 9, &|_| None).unwrap();
        assert!(
            made.pdf.windows(10).any(|bytes| bytes == b"<DC626572>"),
            "{}",
            String::from_utf8_lossy(&made.pdf)
        );
        assert!(made.notes.is_empty(), "{:?}", made.notes);
        let refused = to_pdf(&part("klingon", b"nuqneH"), Paper::A4, 9, &|_| None).unwrap_err();
        assert_eq!(refused.kind, FailureKind::Unsupported);
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
            try_convert(b" \n", Paper::A4, 9).unwrap_err().kind,
            FailureKind::Empty
        );
        assert_eq!(
            try_convert(b"\xef\xbb\xbf", Paper::A4, 9).unwrap_err().kind,
            FailureKind::Empty
        );
        for blank in [
            "a\u{c}\u{c}b".to_owned(),
            format!("a{}b", "\n".repeat(130)),
            "a\u{c}\u{2800}\u{c}b".to_owned(),
        ] {
            let refused = try_convert(blank.as_bytes(), Paper::A4, 9).unwrap_err();
            assert_eq!(refused.kind, FailureKind::Empty);
            assert!(refused.message.starts_with("Page 2"), "{}", refused.message);
        }
        let long = "x\u{c}".repeat(9) + "x";
        assert_eq!(
            try_convert(long.as_bytes(), Paper::A4, 9).unwrap_err().kind,
            FailureKind::TooManyPages
        );
        assert_eq!(
            page_count(&try_convert(long.as_bytes(), Paper::A4, 10).unwrap()),
            10
        );
    }
}
