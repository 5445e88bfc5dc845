//! Cancelling a fax that is sent.

use crate::{Actor, App, Error, FaxJob};
use faxgate_domain::code::Code;
use faxgate_domain::event::{EventKind, TimelineEntry};
use faxgate_domain::job::Job;
use faxgate_domain::status::{JobEvent, Refusal};

impl App {
    /// Asks for a fax to be cancelled. It may still complete when the provider has it already.
    ///
    /// # Errors
    /// [`Code::NotFound`]; [`Code::Forbidden`] for another owner's; [`Code::Conflict`] when it has reached a final state.
    pub async fn cancel(&self, actor: &Actor, id: &str) -> Result<FaxJob, Error> {
        let job = self.own_job(actor, id).await?;
        let done = self
            .parts
            .store
            .advance(job.id, JobEvent::CancelRequested)
            .await?;
        if let Some(refusal) = done.refusal {
            return Err(conflict(&done.job, refusal));
        }
        if done.changed {
            let entry = actor.did(self.parts.clock.now(), "fax.cancel", job.id);
            self.parts.store.record(entry).await?;
            self.parts.work.notify_one();
        }
        Ok(FaxJob::from(&done.job))
    }

    /// Writes a line into the timeline of a fax; a failure is logged, since the line is not what was asked for.
    pub(crate) async fn add_timeline_note(&self, job: &Job, detail: &str) {
        let entry = TimelineEntry::new(self.parts.clock.now(), EventKind::Disregarded).detail(detail);
        if let Err(error) = self.parts.store.note(job.id, entry).await {
            tracing::warn!(%error, job = %job.id, "a timeline line could not be written");
        }
    }
}

/// The answer when the state of a fax does not allow a change.
pub(crate) fn conflict(job: &Job, refusal: Refusal) -> Error {
    let status = job.status().as_str();
    let detail = match refusal {
        Refusal::Final => format!("the fax is {status} already: nothing can be changed any more"),
        Refusal::NotNow | Refusal::OtherFax => {
            format!("the fax is {status}: wait until it is final, or cancel it first")
        }
    };
    Error::new(Code::Conflict, detail)
}
