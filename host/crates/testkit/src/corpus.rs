//! Documents of every kind, made here, each with what has to come of it: pages, words, ink, or the class of refusal.

pub mod case;
pub mod content;
pub mod pdfs;
pub mod pictures;
pub mod refusals;
pub mod texts;
pub mod writer;

pub use case::{Case, Expect, Ink};

/// All of them.
#[must_use]
pub fn every_case() -> Vec<Case> {
    let mut all = texts::cases();
    all.extend(pictures::cases());
    all.extend(pdfs::cases());
    all.extend(content::cases());
    all.extend(refusals::cases());
    all
}

/// Those that become a fax of one page.
#[must_use]
pub fn single_pages() -> Vec<Case> {
    let mut all = every_case();
    all.retain(|case| matches!(case.expect, Expect::Fax { pages: 1, .. }));
    all
}
