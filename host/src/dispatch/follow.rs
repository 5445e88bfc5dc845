//! Following one job under way: look it up, poll it, pass on a cancellation, close it.

use std::time::Duration;

use super::{Dispatcher, backoff};
use crate::base::clock::{after, before};
use crate::domain::job::{JOB_TAG, Job, Phase};
use crate::domain::status::Happening;
use crate::phaxio::{CancelOutcome, LookupError};

/// How far the provider's clock and ours may be apart when a fax is looked up by time.
const CLOCK_SLACK: Duration = Duration::from_secs(24 * 3600);
/// First wait between two look-ups of one fax.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

/// Does what `job` needs next, and closes it when its deadline has passed without an end.
pub(super) async fn follow(dispatcher: &Dispatcher, job: &Job) {
    let said = match job.phase {
        Phase::Submitting => unsettled(dispatcher, job).await,
        Phase::Uncertain { .. } => look_up(dispatcher, job).await,
        Phase::Cancelling { scheduled: false } => cancel(dispatcher, job).await,
        Phase::Submitted | Phase::Cancelling { scheduled: true } => poll(dispatcher, job).await,
        Phase::Disabled | Phase::Due | Phase::Delivered | Phase::Failed => return,
    };
    if job.deadline <= dispatcher.parts.clock.now() {
        // A final state that the last look brought refuses this.
        dispatcher.expire(job, &said).await;
    }
}

/// A request whose outcome was never recorded.
async fn unsettled(dispatcher: &Dispatcher, job: &Job) -> String {
    let reason = "the outcome of the request was never recorded".to_owned();
    let look_at = dispatcher.parts.clock.now();
    dispatcher
        .settle(
            job.id,
            Happening::Unsure {
                reason: reason.clone(),
                look_at,
            },
        )
        .await;
    reason
}

/// Looks for a fax that the provider may or may not have, by our tag.
async fn look_up(dispatcher: &Dispatcher, job: &Job) -> String {
    let parts = &dispatcher.parts;
    slot(dispatcher).await;
    let now = parts.clock.now();
    let (from, to) = (before(job.created_at, CLOCK_SLACK), after(now, CLOCK_SLACK));
    let config = parts.config.load_full();
    if let Some(provider_id) = confirmed_hint(dispatcher, job).await {
        let taken = Happening::Taken {
            provider_id,
            poll_at: now,
            adopted: true,
        };
        dispatcher.settle(job.id, taken).await;
        parts.work.notify_one();
        return "the fax that a callback named is this job's".to_owned();
    }
    let happening = match parts
        .phaxio
        .find_by_tag(JOB_TAG, &job.id.to_string(), from, to)
        .await
    {
        Ok(found) => {
            // A fax that failed before is no sign of the one that is looked for.
            let found: Vec<_> = found.iter().filter(|fax| !job.was(fax.provider_id())).collect();
            match found.first() {
                Some(fax) => {
                    dispatcher.gate.open();
                    if found.len() > 1 {
                        tracing::error!(job = %job.id, faxes = found.len(), "the provider has this job more than once");
                    }
                    // Ask at once: it may be final already.
                    Happening::Taken {
                        provider_id: fax.update.provider_id.clone(),
                        poll_at: now,
                        adopted: true,
                    }
                }
                None => {
                    let wait = backoff::exponential(
                        LOOK_AGAIN.min(config.dispatch.grace),
                        job.looks.saturating_add(1),
                    );
                    Happening::Absent {
                        grace: config.dispatch.grace,
                        look_at: after(now, wait),
                    }
                }
            }
        }
        Err(error) => no_answer(dispatcher, job, &error),
    };
    let said = match &happening {
        Happening::NoAnswer { reason, .. } => {
            format!("the provider could not be asked whether it has the fax ({reason})")
        }
        _ => "whether the provider has the fax could not be settled".to_owned(),
    };
    dispatcher.settle(job.id, happening).await;
    parts.work.notify_one();
    said
}

/// The fax that a callback named without proof, when its tag at the provider says that it is this job's. Lists may
/// lag behind, and a fax that is only missing there must not be sent again.
async fn confirmed_hint(dispatcher: &Dispatcher, job: &Job) -> Option<String> {
    let named = &job.early.as_ref()?.provider_id;
    let fax = dispatcher.parts.phaxio.fax(named).await.ok()?;
    dispatcher.gate.open();
    slot(dispatcher).await;
    (fax.update.job == Some(job.id)).then_some(fax.update.provider_id)
}

/// Asks how a fax stands.
async fn poll(dispatcher: &Dispatcher, job: &Job) -> String {
    let parts = &dispatcher.parts;
    let Some(provider_id) = &job.provider_id else {
        return "it has no id at the provider".to_owned();
    };
    slot(dispatcher).await;
    let (happening, said) = match parts.phaxio.fax(provider_id).await {
        Ok(fax) => {
            dispatcher.gate.open();
            let said = format!("the provider says {}", fax.update.provider_status);
            let update = Box::new(fax.update);
            (
                Happening::News {
                    update,
                    source: "poll",
                    poll_at: dispatcher.poll_at(job.looks),
                },
                said,
            )
        }
        Err(error) => (
            no_answer(dispatcher, job, &error),
            format!("the provider gave no answer ({error})"),
        ),
    };
    dispatcher.settle(job.id, happening).await;
    said
}

/// Passes a cancellation on.
async fn cancel(dispatcher: &Dispatcher, job: &Job) -> String {
    let parts = &dispatcher.parts;
    let Some(provider_id) = &job.provider_id else {
        return "it has no id at the provider".to_owned();
    };
    slot(dispatcher).await;
    let soon = after(parts.clock.now(), LOOK_AGAIN);
    let happening = match parts.phaxio.cancel(provider_id).await {
        Ok(CancelOutcome::Scheduled) => Happening::CancelScheduled { poll_at: soon },
        // Most likely it is complete: ask at once how it ended.
        Ok(CancelOutcome::Refused { reason }) => Happening::CancelRefused {
            reason,
            poll_at: parts.clock.now(),
        },
        Err(error) => no_answer(dispatcher, job, &error),
    };
    dispatcher.settle(job.id, happening).await;
    "cancelling was not confirmed".to_owned()
}

/// What a question without an answer means.
fn no_answer(dispatcher: &Dispatcher, job: &Job, error: &LookupError) -> Happening {
    let Dispatcher { parts, pacer, gate } = dispatcher;
    let now = parts.clock.now();
    let mut wait = backoff::jittered(parts.config.load().dispatch.backoff, job.looks.saturating_add(1));
    match error {
        LookupError::RateLimited { retry_after } => {
            wait = retry_after.unwrap_or(wait);
            pacer.hold(wait);
        }
        LookupError::Unauthorized => gate.refused(now, &error.to_string()),
        LookupError::Unreachable(_) | LookupError::BadAnswer(_) | LookupError::NotFound => {}
    }
    Happening::NoAnswer {
        reason: error.to_string(),
        ask_at: after(now, wait),
    }
}

async fn slot(dispatcher: &Dispatcher) {
    let per_second = dispatcher.parts.config.load().phaxio.requests_per_second;
    dispatcher.pacer.slot(per_second).await;
}
