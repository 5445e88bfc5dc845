//! The rows of the table about sending and ending, and what all rows share.

use jiff::Timestamp;

use super::{Refusal, Transition};
use crate::event::{EventKind, TimelineEntry};
use crate::job::Phase;
use crate::provider::{ErrorType, FaxError};

impl Transition {
    pub(super) fn claim(&mut self, look_at: Timestamp, now: Timestamp) -> Result<(), Refusal> {
        self.require(self.job.phase == Phase::Due)?;
        self.job.attempts = self.job.attempts.saturating_add(1);
        self.go(Phase::Submitting, look_at);
        self.note(
            now,
            EventKind::Submitting,
            "about to ask the provider to send this fax",
        );
        Ok(())
    }

    pub(super) fn postpone(
        &mut self,
        reason: &str,
        retry_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        self.require(self.job.phase == Phase::Due)?;
        self.job.poll_attempts = self.job.poll_attempts.saturating_add(1);
        self.job.wake_at = Some(retry_at);
        let entry = self.entry(now, EventKind::RetryScheduled).detail(reason);
        self.push(entry.fact("retry_at", retry_at));
        Ok(())
    }

    pub(super) fn not_sent(
        &mut self,
        reason: &str,
        retry_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        self.require(self.job.phase == Phase::Submitting)?;
        if self.job.cancel_requested {
            self.cancelled(now);
            return Ok(());
        }
        self.go(Phase::Due, retry_at);
        self.push(
            self.entry(now, EventKind::RetryScheduled)
                .detail(reason)
                .fact("retry_at", retry_at),
        );
        Ok(())
    }

    pub(super) fn hold(&mut self, reason: &str, retry_at: Timestamp, now: Timestamp) -> Result<(), Refusal> {
        self.require(self.job.phase == Phase::Submitting)?;
        self.push(self.entry(now, EventKind::Held).detail(reason));
        if self.job.cancel_requested {
            self.cancelled(now);
            return Ok(());
        }
        self.job.attempts = self.job.attempts.saturating_sub(1);
        self.go(Phase::Due, retry_at);
        Ok(())
    }

    pub(super) fn refuse(&mut self, error: &FaxError, now: Timestamp) -> Result<(), Refusal> {
        self.require(self.job.phase == Phase::Submitting)?;
        self.push(self.entry(now, EventKind::Refused).detail(&error.message));
        self.fail(error.clone(), now);
        Ok(())
    }

    pub(super) fn expire(&mut self, reason: &str, now: Timestamp) -> Result<(), Refusal> {
        if self.job.phase.is_final() {
            return Err(Refusal::Final);
        }
        let message = format!("not settled before its deadline: {reason}");
        self.note(now, EventKind::Failed, &message);
        self.fail(
            FaxError {
                error_type: ErrorType::Deadline,
                error_id: None,
                message,
            },
            now,
        );
        Ok(())
    }

    pub(super) fn purge(&mut self, now: Timestamp) -> Result<(), Refusal> {
        if self.job.purged_at.is_some() {
            return Ok(());
        }
        self.require(self.job.phase.is_final())?;
        self.job.artifact = None;
        self.job.expires_at = None;
        self.job.purged_at = Some(now);
        self.note(now, EventKind::Purged, "the document was destroyed");
        Ok(())
    }

    pub(super) fn fail(&mut self, error: FaxError, now: Timestamp) {
        self.job.error = Some(error);
        self.end(Phase::Failed, now);
    }

    pub(super) fn end(&mut self, phase: Phase, at: Timestamp) {
        self.job.phase = phase;
        self.job.wake_at = None;
        self.job.pending_update = None;
        self.job.completed_at = Some(at);
    }

    pub(super) fn go(&mut self, phase: Phase, wake_at: Timestamp) {
        self.job.phase = phase;
        self.job.wake_at = Some(wake_at);
        self.job.poll_attempts = 0;
    }

    pub(super) fn require(&self, allowed: bool) -> Result<(), Refusal> {
        if allowed { Ok(()) } else { self.refused() }
    }

    pub(super) fn refused(&self) -> Result<(), Refusal> {
        Err(if self.job.phase.is_final() {
            Refusal::Final
        } else {
            Refusal::NotNow
        })
    }

    pub(super) fn entry(&self, now: Timestamp, kind: EventKind) -> TimelineEntry {
        let entry = TimelineEntry::new(now, kind);
        if self.job.attempts > 0 {
            entry.attempt(self.job.attempts)
        } else {
            entry
        }
    }

    pub(super) fn note(&mut self, now: Timestamp, kind: EventKind, detail: &str) {
        let entry = self.entry(now, kind).detail(detail);
        self.push(entry);
    }

    pub(super) fn push(&mut self, entry: TimelineEntry) {
        self.entries.push(entry);
    }
}
