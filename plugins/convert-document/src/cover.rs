//! Cover page: sender, recipient, subject, message and number of pages.

use crate::model::{Failure, FailureKind, FontProvider, Paper, Part};
use crate::text::{self, TextPdf};

/// The media type by which the gateway hands one over.
pub(crate) const MEDIA_TYPE: &str = "application/vnd.faxgate.cover";

/// Draws a cover page: the lines are attributes of the part, the message is its content.
pub(crate) fn to_pdf(
    part: &Part,
    paper: Paper,
    max_pages: u32,
    library: FontProvider,
) -> Result<TextPdf, Failure> {
    let message = text::decode(&part.data).text;
    let line = |name: &str| {
        let mut all = part.attributes.iter();
        all.find(|(key, _)| key == name)
            .map(|(_, value)| value.trim())
            .filter(|value| !value.is_empty())
    };
    let mut head = String::new();
    for (label, name) in [
        ("To", "to"),
        ("From", "from"),
        ("Subject", "subject"),
        ("Date", "date"),
    ] {
        if let Some(value) = line(name) {
            head.push_str(&format!("{:<10}{value}\n\n", format!("{label}:")));
        }
    }
    let after: usize = line("pages-after")
        .and_then(|count| count.parse().ok())
        .unwrap_or(0);
    let compose = |pages: usize| format!("{head}{:<10}{pages}\n\n\n{message}", "Pages:");
    if head.is_empty() && message.trim().is_empty() {
        return Err(Failure::new(
            FailureKind::Empty,
            "The cover page has nothing on it; fill in a line or leave it out.",
        ));
    }
    // The number takes a line of its own, so it does not change how many pages there are.
    let own = text::count_pages(&compose(after + 1), paper, max_pages)?;
    text::print(&compose(after + own), Some("FAX"), paper, max_pages, library)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(lines: &[(&str, &str)], message: &str) -> Part {
        Part {
            data: message.as_bytes().to_vec(),
            media_type: MEDIA_TYPE.to_owned(),
            attributes: lines
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        }
    }

    #[test]
    fn a_cover_page_counts_itself() {
        let short = part(&[("to", "Dr. Gray"), ("pages-after", "3")], "Please call.");
        let made = to_pdf(&short, Paper::Letter, 200, &|_| None).unwrap();
        assert_eq!(made.pages, 1);
        let content = String::from_utf8_lossy(&made.pdf).into_owned();
        assert!(
            content.contains("(To:       Dr. Gray)") && content.contains("(Pages:    4)"),
            "{content}"
        );
        let long = part(&[("to", "x"), ("pages-after", "3")], &"line\n".repeat(60));
        assert_eq!(to_pdf(&long, Paper::Letter, 200, &|_| None).unwrap().pages, 2);
    }

    #[test]
    fn an_empty_one_is_refused() {
        let refused = to_pdf(&part(&[("pages-after", "3")], " "), Paper::A4, 200, &|_| None);
        assert_eq!(refused.unwrap_err().kind, FailureKind::Empty);
    }
}
