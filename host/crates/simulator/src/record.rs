//! What the simulator knows of a fax.

use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::script::Plan;

/// A fax, sent or received.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Fax {
    pub(super) id: u64,
    pub(super) direction: Direction,
    pub(super) status: String,
    pub(super) is_test: bool,
    pub(super) pages: u32,
    pub(super) cost: i64,
    pub(super) created_at: Timestamp,
    pub(super) completed_at: Option<Timestamp>,
    pub(super) caller_id: Option<String>,
    /// Number of the sender of a received fax.
    pub(super) from: Option<String>,
    /// Called number of a received fax.
    pub(super) called: Option<String>,
    pub(super) tags: Vec<(String, String)>,
    pub(super) recipients: Vec<Recipient>,
    pub(super) error: Option<Failure>,
    pub(super) header_text: Option<String>,
    pub(super) content_urls: Vec<String>,
    pub(super) callback_url: Option<String>,
    /// Seconds.
    pub(super) batch_delay: Option<u32>,
    /// Provider time at which its batch is sent.
    #[serde(skip)]
    pub(super) batch_until: Option<Duration>,
    /// Minutes.
    pub(super) cancel_timeout: Option<u32>,
    pub(super) cancel_requested: bool,
    /// Provider time at which it was taken.
    #[serde(skip)]
    pub(super) taken_at: Duration,
    /// Provider time from which lists show it.
    #[serde(skip)]
    pub(super) listed_from: Duration,
    /// What the provider holds: what it was sent or what it fetched.
    #[serde(skip)]
    pub(super) content: Option<Bytes>,
    /// SHA-256 of the content, hexadecimal.
    pub(super) sha256: Option<String>,
    pub(super) file_deleted: bool,
    pub(super) plan: Plan,
    pub(super) fetches: Vec<Fetch>,
    pub(super) callbacks: Vec<Attempt>,
}

/// Which way it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Direction {
    Sent,
    Received,
}

/// One recipient of a sent fax.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Recipient {
    pub(super) number: String,
    /// None until the fax is looked at.
    pub(super) status: Option<String>,
    pub(super) retry_count: u32,
    pub(super) completed_at: Option<Timestamp>,
    pub(super) error: Option<Failure>,
}

/// Type, number and text of an error of the vendor's table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Failure {
    pub(super) kind: String,
    pub(super) id: i64,
    pub(super) message: String,
}

/// One attempt to fetch the content.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Fetch {
    pub(super) at: Timestamp,
    pub(super) url: String,
    /// `ok` or what went wrong.
    pub(super) outcome: String,
    pub(super) bytes: u64,
}

/// One attempt to deliver a callback.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Attempt {
    pub(super) at: Timestamp,
    pub(super) url: String,
    pub(super) event: String,
    pub(super) version: String,
    /// From 1, per message.
    pub(super) attempt: u32,
    /// HTTP status, when there was an answer.
    pub(super) status: Option<u16>,
    /// What went wrong when there was none.
    pub(super) problem: Option<String>,
}

impl Direction {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Received => "received",
        }
    }
}

impl Fax {
    /// A fax that was just accepted: nothing known, nothing done.
    pub(super) fn new(id: u64, direction: Direction, created_at: Timestamp, is_test: bool) -> Self {
        Self {
            id,
            direction,
            status: "queued".to_owned(),
            is_test,
            pages: 0,
            cost: 0,
            created_at,
            completed_at: None,
            caller_id: None,
            from: None,
            called: None,
            tags: Vec::new(),
            recipients: Vec::new(),
            error: None,
            header_text: None,
            content_urls: Vec::new(),
            callback_url: None,
            batch_delay: None,
            batch_until: None,
            cancel_timeout: None,
            cancel_requested: false,
            taken_at: Duration::ZERO,
            listed_from: Duration::ZERO,
            content: None,
            sha256: None,
            file_deleted: false,
            plan: Plan::default(),
            fetches: Vec::new(),
            callbacks: Vec::new(),
        }
    }

    /// Whether nothing will change any more.
    pub(super) fn is_final(&self) -> bool {
        matches!(self.status.as_str(), "success" | "failure" | "partialsuccess")
    }

    /// Whether it goes to or comes from this number.
    pub(super) fn has_number(&self, number: &str) -> bool {
        let own = [self.from.as_deref(), self.called.as_deref()];
        own.contains(&Some(number)) || self.recipients.iter().any(|r| r.number == number)
    }

    /// The value of a tag.
    pub(super) fn tag(&self, name: &str) -> Option<&str> {
        self.tags
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.as_str())
    }
}

impl Recipient {
    /// Somebody to be called.
    pub(super) fn new(number: &str) -> Self {
        Self {
            number: number.to_owned(),
            status: None,
            retry_count: 0,
            completed_at: None,
            error: None,
        }
    }
}

impl Failure {
    /// An entry of the vendor's table.
    pub(super) fn new(kind: &str, id: i64, message: &str) -> Self {
        Self {
            kind: kind.to_owned(),
            id,
            message: message.to_owned(),
        }
    }
}
