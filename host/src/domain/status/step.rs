//! The rows of the table: what each happening does to a job, and in which phases it may.

use std::time::Duration;

use jiff::Timestamp;

use super::{Refusal, Step};
use crate::base::clock::after;
use crate::domain::event::{EventKind, TimelineEntry};
use crate::domain::job::{Lane, Phase};
use crate::domain::provider::{FaxError, ProviderStatus, StatusUpdate};

impl Step {
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

    pub(super) fn take(
        &mut self,
        id: &str,
        poll_at: Timestamp,
        adopted: bool,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        if self.job.was(id) {
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
        self.require(matches!(
            self.job.phase,
            Phase::Submitting | Phase::Uncertain { .. }
        ))?;
        self.adopt(id, poll_at, now);
        let (kind, detail) = if adopted {
            (
                EventKind::Adopted,
                "a look-up by tag found this fax at the provider",
            )
        } else {
            (EventKind::Submitted, "the provider took this fax")
        };
        self.push(self.entry(now, kind).detail(detail).fact("provider_id", id));
        match self.job.early.take() {
            Some(update) if update.provider_id == id => self.news(&update, "callback", poll_at, now),
            _ => Ok(()),
        }
    }

    /// Puts the job into the phase of one that the provider has.
    fn adopt(&mut self, id: &str, poll_at: Timestamp, now: Timestamp) {
        self.job.provider_id = Some(id.to_owned());
        if self.job.cancel_requested {
            self.go(Phase::Cancelling { scheduled: false }, now);
        } else {
            self.go(Phase::Submitted, poll_at);
        }
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
        look_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let Phase::Uncertain { absent_since } = self.job.phase else {
            return self.refused();
        };
        let since = absent_since.unwrap_or(now);
        // A clock set back must not make the wait endless, nor one set forward be taken for waiting twice.
        let since = since.min(now);
        let waited = now.duration_since(since);
        if absent_since.is_some() && Duration::try_from(waited).is_ok_and(|waited| waited >= grace) {
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
        self.job.looks = self.job.looks.saturating_add(1);
        self.job.phase = Phase::Uncertain {
            absent_since: Some(since),
        };
        self.job.wake_at = Some(look_at.min(after(since, grace)).max(now));
        self.note(now, EventKind::Absent, "a look-up by tag did not find this fax");
        Ok(())
    }

    pub(super) fn no_answer(
        &mut self,
        reason: &str,
        ask_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        self.require(self.job.phase.lane() == Some(Lane::Follow))?;
        self.job.looks = self.job.looks.saturating_add(1);
        self.job.wake_at = Some(ask_at);
        self.note(now, EventKind::LookupFailed, reason);
        Ok(())
    }

    pub(super) fn news(
        &mut self,
        update: &StatusUpdate,
        source: &'static str,
        poll_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        if self.job.was(&update.provider_id) {
            self.past_news(update, source, now);
            return Ok(());
        }
        match &self.job.provider_id {
            Some(known) if *known != update.provider_id => return Err(Refusal::OtherFax),
            Some(_) => {}
            None if self.job.phase.is_final() => {}
            None => self.adopt_by_news(&update.provider_id, poll_at, now),
        }
        if self.job.phase.is_final() {
            return self.late(update, source, now);
        }
        match update.status {
            ProviderStatus::Delivered => self.delivered(update, source, now),
            ProviderStatus::Failed => self.failed(update, source, now),
            ProviderStatus::PartlyDelivered | ProviderStatus::Unknown if source == "callback" => {
                self.progress(update, source, now, now);
            }
            _ => self.progress(update, source, poll_at, now),
        }
        Ok(())
    }

    /// The provider proves to have the fax although nobody told us so: also of one that waits to be sent again,
    /// which must not happen then.
    fn adopt_by_news(&mut self, id: &str, poll_at: Timestamp, now: Timestamp) {
        let detail = if self.job.phase == Phase::Due {
            "a callback proves that the provider has this fax: it is not sent again"
        } else {
            "a callback named this fax before the request was answered"
        };
        self.adopt(id, poll_at, now);
        let entry = self.entry(now, EventKind::Adopted).fact("provider_id", id);
        self.push(entry.detail(detail));
    }

    /// News after the end: a repeat is nothing, a contradiction is kept for the auditor and changes nothing.
    fn late(&mut self, update: &StatusUpdate, source: &'static str, now: Timestamp) -> Result<(), Refusal> {
        let contradicts = match update.status {
            ProviderStatus::Delivered => self.job.phase != Phase::Delivered,
            ProviderStatus::Failed => self.job.phase != Phase::Failed,
            _ => false,
        };
        if contradicts {
            let entry = self.entry(now, EventKind::Disregarded).fact("source", source);
            self.push(entry.detail(format!(
                "final already; the provider says {}",
                update.provider_status
            )));
            return Ok(());
        }
        Ok(())
    }

    fn delivered(&mut self, update: &StatusUpdate, source: &'static str, now: Timestamp) {
        self.take_facts(update);
        self.job.error = None;
        self.end(Phase::Delivered, self.ended_at(update, now));
        let entry = self.entry(now, EventKind::Delivered).fact("source", source);
        self.push(with_facts(entry, update));
    }

    fn failed(&mut self, update: &StatusUpdate, source: &'static str, now: Timestamp) {
        self.take_facts(update);
        let error = update.error.clone().unwrap_or_else(|| FaxError {
            error_type: "unknown".to_owned(),
            error_id: None,
            message: "the provider reports failure without a reason".to_owned(),
        });
        // The provider's number for a fax that was cancelled on request (error table, id 75).
        let error = if self.job.cancel_requested && error.error_id == Some(75) {
            cancelled_error()
        } else {
            error
        };
        if self.fax_again(&error, now) {
            return;
        }
        let entry = self
            .entry(now, EventKind::Failed)
            .detail(&error.message)
            .fact("source", source);
        self.push(with_facts(entry, update));
        self.job.error = Some(error);
        self.end(Phase::Failed, self.ended_at(update, now));
    }

    fn progress(&mut self, update: &StatusUpdate, source: &'static str, ask_at: Timestamp, now: Timestamp) {
        self.job.wake_at = Some(match self.job.phase {
            // The cancel request itself must not wait for the next poll.
            Phase::Cancelling { scheduled: false } => now,
            _ => ask_at,
        });
        self.job.looks = if source == "poll" {
            self.job.looks.saturating_add(1)
        } else {
            0
        };
        let before = (self.job.pages, self.job.cost_cents);
        self.take_facts(update);
        let told = update.in_flight.as_deref().unwrap_or(&update.provider_status);
        // A poll that says the same again is not worth a line; the new time to ask is kept all the same.
        let silent = source == "poll" && before == (self.job.pages, self.job.cost_cents);
        let entry = self
            .entry(now, EventKind::Progress)
            .detail(told)
            .fact("source", source);
        self.push(if silent { entry } else { with_facts(entry, update) });
    }

    /// When the provider says it ended. Its clock is not ours: a time before the job or after now would move the
    /// destruction of the document.
    fn ended_at(&self, update: &StatusUpdate, now: Timestamp) -> Timestamp {
        let told = update.completed_at.unwrap_or(now);
        told.max(self.job.created_at).min(now)
    }

    fn take_facts(&mut self, update: &StatusUpdate) {
        // The provider says 0 pages and 0 cents until it knows better.
        self.job.pages = update.pages.filter(|&pages| pages > 0).or(self.job.pages);
        self.job.cost_cents = update
            .cost_cents
            .map(|cents| cents.saturating_add(self.job.past_cents()))
            .or(self.job.cost_cents);
    }

    pub(super) fn hint(&mut self, update: &StatusUpdate, now: Timestamp) -> Result<(), Refusal> {
        if self.job.phase.is_final() {
            return Err(Refusal::Final);
        }
        if self.job.was(&update.provider_id) {
            return Ok(());
        }
        match &self.job.provider_id {
            Some(known) if *known != update.provider_id => return Err(Refusal::OtherFax),
            // The answer came in between: what was a hint is news now.
            Some(_) => {
                let poll_at = self.job.wake_at.unwrap_or(now);
                return self.news(update, "callback", poll_at, now);
            }
            None => {}
        }
        self.require(matches!(
            self.job.phase,
            Phase::Submitting | Phase::Uncertain { .. }
        ))?;
        if self.job.early.as_deref() == Some(update) {
            return Ok(());
        }
        self.job.early = Some(Box::new(update.clone()));
        if matches!(self.job.phase, Phase::Uncertain { .. }) {
            self.job.wake_at = Some(now);
        }
        self.note(
            now,
            EventKind::Progress,
            "a callback names this job without proof: waiting for the provider's answer",
        );
        Ok(())
    }

    pub(super) fn request_cancel(&mut self, now: Timestamp) -> Result<(), Refusal> {
        if self.job.phase.is_final() {
            return Err(Refusal::Final);
        }
        if self.job.cancel_requested {
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

    pub(super) fn expire(&mut self, reason: &str, now: Timestamp) -> Result<(), Refusal> {
        if self.job.phase.is_final() {
            return Err(Refusal::Final);
        }
        let message = format!("not settled before its deadline: {reason}");
        self.note(now, EventKind::Failed, &message);
        self.fail(
            FaxError {
                error_type: "deadline".to_owned(),
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

    fn cancelled(&mut self, now: Timestamp) {
        self.note(now, EventKind::Failed, "cancelled before the provider had it");
        self.fail(cancelled_error(), now);
    }

    fn fail(&mut self, error: FaxError, now: Timestamp) {
        self.job.error = Some(error);
        self.end(Phase::Failed, now);
    }

    fn end(&mut self, phase: Phase, at: Timestamp) {
        self.job.phase = phase;
        self.job.wake_at = None;
        self.job.early = None;
        self.job.completed_at = Some(at);
    }

    pub(super) fn go(&mut self, phase: Phase, wake_at: Timestamp) {
        self.job.phase = phase;
        self.job.wake_at = Some(wake_at);
        self.job.looks = 0;
    }

    fn require(&self, allowed: bool) -> Result<(), Refusal> {
        if allowed { Ok(()) } else { self.refused() }
    }

    fn refused(&self) -> Result<(), Refusal> {
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

    fn note(&mut self, now: Timestamp, kind: EventKind, detail: &str) {
        let entry = self.entry(now, kind).detail(detail);
        self.push(entry);
    }

    pub(super) fn push(&mut self, entry: TimelineEntry) {
        self.entries.push(entry);
    }
}

/// The error of a fax that its sender cancelled.
fn cancelled_error() -> FaxError {
    FaxError {
        error_type: "cancelled".to_owned(),
        error_id: None,
        message: "cancelled".to_owned(),
    }
}

fn with_facts(entry: TimelineEntry, update: &StatusUpdate) -> TimelineEntry {
    let entry = entry.fact("provider_status", &update.provider_status);
    update
        .facts
        .iter()
        .fold(entry, |entry, (name, value)| entry.fact(name, value))
}
