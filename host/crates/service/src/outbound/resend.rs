//! Sending the document of a fax again, as a new fax.

use sha2::{Digest, Sha256};

use super::idempotency::ClaimOutcome;
use super::send::Draft;
use crate::documents::gone;
use crate::{Actor, App, Error, OpenDocument, Schedule, Sent};
use faxgate_domain::job::Job;

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
    /// Sends the document of a fax again, as a new fax.
    ///
    /// # Errors
    /// `Code::NotFound`; `Code::Forbidden` for another owner's; `Code::Gone` when the document was destroyed; as [`App::send`].
    pub async fn resend(&self, actor: &Actor, id: &str, request: Resend) -> Result<Sent, Error> {
        let job = self.own_job(actor, id).await?;
        let mut options = job.options.clone();
        request.schedule.clone().apply(&mut options)?;
        let claim = match &request.idempotency_key {
            None => None,
            Some(key) => match self.claim(actor, key, fingerprint(&job, &request)).await? {
                ClaimOutcome::Claimed(claim) => Some(claim),
                ClaimOutcome::Replay(sent) => return Ok(sent),
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
