//! The fax object: what the API answers and what callbacks carry.
//!
//! Names of API version 2 and later; the few names of version 1 are understood as well. What cannot be read is
//! absent, and nothing absent makes the rest unreadable.

use jiff::Timestamp;
use serde_json::Value;

use super::fields::JOB_TAG;
use super::status::{self, StatusWord};
use crate::json::{self, Object};
use crate::status::{Direction, ReceivedStatus, SentStatus};

/// A fax object.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Fax {
    /// The provider's id.
    pub id: Option<String>,
    /// Which way it goes, when it says so.
    pub direction: Option<Direction>,
    /// The provider's word for its state.
    pub status: Option<String>,
    /// Whether it is a test, when it says so.
    pub is_test: Option<bool>,
    /// Pages, once known.
    pub pages: Option<u32>,
    /// Cost in US cents.
    pub cost_cents: Option<i64>,
    /// When the provider had it.
    pub created_at: Option<Timestamp>,
    /// When it ended; see [`Fax::completed_at`].
    pub completed_at: Option<Timestamp>,
    /// Number of the sender of a received fax.
    pub from_number: Option<String>,
    /// Our number of a received fax.
    pub to_number: Option<String>,
    /// Name that the account gives the sender of a received fax.
    pub caller_name: Option<String>,
    /// The tags it was sent with, byte for byte.
    pub tags: Vec<(String, String)>,
    /// Its own error fields; see [`Fax::error`].
    pub error: ErrorFields,
    /// Whom it goes to.
    pub recipients: Vec<Recipient>,
}

/// One recipient of a fax.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Recipient {
    /// Number dialled.
    pub number: Option<String>,
    /// The provider's word for its state; absent at first.
    pub status: Option<String>,
    /// Calls that failed before the present one.
    pub retry_count: Option<i64>,
    /// Bits per second.
    pub bitrate: Option<i64>,
    /// Pixels per metre.
    pub resolution: Option<i64>,
    /// When it ended.
    pub completed_at: Option<Timestamp>,
    /// What went wrong.
    pub error: ErrorFields,
}

/// The error fields that a fax and each of its recipients have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ErrorFields {
    /// Class, see [`super::ErrorType`].
    pub error_type: Option<String>,
    /// Number.
    pub id: Option<i64>,
    /// The provider's words.
    pub message: Option<String>,
}

impl Fax {
    /// Reads a fax object; none when the value is not an object.
    #[must_use]
    pub fn from_value(value: &Value) -> Option<Self> {
        value.as_object().map(Self::from_object)
    }

    /// Reads a fax object.
    #[must_use]
    pub fn from_object(object: &Object) -> Self {
        Self {
            id: id(object, "id"),
            direction: json::text(object, "direction").and_then(|word| status::direction(&word)),
            status: json::text(object, "status"),
            is_test: json::boolean(object, "is_test"),
            pages: json::count(object, "num_pages"),
            cost_cents: json::integer(object, "cost"),
            created_at: json::time(object, "created_at").or_else(|| json::time(object, "requested_at")),
            completed_at: json::time(object, "completed_at"),
            from_number: json::text(object, "from_number"),
            to_number: json::text(object, "to_number"),
            caller_name: json::text(object, "caller_name"),
            tags: json::texts(object.get("tags")),
            error: ErrorFields::from_object(object),
            recipients: recipients(object),
        }
    }

    /// The value of the tag that names our job.
    #[must_use]
    pub fn job_tag(&self) -> Option<&str> {
        let tag = self.tags.iter().find(|(name, _)| name == JOB_TAG);
        tag.map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// Where it stands as a sent fax. A partial success is decided by its recipients where they agree: a fax with
    /// one recipient cannot be delivered in part.
    #[must_use]
    pub fn sent_status(&self) -> SentStatus {
        let word = self.status.as_deref().unwrap_or_default();
        match (status::sent(word), self.common_recipient_status()) {
            (SentStatus::PartlyDelivered, Some(StatusWord::Success)) => SentStatus::Delivered,
            (SentStatus::PartlyDelivered, Some(StatusWord::Failure)) => SentStatus::Failed,
            (status, _) => status,
        }
    }

    /// Where it stands as a received fax; see [`status`] on a partial success.
    #[must_use]
    pub fn received_status(&self) -> ReceivedStatus {
        let word = self.status.as_deref().and_then(StatusWord::parse);
        match (word, self.common_recipient_status()) {
            (Some(StatusWord::PartialSuccess), Some(StatusWord::Failure)) => ReceivedStatus::Failed,
            (Some(word), _) => word.received(),
            (None, _) => ReceivedStatus::Unknown,
        }
    }

    /// Its own error, else the first that a recipient has.
    #[must_use]
    pub fn error(&self) -> Option<&ErrorFields> {
        std::iter::once(&self.error)
            .chain(self.recipients.iter().map(|recipient| &recipient.error))
            .find(|error| !error.is_empty())
    }

    /// When it ended, by its own word, else by that of its last recipient.
    #[must_use]
    pub fn completed_at(&self) -> Option<Timestamp> {
        self.completed_at.or_else(|| {
            let ends = self.recipients.iter().filter_map(|r| r.completed_at);
            ends.max()
        })
    }

    /// The number it went to: its own, else that of its first recipient.
    #[must_use]
    pub fn called_number(&self) -> Option<&str> {
        let first = || self.recipients.first()?.number.as_deref();
        self.to_number.as_deref().or_else(first)
    }

    /// The word that all recipients have in common.
    fn common_recipient_status(&self) -> Option<StatusWord> {
        let mut words = self
            .recipients
            .iter()
            .map(|recipient| StatusWord::parse(recipient.status.as_deref()?));
        let first = words.next()??;
        words.all(|word| word == Some(first)).then_some(first)
    }
}

impl Recipient {
    fn from_object(object: &Object) -> Self {
        Self {
            number: json::text(object, "phone_number").or_else(|| json::text(object, "number")),
            status: json::text(object, "status"),
            retry_count: json::integer(object, "retry_count"),
            bitrate: json::integer(object, "bitrate"),
            resolution: json::integer(object, "resolution"),
            completed_at: json::time(object, "completed_at"),
            error: ErrorFields::from_object(object),
        }
    }
}

impl ErrorFields {
    fn from_object(object: &Object) -> Self {
        // In version 1 `error_code` holds the words.
        let code = json::integer(object, "error_code");
        let words = || json::text(object, "error_code").filter(|_| code.is_none());
        Self {
            error_type: json::text(object, "error_type"),
            id: json::integer(object, "error_id").or(code),
            message: json::text(object, "error_message").or_else(words),
        }
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.error_type.is_none() && self.id.is_none() && self.message.is_none()
    }
}

/// An id: a number in the provider's own payloads, text elsewhere.
pub(super) fn id(object: &Object, name: &str) -> Option<String> {
    match object.get(name)? {
        Value::Number(_) | Value::String(_) => json::text(object, name),
        _ => None,
    }
}

/// The recipients: a list in JSON, an object with positions for keys in flattened form fields.
fn recipients(object: &Object) -> Vec<Recipient> {
    let read = |value: &Value| value.as_object().map(Recipient::from_object);
    match object.get("recipients") {
        Some(Value::Array(list)) => list.iter().filter_map(read).collect(),
        Some(Value::Object(positions)) => positions.values().filter_map(read).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
