//! Cancelling: at once while the provider does not have the fax, otherwise by asking it.

use jiff::Timestamp;

use super::{Refusal, Transition};
use crate::event::EventKind;
use crate::job::Phase;
use crate::provider::{ErrorType, FaxError};

impl Transition {
    pub(super) fn request_cancel(&mut self, now: Timestamp) -> Result<(), Refusal> {
        if self.job.phase.is_final() {
            return Err(Refusal::Final);
        }
        // After a refusal of the provider's it may be asked again.
        if self.job.cancel_requested && self.job.phase != Phase::Submitted {
            return Ok(());
        }
        self.job.cancel_requested = true;
        self.note(now, EventKind::CancelRequested, "");
        match self.job.phase {
            Phase::Due => self.cancelled(now),
            Phase::Submitted => self.go(Phase::Cancelling { scheduled: false }, now),
            // The request under way decides; a fax that is uncertain is looked up at once.
            Phase::Uncertain { .. } => self.job.wake_at = Some(now),
            _ => {}
        }
        Ok(())
    }

    pub(super) fn cancel_scheduled(&mut self, poll_at: Timestamp, now: Timestamp) -> Result<(), Refusal> {
        self.require(self.job.phase == Phase::Cancelling { scheduled: false })?;
        self.go(Phase::Cancelling { scheduled: true }, poll_at);
        self.note(
            now,
            EventKind::CancelScheduled,
            "the provider agreed to cancel; the fax may still complete",
        );
        Ok(())
    }

    pub(super) fn cancel_refused(
        &mut self,
        reason: &str,
        poll_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        self.require(matches!(self.job.phase, Phase::Cancelling { .. }))?;
        self.go(Phase::Submitted, poll_at);
        self.note(now, EventKind::CancelRefused, reason);
        Ok(())
    }

    pub(super) fn cancelled(&mut self, now: Timestamp) {
        self.note(now, EventKind::Failed, "cancelled before the provider had it");
        self.fail(cancelled_error(), now);
    }
}

/// The error of a fax that its sender cancelled.
pub(super) fn cancelled_error() -> FaxError {
    FaxError {
        error_type: ErrorType::Cancelled,
        error_id: None,
        message: "cancelled".to_owned(),
    }
}
