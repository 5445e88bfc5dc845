//! Following one job under way: look it up, poll it, pass on a cancellation, close it.

use std::time::Duration;

use super::{Dispatcher, backoff};
use faxgate_base::clock::{after, before};
use faxgate_base::crash;
use faxgate_domain::event::{EventKind, TimelineEntry};
use faxgate_domain::job::{JOB_TAG, Job, Phase};
use faxgate_domain::provider::{EventSource, ProviderStatus, StatusUpdate};
use faxgate_domain::status::JobEvent;
use faxgate_provider::phaxio::{CancelOutcome, FaxInfo, LookupError};

/// How far the provider's clock and ours may be apart when a fax is looked up by time.
const CLOCK_SLACK: Duration = Duration::from_secs(24 * 3600);
/// First wait between two look-ups of one fax.
const LOOK_AGAIN: Duration = Duration::from_secs(10);
/// A fax that was not looked for in this time is forgotten: it was settled otherwise.
const ABSENCE_FORGOTTEN: Duration = Duration::from_secs(7 * 24 * 3600);

/// Does what `job` needs next, and closes it when its deadline has passed without an end.
pub(super) async fn follow(dispatcher: &Dispatcher, job: &Job) {
    let said = match job.phase {
        // Whether the provider has it is asked next, whatever the hour.
        Phase::Submitting => return unsettled(dispatcher, job).await,
        Phase::Uncertain { .. } => look_up(dispatcher, job).await,
        Phase::Cancelling { scheduled: false } => cancel(dispatcher, job).await,
        Phase::Submitted | Phase::Cancelling { scheduled: true } => poll(dispatcher, job).await,
        Phase::Disabled | Phase::Due | Phase::Delivered | Phase::Failed => return,
    };
    crash::point("followed", job.id);
    if job.deadline <= dispatcher.parts.clock.now() {
        close(dispatcher, job, said).await;
    }
}

/// A request whose outcome was never recorded.
async fn unsettled(dispatcher: &Dispatcher, job: &Job) {
    let event = JobEvent::OutcomeUnknown {
        reason: "the outcome of the request was never recorded".to_owned(),
        look_at: dispatcher.parts.clock.now(),
    };
    dispatcher.settle(job.id, event).await;
}

/// Closes a job after its deadline. What the provider still has is cancelled first: who is told that a fax has
/// failed may send it again.
async fn close(dispatcher: &Dispatcher, job: &Job, mut said: String) {
    let job = match dispatcher.parts.store.job(job.id).await {
        Ok(Some(job)) if !job.phase.is_final() => job,
        _ => return,
    };
    if let Some(provider_id) = &job.provider_id {
        dispatcher.slot().await;
        match dispatcher.parts.phaxio.cancel(provider_id).await {
            Ok(CancelOutcome::Scheduled) => said.push_str("; the provider was asked to cancel it"),
            // Most likely it has just ended.
            Ok(CancelOutcome::Refused { .. }) => said = poll(dispatcher, &job).await,
            Err(error) => said.push_str(&format!("; it could not be cancelled ({error})")),
        }
    }
    // A final state that came meanwhile refuses this.
    dispatcher
        .settle(job.id, JobEvent::Expired { reason: said })
        .await;
}

/// The provider has a fax that no job can have any more: it is cancelled, and the timeline tells.
pub(super) async fn give_up(dispatcher: &Dispatcher, job: &Job, provider_id: &str) {
    let parts = &dispatcher.parts;
    dispatcher.slot().await;
    let came = match parts.phaxio.cancel(provider_id).await {
        Ok(CancelOutcome::Scheduled) => "it was cancelled".to_owned(),
        Ok(CancelOutcome::Refused { reason }) => format!("it could not be cancelled ({reason})"),
        Err(error) => format!("it could not be cancelled ({error})"),
    };
    tracing::error!(job = %job.id, came, "the provider has a fax of this job that is one too many");
    let entry = TimelineEntry::new(parts.clock.now(), EventKind::Disregarded)
        .detail(format!("the provider has a fax of this job too many: {came}"))
        .fact("provider_id", provider_id);
    if let Err(error) = parts.store.note(job.id, entry).await {
        tracing::warn!(%error, job = %job.id, "a timeline line could not be written");
    }
}

/// Looks for a fax that the provider may or may not have, by our tag.
async fn look_up(dispatcher: &Dispatcher, job: &Job) -> String {
    let parts = &dispatcher.parts;
    if let Some(fax) = confirmed_hint(dispatcher, job).await {
        return adopt(dispatcher, job, fax).await;
    }
    dispatcher.slot().await;
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
            dispatcher.gate.open();
            // A fax that failed before is no sign of the one that is looked for.
            let found = found
                .into_iter()
                .filter(|fax| !job.had_provider_id(fax.provider_id()));
            let mut found: Vec<_> = found.collect();
            found.sort_by_key(|fax| (rank(fax.update.status), fax.created_at));
            let mut found = found.into_iter();
            if let Some(best) = found.next() {
                let said = adopt(dispatcher, job, best).await;
                for extra in found {
                    give_up(dispatcher, job, extra.provider_id()).await;
                }
                return said;
            }
            absent(dispatcher, job)
        }
        Err(error) => no_answer(dispatcher, job, &error),
    };
    let said = match &event {
        JobEvent::LookupFailed { reason, .. } => {
            format!("the provider could not be asked whether it has the fax ({reason})")
        }
        _ => "the provider does not have the fax, and it was too late to send it again".to_owned(),
    };
    dispatcher.settle(job.id, event).await;
    said
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

/// The provider has the fax: it is the job's, and how it stands is known as well.
async fn adopt(dispatcher: &Dispatcher, job: &Job, fax: FaxInfo) -> String {
    dispatcher.absent.lock().remove(&job.id);
    let taken = JobEvent::Accepted {
        provider_id: fax.provider_id().to_owned(),
        poll_at: dispatcher.parts.clock.now(),
        adopted: true,
    };
    dispatcher.settle(job.id, taken).await;
    told(dispatcher, job, fax.update).await
}

/// Records what the provider answered.
async fn told(dispatcher: &Dispatcher, job: &Job, update: StatusUpdate) -> String {
    let said = format!("the provider says {}", update.provider_status);
    let news = JobEvent::VerifiedUpdate {
        update: Box::new(update),
        source: EventSource::Poll,
        poll_at: dispatcher.poll_at(job),
    };
    dispatcher.settle(job.id, news).await;
    said
}

fn absent(dispatcher: &Dispatcher, job: &Job) -> JobEvent {
    let parts = &dispatcher.parts;
    let grace = parts.config.load().dispatch.grace;
    let uptime = parts.clock.uptime();
    let waited = {
        let mut absent = dispatcher.absent.lock();
        absent.retain(|_, since| uptime.saturating_sub(*since) < ABSENCE_FORGOTTEN);
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
    let wait = backoff::exponential(LOOK_AGAIN.min(grace), job.poll_attempts.saturating_add(1));
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
    dispatcher.slot().await;
    let fax = dispatcher.parts.phaxio.fax(named).await.ok()?;
    dispatcher.gate.open();
    (fax.update.job == Some(job.id)).then_some(fax)
}

/// Asks how a fax stands.
async fn poll(dispatcher: &Dispatcher, job: &Job) -> String {
    let Some(provider_id) = &job.provider_id else {
        return "it has no id at the provider".to_owned();
    };
    dispatcher.slot().await;
    let answer = dispatcher.parts.phaxio.fax(provider_id).await;
    crash::point("looked", job.id);
    match answer {
        Ok(fax) => {
            dispatcher.gate.open();
            told(dispatcher, job, fax.update).await
        }
        Err(error) => {
            dispatcher
                .settle(job.id, no_answer(dispatcher, job, &error))
                .await;
            format!("the provider gave no answer ({error})")
        }
    }
}

/// Passes a cancellation on.
async fn cancel(dispatcher: &Dispatcher, job: &Job) -> String {
    let parts = &dispatcher.parts;
    let Some(provider_id) = &job.provider_id else {
        return "it has no id at the provider".to_owned();
    };
    dispatcher.slot().await;
    let answer = parts.phaxio.cancel(provider_id).await;
    crash::point("looked", job.id);
    let soon = after(parts.clock.now(), LOOK_AGAIN);
    let event = match answer {
        Ok(CancelOutcome::Scheduled) => JobEvent::CancelScheduled { poll_at: soon },
        // Most likely it is complete: ask at once how it ended.
        Ok(CancelOutcome::Refused { reason }) => JobEvent::CancelRefused {
            reason,
            poll_at: parts.clock.now(),
        },
        Err(error) => no_answer(dispatcher, job, &error),
    };
    dispatcher.settle(job.id, event).await;
    "cancelling was not confirmed".to_owned()
}

/// What a question without an answer means.
fn no_answer(dispatcher: &Dispatcher, job: &Job, error: &LookupError) -> JobEvent {
    let Dispatcher {
        parts, pacer, gate, ..
    } = dispatcher;
    let mut wait = backoff::jittered(
        parts.config.load().dispatch.backoff,
        job.poll_attempts.saturating_add(1),
    );
    match error {
        LookupError::RateLimited { retry_after } => {
            wait = retry_after.unwrap_or(wait);
            pacer.hold(wait);
        }
        LookupError::Unauthorized => gate.refused(&error.to_string()),
        LookupError::Unreachable(_) | LookupError::BadAnswer(_) | LookupError::NotFound => {}
    }
    JobEvent::LookupFailed {
        reason: error.to_string(),
        ask_at: after(parts.clock.now(), wait),
    }
}
