//! One job under way: look it up, poll it, pass on a cancellation, close it at its deadline.

use super::poll_status::{lookup_failed, poll};
use super::reconcile::reconcile;
use super::{Dispatcher, RECONCILE_BASE};
use faxgate_base::clock::after;
use faxgate_base::crash;
use faxgate_domain::job::{Job, Phase};
use faxgate_domain::status::JobEvent;
use faxgate_provider::phaxio::CancelOutcome;

/// Does what `job` needs next, and closes it when its deadline has passed without an end.
pub(super) async fn follow_up(dispatcher: &Dispatcher, job: &Job) {
    let finding = match job.phase {
        // Whether the provider has it is asked next, whatever the hour.
        Phase::Submitting => return outcome_never_recorded(dispatcher, job).await,
        Phase::Uncertain { .. } => reconcile(dispatcher, job).await,
        Phase::Cancelling { scheduled: false } => cancel(dispatcher, job).await,
        Phase::Submitted | Phase::Cancelling { scheduled: true } => poll(dispatcher, job).await,
        Phase::Disabled | Phase::Due | Phase::Delivered | Phase::Failed => return,
    };
    crash::point("followed", job.id);
    if job.deadline <= dispatcher.parts.clock.now() {
        close(dispatcher, job, finding).await;
    }
}

/// A request whose outcome was never recorded.
async fn outcome_never_recorded(dispatcher: &Dispatcher, job: &Job) {
    let event = JobEvent::OutcomeUnknown {
        reason: "the outcome of the request was never recorded".to_owned(),
        look_at: dispatcher.parts.clock.now(),
    };
    dispatcher.record_outcome(job.id, event).await;
}

/// Closes a job after its deadline. What the provider still has is cancelled first: who is told that a fax has
/// failed may send it again.
async fn close(dispatcher: &Dispatcher, job: &Job, mut finding: String) {
    let job = match dispatcher.parts.store.job(job.id).await {
        Ok(Some(job)) if !job.phase.is_final() => job,
        _ => return,
    };
    if let Some(provider_id) = &job.provider_id {
        dispatcher.throttle().await;
        match dispatcher.parts.phaxio.cancel(provider_id).await {
            Ok(CancelOutcome::Scheduled) => finding.push_str("; the provider was asked to cancel it"),
            // Most likely it has just ended.
            Ok(CancelOutcome::Refused { .. }) => finding = poll(dispatcher, &job).await,
            Err(error) => finding.push_str(&format!("; it could not be cancelled ({error})")),
        }
    }
    // A final state that came meanwhile refuses this.
    dispatcher
        .record_outcome(job.id, JobEvent::Expired { reason: finding })
        .await;
}

/// Passes a cancellation on.
async fn cancel(dispatcher: &Dispatcher, job: &Job) -> String {
    let parts = &dispatcher.parts;
    let Some(provider_id) = &job.provider_id else {
        return "it has no id at the provider".to_owned();
    };
    dispatcher.throttle().await;
    let answer = parts.phaxio.cancel(provider_id).await;
    crash::point("looked", job.id);
    let soon = after(parts.clock.now(), RECONCILE_BASE);
    let event = match answer {
        Ok(CancelOutcome::Scheduled) => JobEvent::CancelScheduled { poll_at: soon },
        // Most likely it is complete: ask at once how it ended.
        Ok(CancelOutcome::Refused { reason }) => JobEvent::CancelRefused {
            reason,
            poll_at: parts.clock.now(),
        },
        Err(error) => lookup_failed(dispatcher, job, &error),
    };
    dispatcher.record_outcome(job.id, event).await;
    "cancelling was not confirmed".to_owned()
}
