//! The provider's status words, for sent and for received faxes: one table that drives every reader and writer.
//!
//! `QUEUED`, `IN_PROGRESS`, `COMPLETED` and `FAILURE` are documented. `PENDING` and `FAILED` are read as well, since
//! integrations know them; other words of third parties (`SUCCESS`, `DELIVERED`, `EXPIRED`) were never recorded and
//! are unknown: an unknown word never ends a fax. A fax has one recipient, so that there is no partial success.

use crate::status::{Direction, ReceivedStatus, SentStatus};

/// A status word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StatusWord {
    /// `QUEUED`
    Queued,
    /// `IN_PROGRESS`
    InProgress,
    /// `PENDING`
    Pending,
    /// `COMPLETED`
    Completed,
    /// `FAILURE`
    Failure,
    /// `FAILED`
    Failed,
}

impl StatusWord {
    /// Every word.
    pub const EVERY: [Self; 6] = [
        Self::Queued,
        Self::InProgress,
        Self::Pending,
        Self::Completed,
        Self::Failure,
        Self::Failed,
    ];

    /// Reads a word in any case; none for one that is not in the table.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        Self::EVERY
            .into_iter()
            .find(|word| word.as_str().eq_ignore_ascii_case(text))
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

    /// The table: spelling on the wire, meaning for a sent fax, meaning for a received fax.
    const fn row(self) -> (&'static str, SentStatus, ReceivedStatus) {
        use ReceivedStatus as R;
        use SentStatus as S;
        match self {
            Self::Queued => ("QUEUED", S::Queued, R::InProgress),
            Self::InProgress => ("IN_PROGRESS", S::InProgress, R::InProgress),
            Self::Pending => ("PENDING", S::InProgress, R::InProgress),
            Self::Completed => ("COMPLETED", S::Delivered, R::Received),
            Self::Failure => ("FAILURE", S::Failed, R::Failed),
            Self::Failed => ("FAILED", S::Failed, R::Failed),
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
    [Direction::Sent, Direction::Received]
        .into_iter()
        .find(|way| direction_word(*way).eq_ignore_ascii_case(text.trim()))
}

/// The spelling of a direction on the wire.
#[must_use]
pub const fn direction_word(direction: Direction) -> &'static str {
    match direction {
        Direction::Sent => "OUTBOUND",
        Direction::Received => "INBOUND",
    }
}

/// Which of several faxes of one job is adopted: the highest. One that may have delivered pages counts more than one
/// that still can, and that more than one that did not.
#[must_use]
pub const fn adoption_rank(status: SentStatus) -> u8 {
    match status {
        SentStatus::Delivered | SentStatus::PartlyDelivered => 4,
        SentStatus::InProgress => 3,
        SentStatus::Queued => 2,
        SentStatus::Unknown => 1,
        SentStatus::Failed => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_in_both_directions() {
        use ReceivedStatus as R;
        use SentStatus as S;
        for (text, for_sent, for_received) in [
            ("QUEUED", S::Queued, R::InProgress),
            ("IN_PROGRESS", S::InProgress, R::InProgress),
            ("PENDING", S::InProgress, R::InProgress),
            ("COMPLETED", S::Delivered, R::Received),
            ("completed", S::Delivered, R::Received),
            ("FAILURE", S::Failed, R::Failed),
            ("FAILED", S::Failed, R::Failed),
            ("SUCCESS", S::Unknown, R::Unknown),
            ("DELIVERED", S::Unknown, R::Unknown),
            ("TELEPORTING", S::Unknown, R::Unknown),
            ("", S::Unknown, R::Unknown),
        ] {
            assert_eq!(sent(text), for_sent, "{text}");
            assert_eq!(received(text), for_received, "{text}");
        }
        for word in StatusWord::EVERY {
            assert_eq!(StatusWord::parse(word.as_str()), Some(word));
        }
    }

    #[test]
    fn directions_are_read_and_written() {
        for way in [Direction::Sent, Direction::Received] {
            assert_eq!(direction(direction_word(way)), Some(way));
        }
        assert_eq!(direction("sent"), None);
    }
}
