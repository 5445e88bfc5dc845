//! Sending again a fax that failed in a way that may pass.

use jiff::Timestamp;

use super::Transition;
use crate::event::EventKind;
use crate::job::{Phase, PreviousAttempt};
use crate::provider::{EventSource, FaxError, ProviderStatus, StatusUpdate};
use faxgate_base::clock::after;

impl Transition {
    /// Puts the job back into the queue when its fax failed in a way after which another may be made. The provider
    /// says that this one has ended, so a second one at the same time is impossible.
    pub(super) fn fax_again(&mut self, error: &FaxError, now: Timestamp) -> bool {
        let at = after(now, self.job.retry.wait);
        let wanted = self.job.retry.allows(error) && !self.job.cancel_requested;
        if !wanted || at >= self.job.deadline {
            return false;
        }
        let Some(provider_id) = self.job.provider_id.take() else {
            return false;
        };
        let cost_cents = self
            .job
            .cost_cents
            .map(|total| total.saturating_sub(self.job.previous_cost_cents()));
        let entry = self
            .entry(now, EventKind::RetryScheduled)
            .detail(format!(
                "this fax failed ({}): another one follows",
                error.message
            ))
            .fact("provider_id", &provider_id)
            .fact("class", error.class().as_str())
            .fact("error_id", error.error_id.unwrap_or_default())
            .fact("retry_at", at);
        self.job.previous_attempts.push(PreviousAttempt {
            provider_id,
            error: error.clone(),
            cost_cents,
        });
        self.job.retry.use_up(error);
        self.job.pending_update = None;
        self.go(Phase::Due, at);
        self.push(entry);
        true
    }

    /// News of a fax that another one followed changes nothing; a contradiction is kept for the auditor.
    pub(super) fn past_news(&mut self, update: &StatusUpdate, source: EventSource, now: Timestamp) {
        if update.status == ProviderStatus::Delivered {
            let entry = self.entry(now, EventKind::Disregarded).fact("source", source);
            self.push(entry.fact("provider_id", &update.provider_id).detail(
                "the provider calls a fax delivered that it had called failed and that another one followed",
            ));
        }
    }
}
