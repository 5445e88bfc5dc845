//! Sending one job: durable intent, one request, and what its outcome means.

use super::{Dispatcher, backoff};
use faxgate_base::clock::after;
use faxgate_base::crash;
use faxgate_domain::job::{JOB_TAG, Job};
use faxgate_domain::link::LinkPurpose;
use faxgate_domain::status::{JobEvent, Refusal};
use faxgate_provider::phaxio::{CreateFax, CreateOutcome};
use faxgate_telemetry::metrics as names;

/// Sends `job`, or closes it when its time is over.
pub(super) async fn submit(dispatcher: &Dispatcher, job: &Job) {
    let parts = &dispatcher.parts;
    if job.deadline <= parts.clock.now() {
        let reason = "it could not be handed to the provider in time".to_owned();
        dispatcher
            .record_outcome(job.id, JobEvent::Expired { reason })
            .await;
        return;
    }
    if let Some(wait) = unreadable(dispatcher, job).await {
        dispatcher.record_outcome(job.id, wait).await;
        return;
    }
    dispatcher.throttle().await;
    // Twice the time-out: by then the request has an outcome, unless the process ended. Until then nobody else
    // touches a job in hand.
    let timeout = parts.config.load().phaxio.timeout;
    let look_at = after(parts.clock.now(), timeout.saturating_mul(2));
    let claimed = dispatcher
        .record_outcome(job.id, JobEvent::Claimed { look_at })
        .await;
    let Some(claimed) = claimed.filter(|done| done.refusal.is_none() && done.changed) else {
        return;
    };
    crash::point("claimed", job.id);
    let outcome = parts.phaxio.create(&request(dispatcher, &claimed.job)).await;
    crash::point("answered", job.id);
    count(&outcome);
    let event = interpret(dispatcher, &claimed.job, outcome);
    let settled = dispatcher.record_outcome(job.id, event.clone()).await;
    crash::point("recorded", job.id);
    if let (JobEvent::Accepted { provider_id, .. }, Some(Refusal::Final | Refusal::OtherFax)) =
        (&event, settled.and_then(|done| done.refusal))
    {
        super::reconcile::cancel_surplus(dispatcher, job, provider_id).await;
    }
}

/// Why `job` has to wait although its turn has come: the provider would fetch the document in vain, and close the
/// fax for it. Storage that does not answer costs time, never a fax.
async fn unreadable(dispatcher: &Dispatcher, job: &Job) -> Option<JobEvent> {
    let parts = &dispatcher.parts;
    let artifact = job.artifact.as_ref().filter(|kept| !kept.is_in_database())?;
    let patience = parts.config.load().phaxio.timeout;
    let error = match tokio::time::timeout(patience, parts.artifacts.read(artifact, Some(0..1))).await {
        Ok(read) => read.err()?.to_string(),
        Err(_) => "storage does not answer".to_owned(),
    };
    tracing::warn!(job = %job.id, error, "a fax waits: its document can't be read now");
    let wait = backoff::jittered(
        parts.config.load().dispatch.backoff,
        job.poll_attempts.saturating_add(1),
    );
    Some(JobEvent::Postponed {
        reason: "the document could not be read from storage".to_owned(),
        retry_at: after(parts.clock.now(), wait),
    })
}

/// The request for `job`, with a fresh link to its document.
fn request(dispatcher: &Dispatcher, job: &Job) -> CreateFax {
    let config = dispatcher.parts.config.load();
    let id = job.id.to_string();
    let expires = after(dispatcher.parts.clock.now(), config.tokens.pdf_ttl);
    let token = dispatcher.parts.links.sign(LinkPurpose::FaxPdf, &id, expires);
    let callback = &config.phaxio.callback_url;
    let join = if callback.contains('?') { '&' } else { '?' };
    let tags = std::iter::once((JOB_TAG.to_owned(), id.clone())).chain(
        job.options
            .tags
            .iter()
            .map(|(name, value)| (name.clone(), value.clone())),
    );
    CreateFax {
        to: job.to.clone(),
        content_url: config.public(&format!("/fax/{id}/pdf?token={token}")),
        callback_url: format!("{callback}{join}job_id={id}"),
        tags: tags.collect(),
        header_text: job.options.header_text.clone(),
        caller_id: job.options.caller_id.clone(),
        batch_delay: job.options.batch_delay.filter(|&seconds| seconds > 0),
    }
}

/// The event that an outcome is for the job. Adjusts the request rate and the circuit breaker.
fn interpret(dispatcher: &Dispatcher, job: &Job, outcome: CreateOutcome) -> JobEvent {
    let Dispatcher {
        parts,
        rate_limiter,
        breaker,
        ..
    } = dispatcher;
    let now = parts.clock.now();
    let config = parts.config.load();
    match outcome {
        CreateOutcome::Taken { provider_id } => {
            breaker.record_success();
            let poll_at = after(now, config.dispatch.poll_after);
            JobEvent::Accepted {
                provider_id,
                poll_at,
                adopted: false,
            }
        }
        CreateOutcome::Refused(error) => {
            breaker.record_success();
            JobEvent::Rejected(error)
        }
        CreateOutcome::RateLimited { reason, retry_after } => {
            let wait =
                retry_after.unwrap_or_else(|| backoff::jittered(config.dispatch.backoff, job.attempts));
            rate_limiter.pause(wait);
            JobEvent::NotSent {
                reason,
                retry_at: after(now, wait),
            }
        }
        CreateOutcome::NotSent { reason, retry_after } => {
            breaker.record_failure(&reason);
            let wait =
                retry_after.unwrap_or_else(|| backoff::jittered(config.dispatch.backoff, job.attempts));
            JobEvent::NotSent {
                reason,
                retry_at: after(now, wait),
            }
        }
        CreateOutcome::Unauthorized { reason } => {
            breaker.record_unauthorized(&reason);
            JobEvent::Held {
                reason,
                retry_at: now,
            }
        }
        CreateOutcome::Unsure { reason } => {
            breaker.record_failure(&reason);
            JobEvent::OutcomeUnknown {
                reason,
                look_at: after(now, config.dispatch.backoff),
            }
        }
    }
}

fn count(outcome: &CreateOutcome) {
    let word = match outcome {
        CreateOutcome::Taken { .. } => "taken",
        CreateOutcome::NotSent { .. } => "not_sent",
        CreateOutcome::RateLimited { .. } => "rate_limited",
        CreateOutcome::Refused(_) => "refused",
        CreateOutcome::Unauthorized { .. } => "unauthorized",
        CreateOutcome::Unsure { .. } => "unsure",
    };
    metrics::counter!(names::DISPATCHES, "outcome" => word).increment(1);
}
