//! News of a fax from the provider: forward only, and of the fax that is the job's.

use jiff::Timestamp;

use super::cancel::cancelled_error;
use super::{Refusal, Transition};
use crate::event::{EventKind, TimelineEntry};
use crate::job::Phase;
use crate::provider::{ErrorType, EventSource, FaxError, ProviderStatus, StatusUpdate};

impl Transition {
    pub(super) fn news(
        &mut self,
        update: &StatusUpdate,
        source: EventSource,
        poll_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        if self.job.had_provider_id(&update.provider_id) {
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
            ProviderStatus::PartlyDelivered | ProviderStatus::Unknown if source == EventSource::Callback => {
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
    fn late(&mut self, update: &StatusUpdate, source: EventSource, now: Timestamp) -> Result<(), Refusal> {
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

    fn delivered(&mut self, update: &StatusUpdate, source: EventSource, now: Timestamp) {
        self.take_facts(update);
        self.job.error = None;
        self.end(Phase::Delivered, self.ended_at(update, now));
        let entry = self.entry(now, EventKind::Delivered).fact("source", source);
        self.push(with_facts(entry, update));
    }

    fn failed(&mut self, update: &StatusUpdate, source: EventSource, now: Timestamp) {
        self.take_facts(update);
        let error = update.error.clone().unwrap_or_else(|| FaxError {
            error_type: ErrorType::Unknown,
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

    fn progress(&mut self, update: &StatusUpdate, source: EventSource, ask_at: Timestamp, now: Timestamp) {
        self.job.wake_at = Some(match self.job.phase {
            // The cancel request itself must not wait for the next poll.
            Phase::Cancelling { scheduled: false } => now,
            _ => ask_at,
        });
        self.job.poll_attempts = if source == EventSource::Poll {
            self.job.poll_attempts.saturating_add(1)
        } else {
            0
        };
        let before = (self.job.pages, self.job.cost_cents);
        self.take_facts(update);
        let told = update.in_flight.as_deref().unwrap_or(&update.provider_status);
        // A poll that says the same again is not worth a line; the new time to ask is kept all the same.
        let silent = source == EventSource::Poll && before == (self.job.pages, self.job.cost_cents);
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
            .map(|cents| cents.saturating_add(self.job.previous_cost_cents()))
            .or(self.job.cost_cents);
    }

    /// A final word that the provider has to confirm: kept until it does, and asked about at once.
    pub(super) fn told(&mut self, update: &StatusUpdate, now: Timestamp) -> Result<(), Refusal> {
        if self.job.had_provider_id(&update.provider_id) {
            self.past_news(update, EventSource::Callback, now);
            return Ok(());
        }
        match &self.job.provider_id {
            Some(known) if *known != update.provider_id => return Err(Refusal::OtherFax),
            Some(_) => {}
            None if self.job.phase.is_final() => {}
            None => self.adopt_by_news(&update.provider_id, now, now),
        }
        if self.job.phase.is_final() {
            return self.late(update, EventSource::Callback, now);
        }
        if self.job.pending_update.as_deref() == Some(update) {
            return Ok(());
        }
        self.job.pending_update = Some(Box::new(update.clone()));
        self.job.poll_attempts = 0;
        self.job.wake_at = Some(now);
        let entry = self
            .entry(now, EventKind::Progress)
            .fact("source", EventSource::Callback)
            .detail(format!(
                "a callback says {}: asking the provider before it is believed",
                update.provider_status
            ));
        self.push(with_facts(entry, update));
        Ok(())
    }

    pub(super) fn hint(&mut self, update: &StatusUpdate, now: Timestamp) -> Result<(), Refusal> {
        if self.job.phase.is_final() {
            return Err(Refusal::Final);
        }
        if self.job.had_provider_id(&update.provider_id) {
            return Ok(());
        }
        match &self.job.provider_id {
            Some(known) if *known != update.provider_id => return Err(Refusal::OtherFax),
            // The answer came in between: what was a hint is news now.
            Some(_) => {
                let poll_at = self.job.wake_at.unwrap_or(now);
                return self.news(update, EventSource::Callback, poll_at, now);
            }
            None => {}
        }
        self.require(matches!(
            self.job.phase,
            Phase::Submitting | Phase::Uncertain { .. }
        ))?;
        if self.job.pending_update.as_deref() == Some(update) {
            return Ok(());
        }
        self.job.pending_update = Some(Box::new(update.clone()));
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
}

fn with_facts(entry: TimelineEntry, update: &StatusUpdate) -> TimelineEntry {
    let entry = entry.fact("provider_status", &update.provider_status);
    update
        .facts
        .iter()
        .fold(entry, |entry, (name, value)| entry.fact(name, value))
}
