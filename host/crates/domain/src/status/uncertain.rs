//! What is known of a request to send: taken, perhaps taken, not there.

use std::time::Duration;

use jiff::Timestamp;

use super::{Refusal, Transition};
use crate::event::EventKind;
use crate::job::{Phase, Queue};
use crate::provider::EventSource;
use faxgate_base::clock::after;

impl Transition {
    pub(super) fn take(
        &mut self,
        id: &str,
        poll_at: Timestamp,
        adopted: bool,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        if self.job.had_provider_id(id) {
            return Ok(());
        }
        match (&self.job.provider_id, self.job.phase) {
            // A callback was faster than the answer, or the answer is a repeat.
            (Some(known), _) if known == id => return Ok(()),
            (Some(_), _) => return Err(Refusal::OtherFax),
            // The deadline closed the job while the request was under way: keep the evidence.
            (None, phase) if phase.is_final() => return Err(Refusal::Final),
            (None, _) => {}
        }
        let (kind, detail) = match (adopted, self.job.phase) {
            (true, _) => (
                EventKind::Adopted,
                "a look-up by tag found this fax at the provider",
            ),
            // Given up for absent while the answer was on its way: it must not be sent again.
            (false, Phase::Due) => (
                EventKind::Submitted,
                "the provider took this fax after all: it is not sent again",
            ),
            (false, _) => (EventKind::Submitted, "the provider took this fax"),
        };
        self.adopt(id, poll_at, now);
        self.push(self.entry(now, kind).detail(detail).fact("provider_id", id));
        match self.job.pending_update.take() {
            Some(update) if update.provider_id == id => {
                self.news(&update, EventSource::Callback, poll_at, now)
            }
            _ => Ok(()),
        }
    }

    /// Puts the job into the phase of one that the provider has.
    pub(super) fn adopt(&mut self, id: &str, poll_at: Timestamp, now: Timestamp) {
        self.job.provider_id = Some(id.to_owned());
        if self.job.cancel_requested {
            self.go(Phase::Cancelling { scheduled: false }, now);
        } else {
            self.go(Phase::Submitted, poll_at);
        }
    }

    pub(super) fn unsure(&mut self, reason: &str, look_at: Timestamp, now: Timestamp) -> Result<(), Refusal> {
        if self.job.phase != Phase::Submitting {
            // A callback was faster than the failure of the request: the fax is known to be there.
            return if self.job.provider_id.is_some() {
                Ok(())
            } else {
                self.refused()
            };
        }
        self.go(Phase::Uncertain { absent_since: None }, look_at);
        self.note(now, EventKind::Uncertain, reason);
        Ok(())
    }

    pub(super) fn absent(
        &mut self,
        grace: Duration,
        waited: Duration,
        look_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let Phase::Uncertain { absent_since } = self.job.phase else {
            return self.refused();
        };
        if absent_since.is_some() && waited >= grace {
            self.note(
                now,
                EventKind::Absent,
                "still not at the provider after the grace period",
            );
            if self.job.cancel_requested {
                self.cancelled(now);
            } else {
                self.go(Phase::Due, now);
                self.push(self.entry(now, EventKind::RetryScheduled).fact("retry_at", now));
            }
            return Ok(());
        }
        self.job.poll_attempts = self.job.poll_attempts.saturating_add(1);
        self.job.phase = Phase::Uncertain {
            absent_since: Some(absent_since.unwrap_or(now).min(now)),
        };
        let grace_ends = after(now, grace.saturating_sub(waited));
        self.job.wake_at = Some(look_at.min(grace_ends).max(now));
        self.note(now, EventKind::Absent, "a look-up by tag did not find this fax");
        Ok(())
    }

    pub(super) fn no_answer(
        &mut self,
        reason: &str,
        ask_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        self.require(self.job.phase.queue() == Some(Queue::Follow))?;
        self.job.poll_attempts = self.job.poll_attempts.saturating_add(1);
        self.job.wake_at = Some(ask_at);
        self.note(now, EventKind::LookupFailed, reason);
        Ok(())
    }
}
