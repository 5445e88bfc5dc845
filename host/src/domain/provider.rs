//! What the provider says about a fax, in words of no particular provider.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Where a sent fax stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProviderStatus {
    /// Waiting there.
    Queued,
    /// Being prepared, dialled or transmitted.
    InProgress,
    /// The recipient got it.
    Delivered,
    /// Some recipients got it: looked at again, since a fax of ours has one.
    PartlyDelivered,
    /// Nobody got it.
    Failed,
    /// A word nobody here knows: the provider is asked again.
    Unknown,
}

/// News of a sent fax, from a callback or from asking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusUpdate {
    /// The provider's id of the fax.
    pub provider_id: String,
    /// The job that the news proves to be about: named by a tag of the fax or by a signed address.
    pub job: Option<super::ids::JobId>,
    /// The state.
    pub status: ProviderStatus,
    /// The provider's own word.
    pub provider_status: String,
    /// News under way, for example `transmitting_page`.
    pub in_flight: Option<String>,
    /// Pages, once known.
    pub pages: Option<u32>,
    /// Cost in US cents.
    pub cost_cents: Option<i64>,
    /// What went wrong.
    pub error: Option<FaxError>,
    /// When it ended.
    pub completed_at: Option<Timestamp>,
    /// Further facts for the timeline.
    pub facts: Vec<(String, String)>,
}

/// Why a fax failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaxError {
    /// Class: the provider's (`lineError`) or ours (`cancelled`, `deadline`, `rejected`).
    pub error_type: String,
    /// The provider's number for it.
    pub error_id: Option<i64>,
    /// Words for people.
    pub message: String,
}

/// Line errors that mean that nobody answered or the line was busy (the provider's error table): no page was
/// printed, and later somebody may answer. All others are not worth another fax, or might print pages twice.
const NOBODY_THERE: [i64; 10] = [16, 17, 30, 35, 39, 87, 90, 94, 112, 118];

impl FaxError {
    /// Whether another fax may succeed and can't double a page.
    #[must_use]
    pub fn nobody_there(&self) -> bool {
        self.error_type == "lineError" && self.error_id.is_some_and(|id| NOBODY_THERE.contains(&id))
    }
}

/// A fax that somebody sent to us, as announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedFax {
    /// The provider's id of the fax.
    pub provider_id: String,
    /// Number of the sender.
    pub sender: Option<String>,
    /// Our number.
    pub called: Option<String>,
    /// Whether it was received in full.
    pub success: bool,
    /// Pages according to the provider.
    pub pages: Option<u32>,
    /// When it was received.
    pub received_at: Option<Timestamp>,
    /// Which file of the delivery is the document, counted from 0; none when it has to be fetched.
    pub document: Option<usize>,
    /// What went wrong.
    pub error: Option<FaxError>,
    /// Whether this is a test fax.
    pub is_test: bool,
}

/// What a callback policy makes of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Genuine; these things happened.
    Accept(Vec<CallbackEvent>),
    /// Genuine but nothing to do.
    Ignore(String),
    /// Not to be believed.
    Reject(String),
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallbackEvent {
    /// A sent fax moved.
    Status(Box<StatusUpdate>),
    /// A fax arrived.
    Received(Box<ReceivedFax>),
}
