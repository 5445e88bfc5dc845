//! The documents of the tests that become a fax.

#[path = "../../tests/corpus/case.rs"]
mod case;
#[path = "../../tests/corpus/content.rs"]
mod content;
#[path = "../../tests/harness/documents.rs"]
mod documents;
#[path = "../../tests/corpus/pdfs.rs"]
mod pdfs;
#[path = "../../tests/corpus/pictures.rs"]
mod pictures;
#[path = "../../tests/corpus/texts.rs"]
mod texts;
#[path = "../../tests/corpus/writer.rs"]
mod writer;

pub(crate) use case::{Case, Expect, Ink};

/// Those of one page.
pub(crate) fn single_pages() -> Vec<Case> {
    let mut all = texts::cases();
    all.extend(pictures::cases());
    all.extend(pdfs::cases());
    all.extend(content::cases());
    all.retain(|case| matches!(case.expect, Expect::Fax { pages: 1, .. }));
    all
}
