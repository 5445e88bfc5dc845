//! A fax that somebody asked us to send.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::artifact::Artifact;
use super::document::RenderOptions;
use super::ids::JobId;
use super::number::E164;
use super::provider::{FailureClass, FaxError, StatusUpdate};
use super::ticket::{Served, Ticket};

/// The tag that names our job at the provider: how a fax is found again whose answer was lost.
pub const JOB_TAG: &str = "faxgate_job";

/// A job, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Our id.
    pub id: JobId,
    /// Whose it is.
    pub owner: String,
    /// Where it stands.
    pub phase: Phase,
    /// When somebody has to look at it next; none in a final state.
    pub wake_at: Option<Timestamp>,
    /// When it is closed whatever happens.
    pub deadline: Timestamp,
    /// Requests to send that have left, or may have.
    pub attempts: u32,
    /// Look-ups and polls since the last status update, for the back-off.
    #[serde(default, rename = "looks")]
    pub poll_attempts: u32,
    /// Number to dial.
    pub to: E164,
    /// Number as the sender wrote it.
    pub to_raw: String,
    /// What the sender asked for besides.
    #[serde(default)]
    pub options: SendOptions,
    /// File name the sender gave, for showing.
    pub file_name: Option<String>,
    /// Type of the document, told from its bytes.
    pub media_type: String,
    /// Pages, from the converter and later from the provider.
    pub pages: Option<u32>,
    /// The PDF that the provider fetches; none once destroyed.
    pub artifact: Option<Artifact>,
    /// When the PDF was destroyed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purged_at: Option<Timestamp>,
    /// When the PDF is to be destroyed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Names the last request to the provider: made before it leaves, carried by the document link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<Ticket>,
    /// That the document was fetched with the ticket; none while it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub served: Option<Served>,
    /// The provider's id.
    pub provider_id: Option<String>,
    /// Why it failed.
    pub error: Option<FaxError>,
    /// Cost in US cents.
    pub cost_cents: Option<i64>,
    /// The job that this one repeats.
    pub resend_of: Option<JobId>,
    /// Somebody asked to cancel it.
    #[serde(default)]
    pub cancel_requested: bool,
    /// A status update that is not applied yet: it came before the provider answered the request and does not prove
    /// which job it is about, or the provider has to confirm it.
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "early")]
    pub pending_update: Option<Box<StatusUpdate>>,
    /// Whether it is sent again when nobody answers, as the settings were when it was accepted.
    #[serde(default)]
    pub retry: FaxRetry,
    /// Faxes of this job at the provider that failed and were followed by another, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty", rename = "past")]
    pub previous_attempts: Vec<PreviousAttempt>,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When it reached a final state.
    pub completed_at: Option<Timestamp>,
}

/// How often and when a fax that reached nobody is sent again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaxRetry {
    /// Further faxes that may be made of this job.
    pub left: u32,
    /// Wait before each.
    pub wait: Duration,
    /// After which failures.
    #[serde(default = "FaxRetry::usual")]
    pub after: Vec<FailureClass>,
    /// Further faxes that may be made when the provider could not fetch the document, which is our fault or the
    /// line's: nothing was sent.
    #[serde(default)]
    pub fetches_left: u32,
}

/// A fax at the provider that failed before the present one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviousAttempt {
    /// The provider's id.
    pub provider_id: String,
    /// Why it failed.
    pub error: FaxError,
    /// What it cost, in US cents.
    pub cost_cents: Option<i64>,
}

/// What a sender may ask for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendOptions {
    /// Line at the top of each page, at most 50 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header_text: Option<String>,
    /// Number to show, one that the account owns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller_id: Option<String>,
    /// The sender's own names and values, at most 9.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Not to be sent before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub send_at: Option<Timestamp>,
    /// Seconds that the provider waits for further faxes to the same number, to send them in one call; 0 for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_delay: Option<u32>,
    /// How its pages are drawn.
    #[serde(default, skip_serializing_if = "RenderOptions::is_default", rename = "raster")]
    pub render: RenderOptions,
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Accepted and kept while sending is switched off.
    Disabled,
    /// Waits for its turn.
    Due,
    /// A request to the provider is under way, or was when the process ended.
    Submitting,
    /// Nobody knows whether the provider has it.
    Uncertain {
        /// Since when look-ups have not found it; none before the first.
        absent_since: Option<Timestamp>,
    },
    /// The provider has it.
    Submitted,
    /// The provider has it and was asked, or is to be asked, to cancel it.
    Cancelling {
        /// Whether the provider agreed to.
        scheduled: bool,
    },
    /// Delivered.
    Delivered,
    /// Failed.
    Failed,
}

/// The state that clients see. The spelling is part of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PublicStatus {
    /// Waits to be sent.
    #[serde(rename = "queued")]
    Queued,
    /// On its way.
    #[serde(rename = "in_progress")]
    InProgress,
    /// Delivered.
    #[serde(rename = "SUCCESS")]
    Success,
    /// Failed or cancelled.
    #[serde(rename = "FAILED")]
    Failed,
    /// Sending is switched off.
    #[serde(rename = "disabled")]
    Disabled,
}

impl Phase {
    /// Whether nothing can change any more.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Delivered | Self::Failed | Self::Disabled)
    }

    /// The state that clients see.
    #[must_use]
    pub const fn public(self) -> PublicStatus {
        match self {
            Self::Disabled => PublicStatus::Disabled,
            Self::Due | Self::Uncertain { .. } => PublicStatus::Queued,
            Self::Submitting | Self::Submitted | Self::Cancelling { .. } => PublicStatus::InProgress,
            Self::Delivered => PublicStatus::Success,
            Self::Failed => PublicStatus::Failed,
        }
    }

    /// The queue that a waiting job belongs to.
    #[must_use]
    pub const fn queue(self) -> Option<Queue> {
        match self {
            Self::Due => Some(Queue::Dispatch),
            Self::Submitting | Self::Uncertain { .. } | Self::Submitted | Self::Cancelling { .. } => {
                Some(Queue::Follow)
            }
            Self::Disabled | Self::Delivered | Self::Failed => None,
        }
    }
}

/// The two queues of waiting jobs. They are apart so that a hundred thousand faxes waiting for their turn
/// don't keep those under way from being followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Queue {
    /// To be sent.
    Dispatch,
    /// Under way: to be looked up, polled or closed.
    Follow,
}

impl PublicStatus {
    /// Every state.
    pub const EVERY: [Self; 5] = [
        Self::Queued,
        Self::InProgress,
        Self::Success,
        Self::Failed,
        Self::Disabled,
    ];

    /// The spelling of the contract.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::InProgress => "in_progress",
            Self::Success => "SUCCESS",
            Self::Failed => "FAILED",
            Self::Disabled => "disabled",
        }
    }

    /// Reads the spelling of the contract.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::EVERY.into_iter().find(|status| status.as_str() == text)
    }
}

impl FaxRetry {
    /// The failures after which nobody can have got a page.
    #[must_use]
    pub fn usual() -> Vec<FailureClass> {
        vec![FailureClass::Busy, FailureClass::NoAnswer]
    }

    /// Whether another fax may follow one that failed like this.
    #[must_use]
    pub fn allows(&self, error: &FaxError) -> bool {
        match error.class() {
            FailureClass::Fetch => self.fetches_left > 0,
            class => self.left > 0 && self.after.contains(&class),
        }
    }

    /// Another fax follows one that failed like this.
    pub fn use_up(&mut self, error: &FaxError) {
        let left = match error.class() {
            FailureClass::Fetch => &mut self.fetches_left,
            _ => &mut self.left,
        };
        *left = left.saturating_sub(1);
    }
}

impl Job {
    /// A job of one page that was accepted at `now` and is due; it has a day. For callers that care about little else.
    #[must_use]
    pub fn queued(id: JobId, owner: &str, to: E164, now: Timestamp) -> Self {
        Self {
            id,
            owner: owner.to_owned(),
            phase: Phase::Due,
            wake_at: Some(now),
            deadline: faxgate_base::clock::after(now, Duration::from_secs(86_400)),
            attempts: 0,
            poll_attempts: 0,
            to_raw: to.as_str().to_owned(),
            to,
            options: SendOptions::default(),
            file_name: None,
            media_type: "application/pdf".to_owned(),
            pages: Some(1),
            artifact: None,
            purged_at: None,
            expires_at: None,
            ticket: None,
            served: None,
            provider_id: None,
            error: None,
            cost_cents: None,
            resend_of: None,
            cancel_requested: false,
            pending_update: None,
            retry: FaxRetry::default(),
            previous_attempts: Vec::new(),
            created_at: now,
            updated_at: now,
            completed_at: None,
        }
    }

    /// The state that clients see.
    #[must_use]
    pub fn status(&self) -> PublicStatus {
        self.phase.public()
    }

    /// Whether `provider_id` is a fax of this job that failed before the present one.
    #[must_use]
    pub fn had_provider_id(&self, provider_id: &str) -> bool {
        self.previous_attempts
            .iter()
            .any(|fax| fax.provider_id == provider_id)
    }

    /// Every fax at the provider that was made of this job, oldest first.
    pub fn provider_ids(&self) -> impl Iterator<Item = &str> {
        let previous = self.previous_attempts.iter().map(|fax| fax.provider_id.as_str());
        previous.chain(self.provider_id.as_deref())
    }

    /// What the faxes before the present one cost, in US cents.
    #[must_use]
    pub fn previous_cost_cents(&self) -> i64 {
        let costs = self.previous_attempts.iter().filter_map(|fax| fax.cost_cents);
        costs.fold(0, i64::saturating_add)
    }

    /// When its sending begins at the earliest: it cannot be at the provider before.
    #[must_use]
    pub fn earliest_start(&self) -> Timestamp {
        self.options
            .send_at
            .map_or(self.created_at, |at| at.max(self.created_at))
    }

    /// The entry this job has in the queue of waiting jobs, if it waits.
    #[must_use]
    pub fn queue_entry(&self) -> Option<(Queue, Timestamp)> {
        Some((self.phase.queue()?, self.wake_at?))
    }
}
