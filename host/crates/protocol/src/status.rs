//! Where a fax stands, in words of no provider.

use serde::{Deserialize, Serialize};

/// Which way a fax goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From us.
    Sent,
    /// To us.
    Received,
}

/// Where a sent fax stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SentStatus {
    /// Waiting at the provider.
    Queued,
    /// Being prepared, dialled or transmitted.
    InProgress,
    /// Every recipient got it.
    Delivered,
    /// Some recipients got it, and the provider does not say which.
    PartlyDelivered,
    /// Nobody got it.
    Failed,
    /// A word that is not in the provider's table. It never ends a fax: the provider is asked again.
    Unknown,
}

/// Where a received fax stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReceivedStatus {
    /// The provider is still receiving it.
    InProgress,
    /// It was received; the provider has a document.
    Received,
    /// The reception failed.
    Failed,
    /// A word that is not in the provider's table.
    Unknown,
}

impl SentStatus {
    /// Whether the fax will not change any more.
    #[must_use]
    pub const fn is_end(self) -> bool {
        matches!(self, Self::Delivered | Self::PartlyDelivered | Self::Failed)
    }
}
