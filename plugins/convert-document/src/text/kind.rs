//! What a text is: something that somebody wrote to be read, a web page, or data that would be printed as its source.
//!
//! Data is told by its structure and not by single words: a letter about PDF may name `%PDF`.

mod encoded;
mod mail;
mod markup;
mod page_description;
mod printer;
#[cfg(test)]
mod tests;

pub(super) use markup::is_html;

/// What a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TextKind {
    /// To be printed as it stands.
    Prose,
    /// The source of a web page.
    Html,
    /// Data, with the sentence for its sender.
    Data(&'static str),
}

const PDF: &str = "This is the source of a PDF that lost its beginning or has other text before it; save the PDF again \
     and send that.";
const POSTSCRIPT: &str = "A PostScript document can't be faxed; save it as a PDF and send that.";
const PRINTER: &str = "This is data for a printer (PCL, PJL, ESC/P, HP-GL or the like); print the document to a PDF and \
     send that.";
const RTF: &str = "An RTF document can't be faxed; save it as a PDF and send that.";
const SVG: &str = "An SVG picture can't be faxed; save it as PNG or PDF and send that.";
const XML: &str = "An XML document can't be faxed; print it to a PDF and send that.";
const MAIL: &str = "This is the source of a mail or of a form with its headers; send its text or its attachment as a \
     file of its own.";
const BASE64: &str = "This is a file in base64 or a similar encoding; decode it and send the file itself.";
const QUOTED_PRINTABLE: &str = "This text is in quoted-printable encoding; decode it and send that.";

/// Tells what a text is.
pub(super) fn classify(text: &str) -> TextKind {
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '\u{feff}' | '\u{4}'));
    if is_html(text) {
        return TextKind::Html;
    }
    let data: [(fn(&str) -> bool, &'static str); 9] = [
        (printer::is_printer_data, PRINTER),
        (page_description::is_pdf, PDF),
        (page_description::is_postscript, POSTSCRIPT),
        (page_description::is_rtf, RTF),
        (markup::is_svg, SVG),
        (markup::is_xml, XML),
        (mail::is_mail, MAIL),
        (encoded::is_blob, BASE64),
        (encoded::is_quoted_printable, QUOTED_PRINTABLE),
    ];
    data.into_iter()
        .find_map(|(is_data, sentence)| is_data(text).then_some(TextKind::Data(sentence)))
        .unwrap_or(TextKind::Prose)
}

/// The lines of a text, whatever ends them.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split(['\n', '\r'])
}

/// The rest of a text that begins with these letters in whatever case.
fn after<'t>(text: &'t str, start: &str) -> Option<&'t str> {
    let (head, rest) = text.split_at_checked(start.len())?;
    head.eq_ignore_ascii_case(start).then_some(rest)
}
