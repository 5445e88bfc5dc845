//! The timeline of a job: every decision with time, cause and evidence.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One line of a timeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelineEntry {
    /// When.
    pub at: Timestamp,
    /// What, as a word of [`EventKind`].
    pub event: EventKind,
    /// The attempt it belongs to, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// Why, for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// Facts, for programs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<(String, String)>,
}

/// What can happen to a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// Accepted and durable.
    Accepted,
    /// Something the converter wants the sender to know.
    DocumentNote,
    /// A request to the provider is about to leave.
    Submitting,
    /// The provider took it.
    Submitted,
    /// Certainly not taken; will be tried again.
    RetryScheduled,
    /// Held: the provider refuses our credentials.
    Held,
    /// The provider refused it for good.
    Refused,
    /// Nobody knows whether the provider took it.
    Uncertain,
    /// A look-up at the provider found it.
    Adopted,
    /// A look-up at the provider did not find it.
    Absent,
    /// A look-up or a poll gave no answer.
    LookupFailed,
    /// News under way.
    Progress,
    /// Cancelling was asked for.
    CancelRequested,
    /// The provider agreed to cancel.
    CancelScheduled,
    /// The provider would not cancel.
    CancelRefused,
    /// Delivered.
    Delivered,
    /// Failed, with the reason.
    Failed,
    /// News that came too late or did not fit and changed nothing.
    Disregarded,
    /// The provider fetched the document: the ticket of the attempt is served.
    Served,
    /// A person said what became of a fax that nobody could find out about.
    Resolved,
    /// The document was destroyed.
    Purged,
}

impl TimelineEntry {
    /// An entry without attempt, detail or facts.
    #[must_use]
    pub fn new(at: Timestamp, event: EventKind) -> Self {
        Self {
            at,
            event,
            attempt: None,
            detail: String::new(),
            facts: Vec::new(),
        }
    }

    /// With a sentence.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    /// With the attempt it belongs to.
    #[must_use]
    pub fn attempt(mut self, attempt: u32) -> Self {
        self.attempt = Some(attempt);
        self
    }

    /// With one more fact.
    #[must_use]
    pub fn fact(mut self, name: &str, value: impl ToString) -> Self {
        self.facts.push((name.to_owned(), value.to_string()));
        self
    }
}
