//! Why a fax failed, in classes of no provider.

use serde::{Deserialize, Serialize};

/// What kind of failure it was, which decides whether another fax may follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureClass {
    /// The line was busy.
    Busy,
    /// Nobody answered.
    NoAnswer,
    /// The call could not be made or broke off; pages may have been printed.
    Line,
    /// The machines did not understand each other; pages may have been printed.
    Fax,
    /// The number takes no faxes, now or ever: another fax to it is in vain.
    Number,
    /// The provider could not fetch the document from us: nothing was sent.
    Fetch,
    /// The document could not be converted.
    Document,
    /// Cancelled, by its sender or by a limit of time.
    Cancelled,
    /// Whatever else, the provider's account among it.
    Other,
}

impl FailureClass {
    /// Every class.
    pub const EVERY: [Self; 9] = [
        Self::Busy,
        Self::NoAnswer,
        Self::Line,
        Self::Fax,
        Self::Number,
        Self::Fetch,
        Self::Document,
        Self::Cancelled,
        Self::Other,
    ];

    /// The classes that an operator may let another fax follow; after the others it is in vain or not wanted.
    pub const RETRYABLE: [(&'static str, Self); 4] = [
        ("busy", Self::Busy),
        ("no_answer", Self::NoAnswer),
        ("line", Self::Line),
        ("fax", Self::Fax),
    ];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::NoAnswer => "no_answer",
            Self::Line => "line",
            Self::Fax => "fax",
            Self::Number => "number",
            Self::Fetch => "fetch",
            Self::Document => "document",
            Self::Cancelled => "cancelled",
            Self::Other => "other",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_is_the_stored_spelling() {
        for class in FailureClass::EVERY {
            let stored = serde_json::to_string(&class).expect("a word");
            assert_eq!(stored, format!("\"{}\"", class.as_str()));
        }
        for (word, class) in FailureClass::RETRYABLE {
            assert_eq!(word, class.as_str());
        }
    }
}
