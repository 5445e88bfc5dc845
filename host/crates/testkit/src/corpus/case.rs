//! What a case of the corpus is.

use faxgate_domain::document::DocumentErrorKind;

/// A document and what has to come of it.
pub struct Case {
    /// Shown when it fails.
    pub name: String,
    /// The file.
    pub bytes: Vec<u8>,
    /// The outcome that is right.
    pub expect: Expect,
}

/// What has to come of a document.
pub enum Expect {
    /// It becomes a fax.
    Fax {
        /// Exactly so many.
        pages: u32,
        /// Words to be found again, in this order.
        words: Vec<String>,
        /// How much ink is right.
        ink: Ink,
        /// Words that must not be in the file handed on.
        without: Vec<&'static str>,
    },
    /// It is refused in this class.
    Refused(DocumentErrorKind),
}

/// What is asked of the ink on each page.
#[derive(Clone, Copy, PartialEq)]
pub enum Ink {
    /// At most this many times more or less than Ghostscript's.
    Near(f64),
    /// Some on every page.
    Some,
}

impl Case {
    /// One that becomes a fax of `pages` pages with these words and about as much ink as Ghostscript finds.
    pub fn fax(name: impl Into<String>, bytes: impl Into<Vec<u8>>, pages: u32, words: &[&str]) -> Self {
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

    /// One that is refused in this class.
    pub fn refused(name: impl Into<String>, bytes: impl Into<Vec<u8>>, kind: DocumentErrorKind) -> Self {
        Self {
            name: name.into(),
            bytes: bytes.into(),
            expect: Expect::Refused(kind),
        }
    }

    /// The same document, refused.
    pub fn but_refused(mut self, kind: DocumentErrorKind) -> Self {
        self.expect = Expect::Refused(kind);
        self
    }

    /// With another expectation of the ink.
    pub fn ink(mut self, wanted: Ink) -> Self {
        if let Expect::Fax { ink, .. } = &mut self.expect {
            *ink = wanted;
        }
        self
    }

    /// With words that must not be in the file handed on.
    pub fn without(mut self, words: &[&'static str]) -> Self {
        if let Expect::Fax { without, .. } = &mut self.expect {
            without.extend(words);
        }
        self
    }
}
