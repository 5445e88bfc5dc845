//! Asking the provider for the status of a fax that it has.

use super::{Dispatcher, backoff};
use faxgate_base::clock::after;
use faxgate_base::crash;
use faxgate_domain::job::Job;
use faxgate_domain::provider::{EventSource, StatusUpdate};
use faxgate_domain::status::JobEvent;
use faxgate_provider::phaxio::LookupError;

/// Asks for the status of the fax of `job` and records it. Returns what was found, for the timeline.
pub(super) async fn poll(dispatcher: &Dispatcher, job: &Job) -> String {
    let Some(provider_id) = &job.provider_id else {
        return "it has no id at the provider".to_owned();
    };
    dispatcher.throttle().await;
    let answer = dispatcher.parts.phaxio.fax(provider_id).await;
    crash::point("looked", job.id);
    match answer {
        Ok(fax) => {
            dispatcher.breaker.record_success();
            record_update(dispatcher, job, fax.update).await
        }
        Err(error) => {
            dispatcher
                .record_outcome(job.id, lookup_failed(dispatcher, job, &error))
                .await;
            format!("the provider gave no answer ({error})")
        }
    }
}

/// Records what the provider answered.
pub(super) async fn record_update(dispatcher: &Dispatcher, job: &Job, update: StatusUpdate) -> String {
    let finding = format!("the provider says {}", update.provider_status);
    let news = JobEvent::VerifiedUpdate {
        update: Box::new(update),
        source: EventSource::Poll,
        poll_at: dispatcher.poll_at(job),
    };
    dispatcher.record_outcome(job.id, news).await;
    finding
}

/// The event of a look-up without an answer.
pub(super) fn lookup_failed(dispatcher: &Dispatcher, job: &Job, error: &LookupError) -> JobEvent {
    let Dispatcher {
        parts,
        rate_limiter,
        breaker,
        ..
    } = dispatcher;
    let mut wait = backoff::jittered(
        parts.config.load().dispatch.backoff,
        job.poll_attempts.saturating_add(1),
    );
    match error {
        LookupError::RateLimited { retry_after } => {
            wait = retry_after.unwrap_or(wait);
            rate_limiter.pause(wait);
        }
        LookupError::Unauthorized => breaker.record_unauthorized(&error.to_string()),
        LookupError::Unreachable(_) | LookupError::BadAnswer(_) | LookupError::NotFound => {}
    }
    JobEvent::LookupFailed {
        reason: error.to_string(),
        ask_at: after(parts.clock.now(), wait),
    }
}
