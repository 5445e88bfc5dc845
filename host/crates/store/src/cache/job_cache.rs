//! Cache of decoded jobs: clients ask for the state of the same few again and again.
//!
//! Nothing has to be forgotten when a job changes, and nothing that is shown can be old: a job is taken from here only
//! when no transaction began since it was read, or when its record is, byte for byte, the one that was decoded.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use parking_lot::RwLock;

use crate::error::StoreError;
use crate::redb::writer::version::Version;
use faxgate_domain::ids::JobId;
use faxgate_domain::job::Job;

/// Jobs remembered at most, of one to a few kilobytes each; one that is forgotten is only decoded once more.
const JOBS: usize = 2000;

/// A job as it is in the database, and how it is shown.
#[derive(Debug)]
pub struct CachedJob {
    job: Job,
    rendering: OnceLock<Bytes>,
}

/// The jobs.
#[derive(Default)]
pub(crate) struct JobCache(RwLock<HashMap<JobId, Decoded>>);

struct Decoded {
    record: Box<[u8]>,
    job: Arc<CachedJob>,
    /// The state of the database that it was last seen in.
    seen: AtomicU64,
}

impl CachedJob {
    fn new(job: Job) -> Self {
        Self {
            job,
            rendering: OnceLock::new(),
        }
    }

    /// The job as bytes, made by `render` when it is asked for first. There is one kind of rendering.
    ///
    /// # Errors
    /// Those of `render`.
    pub fn rendered<E>(&self, render: impl FnOnce(&Job) -> Result<Bytes, E>) -> Result<Bytes, E> {
        if let Some(bytes) = self.rendering.get() {
            return Ok(bytes.clone());
        }
        let bytes = render(&self.job)?;
        Ok(self.rendering.get_or_init(|| bytes).clone())
    }
}

impl Deref for CachedJob {
    type Target = Job;

    fn deref(&self) -> &Job {
        &self.job
    }
}

impl JobCache {
    /// The job as it was read in this state of the database.
    pub(crate) fn at(&self, id: JobId, version: Version) -> Option<Arc<CachedJob>> {
        let jobs = self.0.read();
        let known = jobs.get(&id)?;
        (known.seen.load(Ordering::Relaxed) == version.number()).then(|| Arc::clone(&known.job))
    }

    /// The job of a record, from memory or by `decode`. `version` is the state of the database, none when that changed
    /// while the record was read.
    pub(crate) fn job(
        &self,
        id: JobId,
        record: &[u8],
        version: Option<Version>,
        decode: impl FnOnce(&[u8]) -> Result<Job, StoreError>,
    ) -> Result<Arc<CachedJob>, StoreError> {
        let seen = version.map_or(0, Version::number);
        if let Some(known) = self.0.read().get(&id).filter(|known| *known.record == *record) {
            known.seen.store(seen, Ordering::Relaxed);
            return Ok(Arc::clone(&known.job));
        }
        let job = Arc::new(CachedJob::new(decode(record)?));
        let decoded = Decoded {
            record: record.into(),
            job: Arc::clone(&job),
            seen: AtomicU64::new(seen),
        };
        let mut jobs = self.0.write();
        if jobs.len() >= JOBS {
            jobs.clear();
        }
        jobs.insert(id, decoded);
        Ok(job)
    }

    /// Forgets a job that is no more.
    pub(crate) fn forget(&self, id: JobId) {
        if self.0.read().contains_key(&id) {
            self.0.write().remove(&id);
        }
    }
}
