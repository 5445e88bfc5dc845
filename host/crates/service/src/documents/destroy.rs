//! Destroying the document of a fax on request. The record stays.

use crate::outbound::conflict;
use crate::{Actor, App, Error};
use faxgate_domain::status::{JobEvent, Refusal};

impl App {
    /// Destroys the document of a fax now. The record stays.
    ///
    /// # Errors
    /// `Code::NotFound`; `Code::Forbidden` for another owner's; `Code::Conflict` when the fax has not reached a final state.
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
}
