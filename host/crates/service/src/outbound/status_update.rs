//! Status updates of sent faxes that the provider reports by callback.
//!
//! An update is applied to the job that holds the provider's id of the fax. A job that holds none yet is given one
//! only by an update that proves which job it is about.

use crate::callbacks::{CallbackOutcome, Incoming, count, signed_url};
use crate::{App, Error};
use faxgate_base::clock::after;
use faxgate_base::crash;
use faxgate_domain::ids::JobId;
use faxgate_domain::job::Job;
use faxgate_domain::provider::{CallbackEvent, EventSource, ProviderStatus, StatusUpdate};
use faxgate_domain::status::JobEvent;
use faxgate_policy::DeliveryKind;

impl App {
    /// Takes a callback about a fax that is sent.
    ///
    /// # Errors
    /// `Code::BadSignature` when nobody can believe it; otherwise only faults of ours.
    pub async fn status_callback(&self, mut incoming: Incoming) -> Result<CallbackOutcome, Error> {
        let config = self.config();
        let url = signed_url(&config.phaxio.callback_url, &incoming.raw_query);
        let named = incoming
            .query
            .iter()
            .find(|(name, _)| name == "job_id")
            .map(|(_, id)| id.clone());
        let verdict = self
            .evaluate_callback(
                &mut incoming,
                DeliveryKind::Status,
                url,
                config.phaxio.verify_signature,
            )
            .await?;
        let Some(events) = verdict else {
            return Ok(count(CallbackOutcome::Ignored));
        };
        let mut outcome = CallbackOutcome::Ignored;
        for event in events {
            if let CallbackEvent::Status(update) = event {
                outcome = self.apply_update(*update, named.as_deref()).await?;
            }
        }
        Ok(count(outcome))
    }

    /// Applies an update to the job it is about.
    async fn apply_update(
        &self,
        update: StatusUpdate,
        named: Option<&str>,
    ) -> Result<CallbackOutcome, Error> {
        let named: Option<JobId> = named.and_then(|id| id.parse().ok());
        let holder = self.parts.store.job_by_provider_id(&update.provider_id).await?;
        let proved = update.job;
        match (holder, proved, named) {
            // The fax belongs to another job than the one the address or the tag names.
            (Some(holder), proved, named)
                if proved.is_some_and(|id| id != holder) || named.is_some_and(|id| id != holder) =>
            {
                self.mismatch(named.or(proved)).await
            }
            (Some(holder), ..) => self.apply_to_job(holder, update).await,
            (None, Some(proved), named) if named.is_none_or(|id| id == proved) => {
                self.apply_to_job(proved, update).await
            }
            (None, Some(_), named) => self.mismatch(named).await,
            (None, None, Some(named)) => self.apply_hint(named, update).await,
            (None, None, None) => Ok(CallbackOutcome::Unmatched),
        }
    }

    async fn apply_to_job(&self, id: JobId, update: StatusUpdate) -> Result<CallbackOutcome, Error> {
        crash::point("called", id);
        let Some(job) = self.parts.store.job(id).await? else {
            return Ok(CallbackOutcome::Unmatched);
        };
        let now = self.parts.clock.now();
        if is_repeat(&job, &update) {
            return Ok(CallbackOutcome::Repeated);
        }
        let config = self.config();
        let update = Box::new(update);
        let event = if config.dispatch.confirm_callbacks && update.status.is_end() {
            JobEvent::UnverifiedUpdate { update }
        } else {
            JobEvent::VerifiedUpdate {
                update,
                source: EventSource::Callback,
                poll_at: after(now, config.dispatch.poll_after),
            }
        };
        let done = self.parts.store.advance(id, event).await?;
        crash::point("noted", id);
        if done.refusal.is_some() {
            return self.mismatch(Some(id)).await;
        }
        if done.changed {
            tracing::info!(job = %id, status = done.job.status().as_str(), "fax moved on by callback");
            self.parts.work.notify_one();
        }
        Ok(if done.changed {
            CallbackOutcome::Applied
        } else {
            CallbackOutcome::Repeated
        })
    }

    async fn apply_hint(&self, id: JobId, mut update: StatusUpdate) -> Result<CallbackOutcome, Error> {
        if self.config().dispatch.confirm_callbacks && update.status.is_end() {
            // All it does is to have the provider asked once the fax is known to be the job's.
            update.status = ProviderStatus::Unknown;
        }
        if self.parts.store.job(id).await?.is_none() {
            return Ok(CallbackOutcome::Unmatched);
        }
        let done = self
            .parts
            .store
            .advance(
                id,
                JobEvent::UnverifiedHint {
                    update: Box::new(update),
                },
            )
            .await?;
        if done.refusal.is_some() {
            return self.mismatch(Some(id)).await;
        }
        self.parts.work.notify_one();
        Ok(if done.changed {
            CallbackOutcome::Applied
        } else {
            CallbackOutcome::Repeated
        })
    }

    /// An update that does not fit the job that it names changes nothing, and the timeline records it.
    async fn mismatch(&self, id: Option<JobId>) -> Result<CallbackOutcome, Error> {
        tracing::warn!(job = ?id, "a callback names a job that its fax does not belong to; nothing changed");
        let job = match id {
            Some(id) => self.parts.store.job(id).await?,
            None => None,
        };
        if let Some(job) = job {
            self.add_timeline_note(
                &job,
                "a callback named this job, but its fax belongs to another one; nothing changed",
            )
            .await;
        }
        Ok(CallbackOutcome::Unmatched)
    }
}

/// Whether an update repeats what a final state says: callbacks are delivered up to sixteen times, and a repeat
/// needs no commit.
fn is_repeat(job: &Job, update: &StatusUpdate) -> bool {
    use faxgate_domain::job::Phase;
    if job.provider_id.as_deref() != Some(update.provider_id.as_str()) || !job.phase.is_final() {
        return false;
    }
    match update.status {
        ProviderStatus::Delivered => job.phase == Phase::Delivered,
        ProviderStatus::Failed => job.phase == Phase::Failed,
        _ => true,
    }
}
