//! Looking up an uncertain fax at the provider by its tag: adopt it, or note that it is absent.

use std::time::Duration;

use super::poll_status::{lookup_failed, record_update};
use super::{Dispatcher, RECONCILE_BASE, backoff};
use faxgate_base::clock::{after, before};
use faxgate_base::crash;
use faxgate_domain::event::{EventKind, TimelineEntry};
use faxgate_domain::job::{JOB_TAG, Job, Phase};
use faxgate_domain::provider::ProviderStatus;
use faxgate_domain::status::JobEvent;
use faxgate_provider::phaxio::{CancelOutcome, FaxInfo};

/// How far the provider's clock and ours may be apart when a fax is looked up by time.
const CLOCK_SLACK: Duration = Duration::from_secs(24 * 3600);
/// A fax that was not looked up for this long is no longer remembered as absent: its outcome is known.
const ABSENCE_TTL: Duration = Duration::from_secs(7 * 24 * 3600);

/// Cancels a fax that the provider has and no job can have any more, and notes it in the timeline.
pub(super) async fn cancel_surplus(dispatcher: &Dispatcher, job: &Job, provider_id: &str) {
    let parts = &dispatcher.parts;
    dispatcher.throttle().await;
    let result = match parts.phaxio.cancel(provider_id).await {
        Ok(CancelOutcome::Scheduled) => "it was cancelled".to_owned(),
        Ok(CancelOutcome::Refused { reason }) => format!("it could not be cancelled ({reason})"),
        Err(error) => format!("it could not be cancelled ({error})"),
    };
    tracing::error!(job = %job.id, result, "the provider has a fax of this job that is one too many");
    let entry = TimelineEntry::new(parts.clock.now(), EventKind::Disregarded)
        .detail(format!("the provider has a fax of this job too many: {result}"))
        .fact("provider_id", provider_id);
    if let Err(error) = parts.store.note(job.id, entry).await {
        tracing::warn!(%error, job = %job.id, "a timeline line could not be written");
    }
}

/// Looks up a fax that the provider may or may not have by our tag. Returns what was found, for the timeline.
pub(super) async fn reconcile(dispatcher: &Dispatcher, job: &Job) -> String {
    let parts = &dispatcher.parts;
    if let Some(fax) = confirmed_hint(dispatcher, job).await {
        return adopt(dispatcher, job, fax).await;
    }
    dispatcher.throttle().await;
    // The window is wide, and always given: the provider's own ends a week back.
    let from = before(job.earliest_start(), CLOCK_SLACK);
    let to = after(parts.clock.now(), CLOCK_SLACK);
    let found = parts
        .phaxio
        .find_by_tag(JOB_TAG, &job.id.to_string(), from, to)
        .await;
    crash::point("looked", job.id);
    let event = match found {
        Ok(found) => {
            dispatcher.breaker.record_success();
            // A fax that failed before is no sign of the one that is looked for.
            let found = found
                .into_iter()
                .filter(|fax| !job.had_provider_id(fax.provider_id()));
            let mut found: Vec<_> = found.collect();
            found.sort_by_key(|fax| (rank(fax.update.status), fax.created_at));
            let mut found = found.into_iter();
            if let Some(best) = found.next() {
                let finding = adopt(dispatcher, job, best).await;
                for extra in found {
                    cancel_surplus(dispatcher, job, extra.provider_id()).await;
                }
                return finding;
            }
            record_absence(dispatcher, job)
        }
        Err(error) => lookup_failed(dispatcher, job, &error),
    };
    let finding = match &event {
        JobEvent::LookupFailed { reason, .. } => {
            format!("the provider could not be asked whether it has the fax ({reason})")
        }
        _ => "the provider does not have the fax, and it was too late to send it again".to_owned(),
    };
    dispatcher.record_outcome(job.id, event).await;
    finding
}

/// Of several faxes with one tag the one is adopted that did or may yet do what the job is for; of equals the oldest.
fn rank(status: ProviderStatus) -> u8 {
    match status {
        ProviderStatus::Delivered => 0,
        ProviderStatus::PartlyDelivered => 1,
        ProviderStatus::InProgress => 2,
        ProviderStatus::Queued => 3,
        ProviderStatus::Unknown => 4,
        ProviderStatus::Failed => 5,
    }
}

/// Records that the provider has the fax, and its status.
async fn adopt(dispatcher: &Dispatcher, job: &Job, fax: FaxInfo) -> String {
    dispatcher.absent.lock().remove(&job.id);
    let taken = JobEvent::Accepted {
        provider_id: fax.provider_id().to_owned(),
        poll_at: dispatcher.parts.clock.now(),
        adopted: true,
    };
    dispatcher.record_outcome(job.id, taken).await;
    record_update(dispatcher, job, fax.update).await
}

fn record_absence(dispatcher: &Dispatcher, job: &Job) -> JobEvent {
    let parts = &dispatcher.parts;
    let grace = parts.config.load().dispatch.grace;
    let uptime = parts.clock.uptime();
    let waited = {
        let mut absent = dispatcher.absent.lock();
        absent.retain(|_, since| uptime.saturating_sub(*since) < ABSENCE_TTL);
        match job.phase {
            // Whatever an earlier attempt of the job waited for does not count.
            Phase::Uncertain { absent_since: None } => absent.insert(job.id, uptime).map(|_| uptime),
            _ => Some(*absent.entry(job.id).or_insert(uptime)),
        }
        .map_or(Duration::ZERO, |since| uptime.saturating_sub(since))
    };
    if waited >= grace {
        dispatcher.absent.lock().remove(&job.id);
    }
    let wait = backoff::exponential(RECONCILE_BASE.min(grace), job.poll_attempts.saturating_add(1));
    JobEvent::NotFound {
        grace,
        waited,
        look_at: after(parts.clock.now(), wait),
    }
}

/// The fax that a callback named without proof, when its tag at the provider says that it is this job's. Lists may
/// lag behind, and a fax that is only missing there must not be sent again.
async fn confirmed_hint(dispatcher: &Dispatcher, job: &Job) -> Option<FaxInfo> {
    let named = &job.pending_update.as_ref()?.provider_id;
    dispatcher.throttle().await;
    let fax = dispatcher.parts.phaxio.fax(named).await.ok()?;
    dispatcher.breaker.record_success();
    (fax.update.job == Some(job.id)).then_some(fax)
}
