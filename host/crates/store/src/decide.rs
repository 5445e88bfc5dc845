//! The rules of the store: what a command changes, decided from the rows that it concerns, without a database.
//!
//! An engine loads the rows, asks for the decision, applies its [`Effects`] and commits. The rules exist once, however
//! many engines there are.

pub(crate) mod api_keys;
pub(crate) mod inbound;
pub(crate) mod index;
pub(crate) mod jobs;
pub(crate) mod retention;

use bytes::Bytes;
use ulid::Ulid;

use self::retention::IdempotencyRow;
use faxgate_domain::access::ApiKey;
use faxgate_domain::audit::AuditEntry;
use faxgate_domain::event::TimelineEntry;
use faxgate_domain::ids::JobId;
use faxgate_domain::inbound::InboundFax;
use faxgate_domain::job::Job;

/// What to answer to a command, and what it changes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Decision<T> {
    pub(crate) answer: T,
    pub(crate) effects: Effects,
}

/// Changes of rows; indexes and counters follow from them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Effects {
    pub(crate) job: Option<Change<Job>>,
    /// Lines at the end of the timeline of a job.
    pub(crate) timeline: Option<(JobId, Vec<TimelineEntry>)>,
    pub(crate) inbound: Option<Change<InboundFax>>,
    pub(crate) document: Option<DocumentChange>,
    pub(crate) idempotency: Option<Change<IdempotencyRow>>,
    pub(crate) key: Option<Change<ApiKey>>,
    pub(crate) audit: Vec<AuditEntry>,
}

/// A row that is written.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Change<T> {
    /// As it was; none for a new one.
    pub(crate) old: Option<T>,
    /// As it is.
    pub(crate) new: T,
}

/// A document in the database that comes or goes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum DocumentChange {
    /// It comes, sealed.
    Put(Ulid, Bytes),
    /// It goes.
    Remove(Ulid),
}

impl<T> Decision<T> {
    /// An answer that changes nothing.
    pub(crate) fn unchanged(answer: T) -> Self {
        Self {
            answer,
            effects: Effects::default(),
        }
    }
}

impl Effects {
    /// Whether nothing is written.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests;
