//! The state machine of a job: which event may happen in which phase, and what it changes.
//!
//! Every change of a job is a [`JobEvent`] passed to [`apply`]. An event that is not allowed is refused, a final
//! state never changes, and a repeat changes nothing. The store calls [`apply`] inside the write transaction, so
//! two events of one job never race.

mod cancel;
mod news;
mod retry;
mod transition;
mod uncertain;

use std::time::Duration;

use jiff::Timestamp;

use super::event::TimelineEntry;
use super::job::Job;
use super::provider::{EventSource, FaxError, StatusUpdate};

/// Something that happens to a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobEvent {
    /// A worker is about to send it. Durable before the request leaves.
    Claimed {
        /// When it is looked up at the provider if no outcome was recorded by then.
        look_at: Timestamp,
    },
    /// It can't be sent now: nothing left, and it waits on.
    Postponed {
        /// Why, for the timeline.
        reason: String,
        /// When to try again.
        retry_at: Timestamp,
    },
    /// The provider took it under this id (answer to the request, or found by a look-up).
    Accepted {
        /// The provider's id.
        provider_id: String,
        /// When to ask if no callback came.
        poll_at: Timestamp,
        /// Whether a look-up found it rather than the answer.
        adopted: bool,
    },
    /// The request certainly had no effect.
    NotSent {
        /// Why, for the timeline.
        reason: String,
        /// When to try again.
        retry_at: Timestamp,
    },
    /// The provider refuses our credentials: nothing was sent and the attempt doesn't count.
    Held {
        /// Why, for the timeline.
        reason: String,
        /// When to try again unless the credentials change before.
        retry_at: Timestamp,
    },
    /// The provider refused it for good.
    Rejected(FaxError),
    /// The request may have had an effect.
    OutcomeUnknown {
        /// Why, for the timeline.
        reason: String,
        /// When to look it up.
        look_at: Timestamp,
    },
    /// A look-up by tag found nothing.
    NotFound {
        /// How long it has to stay absent before it is sent again.
        grace: Duration,
        /// How long look-ups have not found it, by a clock that nobody sets: the wall clock may jump, and a fax
        /// that only seems to have been absent for long must not be sent again. Zero at the first look-up.
        waited: Duration,
        /// When to look again.
        look_at: Timestamp,
    },
    /// A look-up or poll gave no answer.
    LookupFailed {
        /// Why, for the timeline.
        reason: String,
        /// When to ask again.
        ask_at: Timestamp,
    },
    /// News from the provider.
    VerifiedUpdate {
        /// What it says.
        update: Box<StatusUpdate>,
        /// How it came.
        source: EventSource,
        /// When to ask if nothing more comes.
        poll_at: Timestamp,
    },
    /// A callback that proves to be about this job, but is not to be believed until the provider confirms it.
    UnverifiedUpdate {
        /// What it says.
        update: Box<StatusUpdate>,
    },
    /// A callback that names this job without proving it: ask the provider.
    UnverifiedHint {
        /// What it says.
        update: Box<StatusUpdate>,
    },
    /// Somebody asks to cancel it.
    CancelRequested,
    /// The provider agreed to cancel.
    CancelScheduled {
        /// When to ask what came of it.
        poll_at: Timestamp,
    },
    /// The provider would not cancel, most likely since the fax is complete.
    CancelRefused {
        /// The provider's words.
        reason: String,
        /// When to ask how it ended.
        poll_at: Timestamp,
    },
    /// Its deadline passed and a last look did not settle it.
    Expired {
        /// What the last look said.
        reason: String,
    },
    /// Its document was destroyed.
    Purged,
}

/// What became of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// The job afterwards.
    pub job: Job,
    /// Lines for its timeline. Empty when nothing changed.
    pub entries: Vec<TimelineEntry>,
}

/// Why a event was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The job is in a final state.
    #[error("the fax has reached a final state")]
    Final,
    /// It is not possible in this phase.
    #[error("not possible in the present state of the fax")]
    NotNow,
    /// It is about another fax.
    #[error("the provider's id belongs to another fax")]
    OtherFax,
}

/// Applies `event` to `job` at `now`.
///
/// # Errors
/// [`Refusal`] when the table doesn't allow it; the job stays as it is.
pub fn apply(job: &Job, event: &JobEvent, now: Timestamp) -> Result<Transition, Refusal> {
    let mut transition = Transition {
        job: job.clone(),
        entries: Vec::new(),
    };
    match event {
        JobEvent::Claimed { look_at } => transition.claim(*look_at, now)?,
        JobEvent::Postponed { reason, retry_at } => transition.postpone(reason, *retry_at, now)?,
        JobEvent::Accepted {
            provider_id,
            poll_at,
            adopted,
        } => {
            transition.take(provider_id, *poll_at, *adopted, now)?;
        }
        JobEvent::NotSent { reason, retry_at } => transition.not_sent(reason, *retry_at, now)?,
        JobEvent::Held { reason, retry_at } => transition.hold(reason, *retry_at, now)?,
        JobEvent::Rejected(error) => transition.refuse(error, now)?,
        JobEvent::OutcomeUnknown { reason, look_at } => transition.unsure(reason, *look_at, now)?,
        JobEvent::NotFound {
            grace,
            waited,
            look_at,
        } => transition.absent(*grace, *waited, *look_at, now)?,
        JobEvent::LookupFailed { reason, ask_at } => transition.no_answer(reason, *ask_at, now)?,
        JobEvent::VerifiedUpdate {
            update,
            source,
            poll_at,
        } => transition.news(update, *source, *poll_at, now)?,
        JobEvent::UnverifiedUpdate { update } => transition.told(update, now)?,
        JobEvent::UnverifiedHint { update } => transition.hint(update, now)?,
        JobEvent::CancelRequested => transition.request_cancel(now)?,
        JobEvent::CancelScheduled { poll_at } => transition.cancel_scheduled(*poll_at, now)?,
        JobEvent::CancelRefused { reason, poll_at } => transition.cancel_refused(reason, *poll_at, now)?,
        JobEvent::Expired { reason } => transition.expire(reason, now)?,
        JobEvent::Purged => transition.purge(now)?,
    }
    if !transition.entries.is_empty() {
        transition.job.updated_at = now;
        // Nothing that keeps coming may put off the last look.
        if now < transition.job.deadline {
            transition.job.wake_at = transition.job.wake_at.map(|at| at.min(transition.job.deadline));
        }
    }
    Ok(transition)
}

#[cfg(test)]
mod tests;
