//! What a case of the corpus is.

use faxgate_domain::document::DocumentErrorKind;

/// A document and what has to come of it.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) expect: Expect,
}

/// What has to come of a document.
pub(crate) enum Expect {
    /// It becomes a fax.
    Fax {
        pages: u32,
        /// Words to be found again, in this order.
        words: Vec<String>,
        ink: Ink,
        /// Words that must not be in the file handed on.
        without: Vec<&'static str>,
    },
    /// It is refused in this class.
    Refused(DocumentErrorKind),
}

/// What is asked of the ink on each page.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Ink {
    /// At most this many times more or less than Ghostscript's.
    Near(f64),
    /// Some on every page.
    Some,
    /// None: the page is meant to be white.
    None,
}

impl Case {
    pub(crate) fn fax(
        name: impl Into<String>,
        bytes: impl Into<Vec<u8>>,
        pages: u32,
        words: &[&str],
    ) -> Self {
        Self {
            name: name.into(),
            bytes: bytes.into(),
            expect: Expect::Fax {
                pages,
                words: words.iter().map(|word| (*word).to_owned()).collect(),
                ink: Ink::Near(1.5),
                without: Vec::new(),
            },
        }
    }

    pub(crate) fn refused(
        name: impl Into<String>,
        bytes: impl Into<Vec<u8>>,
        kind: DocumentErrorKind,
    ) -> Self {
        Self {
            name: name.into(),
            bytes: bytes.into(),
            expect: Expect::Refused(kind),
        }
    }

    pub(crate) fn ink(mut self, wanted: Ink) -> Self {
        if let Expect::Fax { ink, .. } = &mut self.expect {
            *ink = wanted;
        }
        self
    }

    pub(crate) fn without(mut self, words: &[&'static str]) -> Self {
        if let Expect::Fax { without, .. } = &mut self.expect {
            without.extend(words);
        }
        self
    }
}
