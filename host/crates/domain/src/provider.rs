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

impl ProviderStatus {
    /// Whether the fax will not change any more.
    #[must_use]
    pub const fn is_end(self) -> bool {
        matches!(self, Self::Delivered | Self::PartlyDelivered | Self::Failed)
    }
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
    /// The type: the provider's or ours.
    pub error_type: ErrorType,
    /// The provider's number for it.
    pub error_id: Option<i64>,
    /// Words for people.
    pub message: String,
}

/// The type of an error, as clients see it in `error_type`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum ErrorType {
    /// The provider could not convert the document, or not fetch it.
    DocumentConversion,
    /// The call failed.
    Line,
    /// The fax machines did not understand each other.
    Fax,
    /// A fault inside the provider.
    Fatal,
    /// Any other error of the provider.
    General,
    /// The provider refused the request.
    Rejected,
    /// Cancelled by its sender.
    Cancelled,
    /// No end was known at the deadline, and nothing shows that the document was fetched.
    Deadline,
    /// The document was fetched, and no end was known at the deadline.
    Unresolved,
    /// The provider reported failure without a type.
    Unknown,
    /// A word of the provider's that is not listed here.
    Other(String),
}

impl ErrorType {
    /// Every type but [`ErrorType::Other`].
    pub const KNOWN: [Self; 10] = [
        Self::DocumentConversion,
        Self::Line,
        Self::Fax,
        Self::Fatal,
        Self::General,
        Self::Rejected,
        Self::Cancelled,
        Self::Deadline,
        Self::Unresolved,
        Self::Unknown,
    ];

    /// The word for it, part of the contract.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Other(word) => word,
            known => known.known().unwrap_or_default(),
        }
    }

    /// The word for it, none for [`ErrorType::Other`]: a set that does not grow, for labels of metrics.
    #[must_use]
    pub const fn known(&self) -> Option<&'static str> {
        Some(match self {
            Self::DocumentConversion => "documentConversionError",
            Self::Line => "lineError",
            Self::Fax => "faxError",
            Self::Fatal => "fatalError",
            Self::General => "generalError",
            Self::Rejected => "rejected",
            Self::Cancelled => "cancelled",
            Self::Deadline => "deadline",
            Self::Unresolved => "unresolved",
            Self::Unknown => "unknown",
            Self::Other(_) => return None,
        })
    }
}

impl From<String> for ErrorType {
    fn from(word: String) -> Self {
        let known = Self::KNOWN.into_iter().find(|known| known.known() == Some(&word));
        known.unwrap_or(Self::Other(word))
    }
}

impl From<&str> for ErrorType {
    fn from(word: &str) -> Self {
        Self::from(word.to_owned())
    }
}

impl From<ErrorType> for String {
    fn from(error_type: ErrorType) -> Self {
        error_type.as_str().to_owned()
    }
}

impl std::fmt::Display for ErrorType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How a status update reached us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventSource {
    /// The provider called us.
    Callback,
    /// We asked the provider.
    Poll,
}

impl EventSource {
    /// The word for it in timelines.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Callback => "callback",
            Self::Poll => "poll",
        }
    }
}

impl std::fmt::Display for EventSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

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

/// The provider's error table, as far as it is known by more than one source; where sources differ the stricter one
/// counts. What is not here belongs to the class of its type.
const KNOWN: [(FailureClass, FailureClass, &[i64]); 6] = [
    (FailureClass::Line, FailureClass::Busy, &[17, 35, 90, 118]),
    (
        FailureClass::Line,
        FailureClass::NoAnswer,
        &[16, 30, 39, 87, 94, 112],
    ),
    (
        FailureClass::Line,
        FailureClass::Number,
        &[
            32, 34, 47, 49, 50, 52, 71, 73, 85, 91, 92, 95, 107, 109, 115, 116, 123,
        ],
    ),
    // The account has no funds; the fax is complete.
    (FailureClass::Fax, FailureClass::Other, &[46, 79]),
    (FailureClass::Fax, FailureClass::Document, &[113]),
    (FailureClass::Document, FailureClass::Fetch, &[54]),
];
/// Cancelled on request, and because a limit of time passed.
const CANCELLED: [i64; 2] = [75, 76];

impl FailureClass {
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

impl FaxError {
    /// What kind of failure this is.
    #[must_use]
    pub fn class(&self) -> FailureClass {
        let of_type = match self.error_type {
            ErrorType::Line => FailureClass::Line,
            ErrorType::Fax => FailureClass::Fax,
            ErrorType::DocumentConversion => FailureClass::Document,
            ErrorType::Cancelled => return FailureClass::Cancelled,
            _ => return FailureClass::Other,
        };
        let Some(id) = self.error_id else {
            return of_type;
        };
        if CANCELLED.contains(&id) {
            return FailureClass::Cancelled;
        }
        let known = KNOWN
            .iter()
            .find(|(within, _, ids)| *within == of_type && ids.contains(&id));
        known.map_or(of_type, |(_, class, _)| *class)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_has_its_class() {
        for (error_type, error_id, class) in [
            ("lineError", Some(17), FailureClass::Busy),
            ("lineError", Some(112), FailureClass::NoAnswer),
            ("lineError", Some(11), FailureClass::Line),
            ("lineError", Some(49), FailureClass::Number),
            ("lineError", Some(107), FailureClass::Number),
            ("lineError", Some(4711), FailureClass::Line),
            ("lineError", None, FailureClass::Line),
            ("faxError", Some(20), FailureClass::Fax),
            ("faxError", Some(17), FailureClass::Fax),
            ("faxError", Some(75), FailureClass::Cancelled),
            ("faxError", Some(76), FailureClass::Cancelled),
            ("faxError", Some(113), FailureClass::Document),
            ("faxError", Some(46), FailureClass::Other),
            ("documentConversionError", Some(17), FailureClass::Document),
            ("documentConversionError", Some(54), FailureClass::Fetch),
            ("generalError", Some(5), FailureClass::Other),
            ("generalError", Some(17), FailureClass::Other),
            ("fatalError", Some(126), FailureClass::Other),
            ("weatherError", Some(9001), FailureClass::Other),
            ("deadline", None, FailureClass::Other),
            ("cancelled", None, FailureClass::Cancelled),
            ("rejected", None, FailureClass::Other),
        ] {
            let error = FaxError {
                error_type: error_type.into(),
                error_id,
                message: String::new(),
            };
            assert_eq!(error.class(), class, "{error_type} {error_id:?}");
        }
    }
}
