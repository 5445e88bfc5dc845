//! Sending one job: durable intent, one request, and what its outcome means.

use super::{Dispatcher, backoff};
use crate::base::clock::after;
use crate::domain::job::{JOB_TAG, Job};
use crate::domain::link::LinkPurpose;
use crate::domain::status::Happening;
use crate::phaxio::{CreateFax, CreateOutcome};
use crate::telemetry::metrics as names;

/// Sends `job`, or closes it when its time is over.
pub(super) async fn submit(dispatcher: &Dispatcher, job: &Job) {
    let parts = &dispatcher.parts;
    if job.deadline <= parts.clock.now() {
        dispatcher.gate.leave();
        dispatcher
            .expire(job, "it could not be handed to the provider in time")
            .await;
        return;
    }
    let config = parts.config.load_full();
    dispatcher.pacer.slot(config.phaxio.requests_per_second).await;
    // Twice the time-out: by then the request has an outcome, unless the process ended.
    let look_at = after(parts.clock.now(), config.phaxio.timeout.saturating_mul(2));
    let claimed = dispatcher.settle(job.id, Happening::Claimed { look_at }).await;
    let Some(claimed) = claimed.filter(|done| done.refusal.is_none() && done.changed) else {
        dispatcher.gate.leave();
        return;
    };
    let happening = match unreadable(dispatcher, &claimed.job).await {
        Some(wait) => wait,
        None => {
            let outcome = parts.phaxio.create(&request(dispatcher, &claimed.job)).await;
            count(&outcome);
            judge(dispatcher, &claimed.job, outcome)
        }
    };
    if dispatcher.settle(job.id, happening).await.is_some() {
        // What became of it may have to be followed sooner than the follower thinks.
        parts.work.notify_one();
    }
}

/// Why `job` has to wait although its turn has come: the provider would fetch the document in vain, and close the
/// fax for it. Storage that does not answer costs time, never a fax.
async fn unreadable(dispatcher: &Dispatcher, job: &Job) -> Option<Happening> {
    let parts = &dispatcher.parts;
    let artifact = job.artifact.as_ref().filter(|kept| !kept.is_in_database())?;
    let error = parts.artifacts.read(artifact, Some(0..1)).await.err()?;
    dispatcher.gate.leave();
    tracing::warn!(job = %job.id, %error, "a fax waits: its document can't be read now");
    let wait = backoff::jittered(parts.config.load().dispatch.backoff, job.attempts);
    Some(Happening::NotSent {
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
        batch_delay: None,
    }
}

/// What an outcome means for the job, the pace and the gate.
fn judge(dispatcher: &Dispatcher, job: &Job, outcome: CreateOutcome) -> Happening {
    let Dispatcher { parts, pacer, gate } = dispatcher;
    let now = parts.clock.now();
    let config = parts.config.load();
    match outcome {
        CreateOutcome::Taken { provider_id } => {
            gate.open();
            let poll_at = after(now, config.dispatch.poll_after);
            Happening::Taken {
                provider_id,
                poll_at,
                adopted: false,
            }
        }
        CreateOutcome::Refused(error) => {
            gate.open();
            Happening::Refused(error)
        }
        CreateOutcome::RateLimited { reason, retry_after } => {
            gate.leave();
            let wait =
                retry_after.unwrap_or_else(|| backoff::jittered(config.dispatch.backoff, job.attempts));
            pacer.hold(wait);
            Happening::NotSent {
                reason,
                retry_at: after(now, wait),
            }
        }
        CreateOutcome::NotSent { reason, retry_after } => {
            gate.failed(now, &reason);
            let wait =
                retry_after.unwrap_or_else(|| backoff::jittered(config.dispatch.backoff, job.attempts));
            Happening::NotSent {
                reason,
                retry_at: after(now, wait),
            }
        }
        CreateOutcome::Unauthorized { reason } => {
            gate.refused(now, &reason);
            Happening::Held {
                reason,
                retry_at: now,
            }
        }
        CreateOutcome::Unsure { reason } => {
            gate.failed(now, &reason);
            Happening::Unsure {
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
