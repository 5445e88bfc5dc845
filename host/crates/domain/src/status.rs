//! The life of a job: one table of what may happen in which phase.
//!
//! Everything that happens to a job is a [`Happening`] put through [`advance`]. The table refuses what is not
//! allowed, a final state never changes, and a repeat changes nothing. The store runs it inside the write
//! transaction, so two happenings never race.

mod cancel;
mod news;
mod retry;
mod step;
mod uncertain;

use std::time::Duration;

use jiff::Timestamp;

use super::event::TimelineEntry;
use super::job::Job;
use super::provider::{FaxError, StatusUpdate};

/// Something that happens to a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happening {
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
    Taken {
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
    Refused(FaxError),
    /// The request may have had an effect.
    Unsure {
        /// Why, for the timeline.
        reason: String,
        /// When to look it up.
        look_at: Timestamp,
    },
    /// A look-up by tag found nothing.
    Absent {
        /// How long it has to stay absent before it is sent again.
        grace: Duration,
        /// How long look-ups have not found it, by a clock that nobody sets: the wall clock may jump, and a fax
        /// that only seems to have been absent for long must not be sent again. Zero at the first look-up.
        waited: Duration,
        /// When to look again.
        look_at: Timestamp,
    },
    /// A look-up or poll gave no answer.
    NoAnswer {
        /// Why, for the timeline.
        reason: String,
        /// When to ask again.
        ask_at: Timestamp,
    },
    /// News from the provider.
    News {
        /// What it says.
        update: Box<StatusUpdate>,
        /// How it came: `callback` or `poll`.
        source: &'static str,
        /// When to ask if nothing more comes.
        poll_at: Timestamp,
    },
    /// A callback that proves to be about this job, but is not to be believed until the provider confirms it.
    Told {
        /// What it says.
        update: Box<StatusUpdate>,
    },
    /// A callback that names this job without proving it: ask the provider.
    Hint {
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
pub struct Step {
    /// The job afterwards.
    pub job: Job,
    /// Lines for its timeline. Empty when nothing changed.
    pub entries: Vec<TimelineEntry>,
}

/// Why a happening was not taken.
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

/// Applies `happening` to `job` at `now`.
///
/// # Errors
/// [`Refusal`] when the table doesn't allow it; the job stays as it is.
pub fn advance(job: &Job, happening: &Happening, now: Timestamp) -> Result<Step, Refusal> {
    let mut step = Step {
        job: job.clone(),
        entries: Vec::new(),
    };
    match happening {
        Happening::Claimed { look_at } => step.claim(*look_at, now)?,
        Happening::Postponed { reason, retry_at } => step.postpone(reason, *retry_at, now)?,
        Happening::Taken {
            provider_id,
            poll_at,
            adopted,
        } => {
            step.take(provider_id, *poll_at, *adopted, now)?;
        }
        Happening::NotSent { reason, retry_at } => step.not_sent(reason, *retry_at, now)?,
        Happening::Held { reason, retry_at } => step.hold(reason, *retry_at, now)?,
        Happening::Refused(error) => step.refuse(error, now)?,
        Happening::Unsure { reason, look_at } => step.unsure(reason, *look_at, now)?,
        Happening::Absent {
            grace,
            waited,
            look_at,
        } => step.absent(*grace, *waited, *look_at, now)?,
        Happening::NoAnswer { reason, ask_at } => step.no_answer(reason, *ask_at, now)?,
        Happening::News {
            update,
            source,
            poll_at,
        } => step.news(update, source, *poll_at, now)?,
        Happening::Told { update } => step.told(update, now)?,
        Happening::Hint { update } => step.hint(update, now)?,
        Happening::CancelRequested => step.request_cancel(now)?,
        Happening::CancelScheduled { poll_at } => step.cancel_scheduled(*poll_at, now)?,
        Happening::CancelRefused { reason, poll_at } => step.cancel_refused(reason, *poll_at, now)?,
        Happening::Expired { reason } => step.expire(reason, now)?,
        Happening::Purged => step.purge(now)?,
    }
    if !step.entries.is_empty() {
        step.job.updated_at = now;
        // Nothing that keeps coming may put off the last look.
        if now < step.job.deadline {
            step.job.wake_at = step.job.wake_at.map(|at| at.min(step.job.deadline));
        }
    }
    Ok(step)
}

#[cfg(test)]
mod tests;
