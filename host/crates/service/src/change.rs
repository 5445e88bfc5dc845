//! Changing faxes that are sent: cancel, resend, destroy the document.

use sha2::{Digest, Sha256};

use super::documents::gone;
use super::send::Draft;
use super::{Actor, App, Error, FaxJob, OpenDocument, Schedule, Sent};
use faxgate_domain::code::Code;
use faxgate_domain::event::{EventKind, TimelineEntry};
use faxgate_domain::job::Job;
use faxgate_domain::status::{JobEvent, Refusal};

/// How a fax is to be sent again.
#[derive(Debug, Clone, Default)]
pub struct Resend {
    /// To another number, as dialled.
    pub to: Option<String>,
    /// When, and together with what; a delay that is not given is that of the first fax.
    pub schedule: Schedule,
    /// `Idempotency-Key`
    pub idempotency_key: Option<String>,
}

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

    /// Sends the document of a fax again, as a new fax.
    ///
    /// # Errors
    /// [`Code::NotFound`]; [`Code::Forbidden`] for another owner's; [`Code::Gone`] when the document was destroyed; as [`App::send`].
    pub async fn resend(&self, actor: &Actor, id: &str, request: Resend) -> Result<Sent, Error> {
        let job = self.own_job(actor, id).await?;
        let mut options = job.options.clone();
        request.schedule.clone().apply(&mut options)?;
        let claim = match &request.idempotency_key {
            None => None,
            Some(key) => match self.claim(actor, key, fingerprint(&job, &request)).await? {
                Ok(claim) => Some(claim),
                Err(replay) => return Ok(replay),
            },
        };
        let artifact = job.artifact.clone().ok_or_else(gone)?;
        let to_raw = request.to.map(|to| to.trim().to_owned());
        let to = match &to_raw {
            Some(raw) => self.destination(raw, None).await?,
            None => job.to.clone(),
        };
        let pdf = self.read_all(&OpenDocument::new(job.id.0, artifact)).await?;
        let draft = Draft {
            to,
            to_raw: to_raw.unwrap_or_else(|| job.to_raw.clone()),
            options,
            file_name: job.file_name.clone(),
            media_type: job.media_type.clone(),
            pages: job.pages,
            pdf,
            notes: Vec::new(),
            resend_of: Some(job.id),
        };
        self.accept(actor, draft, claim).await
    }

    /// Destroys the document of a fax now. The record stays.
    ///
    /// # Errors
    /// [`Code::NotFound`]; [`Code::Forbidden`] for another owner's; [`Code::Conflict`] when the fax has not reached a final state.
    pub async fn destroy(&self, actor: &Actor, id: &str) -> Result<(), Error> {
        let job = self.own_job(actor, id).await?;
        if !job.phase.is_final() {
            return Err(conflict(&job, Refusal::NotNow));
        }
        if let Some(artifact) = &job.artifact {
            // First the bytes, then the record: a crash in between leaves something to repeat, not to forget.
            if !artifact.is_in_database() {
                self.parts.artifacts.delete(artifact).await?;
            }
            self.parts.store.advance(job.id, JobEvent::Purged).await?;
            self.parts
                .store
                .record(actor.did(self.parts.clock.now(), "fax.destroy", job.id))
                .await?;
        }
        Ok(())
    }

    /// Writes a line into the timeline of a fax; a failure is logged, since the line is not what was asked for.
    pub(super) async fn remark(&self, job: &Job, detail: &str) {
        let entry = TimelineEntry::new(self.parts.clock.now(), EventKind::Disregarded).detail(detail);
        if let Err(error) = self.parts.store.note(job.id, entry).await {
            tracing::warn!(%error, job = %job.id, "a timeline line could not be written");
        }
    }
}

fn conflict(job: &Job, refusal: Refusal) -> Error {
    let status = job.status().as_str();
    let detail = match refusal {
        Refusal::Final => format!("the fax is {status} already: nothing can be changed any more"),
        Refusal::NotNow | Refusal::OtherFax => {
            format!("the fax is {status}: wait until it is final, or cancel it first")
        }
    };
    Error::new(Code::Conflict, detail)
}

fn fingerprint(job: &Job, request: &Resend) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(b"resend\0");
    hash.update(job.id.to_bytes());
    hash.update(request.to.as_deref().map(str::trim).unwrap_or_default());
    let Schedule { send_at, batch_delay } = &request.schedule;
    for (name, value) in [("send_at", send_at), ("batch_delay", batch_delay)] {
        if let Some(value) = value {
            hash.update(format!("\0{name}={value}"));
        }
    }
    hash.finalize().into()
}
