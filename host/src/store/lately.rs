//! Jobs that were read lately, decoded: clients ask for the state of the same few again and again.
//!
//! The database is read each time, and a job is taken from here only when its record is, byte for byte, the one that
//! was decoded. So nothing has to be forgotten when a job changes, and nothing that is shown can be old.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::RwLock;

use super::error::StoreError;
use crate::domain::ids::JobId;
use crate::domain::job::Job;

/// Jobs remembered at most, of one to a few kilobytes each; one that is forgotten is only decoded once more.
const JOBS: usize = 2000;

/// The jobs.
#[derive(Default)]
pub(super) struct Lately(RwLock<HashMap<JobId, Decoded>>);

struct Decoded {
    record: Box<[u8]>,
    job: Arc<Job>,
}

impl Lately {
    /// The job of a record, from memory or by `decode`.
    pub(super) fn job(
        &self,
        id: JobId,
        record: &[u8],
        decode: impl FnOnce(&[u8]) -> Result<Job, StoreError>,
    ) -> Result<Arc<Job>, StoreError> {
        if let Some(known) = self.0.read().get(&id).filter(|known| *known.record == *record) {
            return Ok(Arc::clone(&known.job));
        }
        let job = Arc::new(decode(record)?);
        let decoded = Decoded {
            record: record.into(),
            job: Arc::clone(&job),
        };
        let mut jobs = self.0.write();
        if jobs.len() >= JOBS {
            jobs.clear();
        }
        jobs.insert(id, decoded);
        Ok(job)
    }

    /// Forgets a job that is no more.
    pub(super) fn forget(&self, id: JobId) {
        if self.0.read().contains_key(&id) {
            self.0.write().remove(&id);
        }
    }
}
