//! Received faxes.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::artifact::Artifact;
use super::ids::InboundId;
use super::provider::FaxError;

/// A fax that we received.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboundFax {
    /// Our id.
    pub id: InboundId,
    /// The provider's id: one record each, however often it is delivered.
    pub provider_id: String,
    /// Whose it is, by the called number.
    pub owner: String,
    /// Number of the sender, as given.
    pub from: Option<String>,
    /// Our number, as given.
    pub to: Option<String>,
    /// Whether it came in full.
    pub status: InboundStatus,
    /// What went wrong.
    pub error: Option<FaxError>,
    /// Pages.
    pub pages: Option<u32>,
    /// Whether the provider calls it a test.
    pub is_test: bool,
    /// The document; none when it never came or was purged.
    pub artifact: Option<Artifact>,
    /// When the document was destroyed.
    pub purged_at: Option<Timestamp>,
    /// When the provider received it.
    pub received_at: Timestamp,
    /// When we had it.
    pub created_at: Timestamp,
    /// When the document is to be destroyed.
    pub expires_at: Option<Timestamp>,
}

/// Whether a fax came in full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InboundStatus {
    /// The document is here.
    Received,
    /// The provider says that the reception failed.
    Failed,
}
