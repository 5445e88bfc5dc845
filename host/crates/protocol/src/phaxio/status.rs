//! The provider's status words, for sent and for received faxes: one table that drives every reader and writer.
//!
//! Words of the vendor's status page: `queued`, `pendingbatch`, `inprogress`, `success`, `failure`,
//! `partialsuccess`; recipients add `ringing`, `callactive`, `willretry`. There is no word for a cancelled fax: it
//! ends as `failure` with error 75 or 76. Case and the separators `_`, `-` and blank do not count, so that
//! `in_progress` is `inprogress`.
//!
//! # A received fax that is `partialsuccess`
//!
//! The vendor documents only `success` and `failure` for a received fax, and `partialsuccess` as "some recipients
//! got it". A received fax has one recipient, the called number, so that "some" can only be that one: the fax counts
//! as received and its document is fetched, unless the recipients in the object all say `failure`. The error that
//! comes with it is kept. The other reading would let pages that arrived be lost in silence; a reception that
//! brought nothing has a word of its own, `failure`.

use crate::status::{Direction, ReceivedStatus, SentStatus};

/// A status word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StatusWord {
    /// `queued`
    Queued,
    /// `pendingbatch`: waits for further faxes to the same number.
    PendingBatch,
    /// `inprogress`
    InProgress,
    /// `ringing` (of a recipient)
    Ringing,
    /// `callactive` (of a recipient)
    CallActive,
    /// `willretry` (of a recipient)
    WillRetry,
    /// `success`
    Success,
    /// `partialsuccess`
    PartialSuccess,
    /// `failure`
    Failure,
}

/// Spelling on the wire, meaning for a sent fax, meaning for a received fax.
type Row = (&'static str, SentStatus, ReceivedStatus);

impl StatusWord {
    /// Every word.
    pub const EVERY: [Self; 9] = [
        Self::Queued,
        Self::PendingBatch,
        Self::InProgress,
        Self::Ringing,
        Self::CallActive,
        Self::WillRetry,
        Self::Success,
        Self::PartialSuccess,
        Self::Failure,
    ];

    /// Reads a word; none for one that is not in the table.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let letters = || {
            text.trim()
                .bytes()
                .filter(|byte| !matches!(byte, b'_' | b'-' | b' '))
                .map(|byte| byte.to_ascii_lowercase())
        };
        Self::EVERY
            .into_iter()
            .find(|word| letters().eq(word.as_str().bytes()))
    }

    /// The spelling on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.row().0
    }

    /// What it means for a sent fax.
    #[must_use]
    pub const fn sent(self) -> SentStatus {
        self.row().1
    }

    /// What it means for a received fax.
    #[must_use]
    pub const fn received(self) -> ReceivedStatus {
        self.row().2
    }

    /// The table.
    const fn row(self) -> Row {
        use ReceivedStatus as R;
        use SentStatus as S;
        match self {
            Self::Queued => ("queued", S::Queued, R::InProgress),
            Self::PendingBatch => ("pendingbatch", S::Queued, R::InProgress),
            Self::InProgress => ("inprogress", S::InProgress, R::InProgress),
            Self::Ringing => ("ringing", S::InProgress, R::InProgress),
            Self::CallActive => ("callactive", S::InProgress, R::InProgress),
            Self::WillRetry => ("willretry", S::InProgress, R::InProgress),
            Self::Success => ("success", S::Delivered, R::Received),
            Self::PartialSuccess => ("partialsuccess", S::PartlyDelivered, R::Received),
            Self::Failure => ("failure", S::Failed, R::Failed),
        }
    }
}

/// What `text` means for a sent fax.
#[must_use]
pub fn sent(text: &str) -> SentStatus {
    StatusWord::parse(text).map_or(SentStatus::Unknown, StatusWord::sent)
}

/// What `text` means for a received fax.
#[must_use]
pub fn received(text: &str) -> ReceivedStatus {
    StatusWord::parse(text).map_or(ReceivedStatus::Unknown, StatusWord::received)
}

/// The provider's word for a direction, in any case.
#[must_use]
pub fn direction(text: &str) -> Option<Direction> {
    match text.trim().to_ascii_lowercase().as_str() {
        "sent" => Some(Direction::Sent),
        "received" => Some(Direction::Received),
        _ => None,
    }
}

/// The spelling of a direction on the wire.
#[must_use]
pub const fn direction_word(direction: Direction) -> &'static str {
    match direction {
        Direction::Sent => "sent",
        Direction::Received => "received",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_read_back() {
        for word in StatusWord::EVERY {
            assert_eq!(StatusWord::parse(word.as_str()), Some(word));
            assert_eq!(StatusWord::parse(&word.as_str().to_uppercase()), Some(word));
        }
    }

    #[test]
    fn spelling_does_not_count_and_foreign_words_are_unknown() {
        for text in [
            "inprogress",
            "in_progress",
            "In_Progress",
            "in-progress",
            " IN PROGRESS ",
        ] {
            assert_eq!(StatusWord::parse(text), Some(StatusWord::InProgress), "{text}");
        }
        assert_eq!(
            StatusWord::parse("partial_success"),
            Some(StatusWord::PartialSuccess)
        );
        for text in ["", "canceled", "archived", "successful", "null"] {
            assert_eq!(sent(text), SentStatus::Unknown, "{text}");
            assert_eq!(received(text), ReceivedStatus::Unknown, "{text}");
        }
    }

    #[test]
    fn directions_are_read_and_written() {
        for way in [Direction::Sent, Direction::Received] {
            assert_eq!(direction(direction_word(way)), Some(way));
        }
        assert_eq!(direction(" Received"), Some(Direction::Received));
        assert_eq!(direction("inbound"), None);
    }
}
