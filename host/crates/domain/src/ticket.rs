//! Tickets: what makes sending a fax exactly once, the fence at the document link.
//!
//! The provider has no idempotency key, but it fetches the document from us. Each request to the provider carries a
//! ticket of its own in the document link. The link marks the ticket as served before the first byte and serves the
//! job's current ticket only; a job gets another ticket only while the current one is not served, or after the provider
//! reported the end of the very fax that carried it. So of all faxes ever requested for one job at most one that has
//! not ended can contain pages.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::event::{EventKind, TimelineEntry};
use super::job::{Job, Phase};

/// Names one request to the provider: 128 random bits, written as 32 lower-case hexadecimal digits. Random rather than
/// a counter, since a counter repeats when a restored backup has lost commits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Ticket([u8; 16]);

/// A text that is not a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a ticket: tickets are 32 lower-case hexadecimal digits")]
pub struct BadTicket;

/// The provider fetched the document with the job's current ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Served {
    /// When its first byte was about to leave.
    pub at: Timestamp,
    /// The address that asked, when it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// Whether a document may leave with a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServeDecision {
    /// It may once this is durable.
    First {
        /// The job with its ticket marked as served.
        job: Box<Job>,
        /// The line for its timeline.
        entry: TimelineEntry,
    },
    /// It may: the ticket was marked as served before, or the job is of a version that knew no tickets.
    Again,
    /// It must not: the link carries another ticket than the job, or the job ended without being served.
    Superseded,
}

/// Decides whether the document of `job` may leave with a link that carries `ticket`, asked for by the address `to`.
#[must_use]
pub fn decide_serve(job: &Job, ticket: Option<Ticket>, to: Option<&str>, now: Timestamp) -> ServeDecision {
    if job.ticket != ticket {
        return ServeDecision::Superseded;
    }
    let Some(ticket) = ticket else {
        return ServeDecision::Again;
    };
    if job.served.is_some() {
        return ServeDecision::Again;
    }
    if job.phase.is_final() {
        return ServeDecision::Superseded;
    }
    let mut job = job.clone();
    job.served = Some(Served {
        at: now,
        to: to.map(str::to_owned),
    });
    job.updated_at = now;
    if matches!(job.phase, Phase::Uncertain { .. }) {
        // A fax that was fetched exists at the provider: a look-up is likely to find it.
        job.wake_at = Some(now);
    }
    let mut entry = TimelineEntry::new(now, EventKind::Served)
        .detail("the provider fetches the document")
        .fact("ticket", ticket);
    if job.attempts > 0 {
        entry = entry.attempt(job.attempts);
    }
    if let Some(to) = to {
        entry = entry.fact("to", to);
    }
    ServeDecision::First {
        job: Box::new(job),
        entry,
    }
}

impl Ticket {
    /// A ticket of 16 random bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0
    }
}

impl fmt::Display for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Ticket {
    type Err = BadTicket;

    fn from_str(text: &str) -> Result<Self, BadTicket> {
        if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(BadTicket);
        }
        let mut bytes = [0; 16];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| BadTicket)?;
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for Ticket {
    type Error = BadTicket;

    fn try_from(text: String) -> Result<Self, BadTicket> {
        text.parse()
    }
}

impl From<Ticket> for String {
    fn from(ticket: Ticket) -> Self {
        ticket.to_string()
    }
}

#[cfg(test)]
mod tests;
