//! Records as clients see them. Field names are part of the contract.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use faxgate_domain::event::{EventKind, TimelineEntry};
use faxgate_domain::ids::{InboundId, JobId};
use faxgate_domain::inbound::{InboundFax, InboundStatus};
use faxgate_domain::job::{Job, PublicStatus};

/// A fax that is sent.
#[derive(Debug, Clone, Serialize)]
pub struct FaxJob {
    /// Our id.
    pub id: JobId,
    /// Destination, E.164.
    pub to: String,
    /// Destination as the sender wrote it.
    pub to_raw: String,
    /// State.
    pub status: PublicStatus,
    /// Why it failed.
    pub error: Option<String>,
    /// Class of the error.
    pub error_type: Option<String>,
    /// The provider's number of the error.
    pub error_id: Option<i64>,
    /// Pages, once known.
    pub pages: Option<u32>,
    /// Which provider: always `phaxio`.
    pub backend: &'static str,
    /// The provider's id of the fax.
    pub provider_sid: Option<String>,
    /// Requests to send that left.
    pub attempts: u32,
    /// Cost in US cents.
    pub cost_cents: Option<i64>,
    /// File name the sender gave.
    pub file_name: Option<String>,
    /// Type told from the bytes.
    pub media_type: String,
    /// The sender's tags.
    pub tags: BTreeMap<String, String>,
    /// Whose it is.
    pub owner: String,
    /// The job this one repeats.
    pub resend_of: Option<JobId>,
    /// Not to be sent before.
    pub send_at: Option<Timestamp>,
    /// Seconds the provider waits for further faxes to the same number.
    pub batch_delay: Option<u32>,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When it reached a final state.
    pub completed_at: Option<Timestamp>,
    /// When the document is destroyed.
    pub expires_at: Option<Timestamp>,
}

impl From<&Job> for FaxJob {
    fn from(job: &Job) -> Self {
        Self {
            id: job.id,
            to: job.to.as_str().to_owned(),
            to_raw: job.to_raw.clone(),
            status: job.status(),
            error: job.error.as_ref().map(|error| error.message.clone()),
            error_type: job
                .error
                .as_ref()
                .map(|error| error.error_type.as_str().to_owned()),
            error_id: job.error.as_ref().and_then(|error| error.error_id),
            pages: job.pages,
            backend: "phaxio",
            provider_sid: job.provider_id.clone(),
            attempts: job.attempts,
            cost_cents: job.cost_cents,
            file_name: job.file_name.clone(),
            media_type: job.media_type.clone(),
            tags: job.options.tags.clone(),
            owner: job.owner.clone(),
            resend_of: job.resend_of,
            send_at: job.options.send_at,
            batch_delay: job.options.batch_delay,
            created_at: job.created_at,
            updated_at: job.updated_at,
            completed_at: job.completed_at,
            expires_at: job.expires_at,
        }
    }
}

/// One line of a timeline.
#[derive(Debug, Clone, Serialize)]
pub struct TimelineView {
    /// When.
    pub at: Timestamp,
    /// What.
    pub event: EventKind,
    /// The attempt it belongs to, from 1.
    pub attempt: Option<u32>,
    /// Why, for people.
    pub detail: String,
    /// Facts, for programs.
    pub facts: BTreeMap<String, String>,
}

impl From<TimelineEntry> for TimelineView {
    fn from(entry: TimelineEntry) -> Self {
        let TimelineEntry {
            at,
            event,
            attempt,
            detail,
            facts,
        } = entry;
        Self {
            at,
            event,
            attempt,
            detail,
            facts: facts.into_iter().collect(),
        }
    }
}

/// A fax that was received.
#[derive(Debug, Clone, Serialize)]
pub struct InboundView {
    /// Our id.
    pub id: InboundId,
    /// Number of the sender.
    pub from: Option<String>,
    /// Our number.
    pub to: Option<String>,
    /// Whether it came in full.
    pub status: InboundStatus,
    /// What went wrong.
    pub error: Option<String>,
    /// Pages.
    pub pages: Option<u32>,
    /// Which provider: always `phaxio`.
    pub backend: &'static str,
    /// The provider's id.
    pub provider_sid: String,
    /// Size of the document.
    pub size_bytes: Option<u64>,
    /// SHA-256 of the document, in hexadecimal.
    pub sha256: Option<String>,
    /// Whether the provider calls it a test.
    pub is_test: bool,
    /// When the provider received it.
    pub received_at: Timestamp,
    /// When we had it.
    pub created_at: Timestamp,
    /// When the document is destroyed.
    pub expires_at: Option<Timestamp>,
}

impl From<&InboundFax> for InboundView {
    fn from(fax: &InboundFax) -> Self {
        Self {
            id: fax.id,
            from: fax.from.clone(),
            to: fax.to.clone(),
            status: fax.status,
            error: fax.error.as_ref().map(|error| error.message.clone()),
            pages: fax.pages,
            backend: "phaxio",
            provider_sid: fax.provider_id.clone(),
            size_bytes: fax.artifact.as_ref().map(|artifact| artifact.bytes),
            sha256: fax.artifact.as_ref().map(|artifact| hex::encode(artifact.sha256)),
            is_test: fax.is_test,
            received_at: fax.received_at,
            created_at: fax.created_at,
            expires_at: fax.expires_at,
        }
    }
}
