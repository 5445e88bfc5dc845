//! Reading jobs: one, lists, queues and timelines.

use std::sync::Arc;

use jiff::Timestamp;
use redb::ReadableTable as _;

use crate::cache::job_cache::CachedJob;
use crate::error::StoreError;
use crate::format::record::decode;
use crate::format::table_key::{self as key, FIRST, LAST, digest, tail};
use crate::lists::{JobFilter, PageOf, PageRequest};
use crate::redb::index_scan::IndexScan;
use crate::redb::tables::{
    BY_OWNER, BY_PROVIDER_ID, BY_STATUS, BY_TO, DUE, JOB_EVENTS, JOBS, SUBMITTING, get,
};
use crate::{Shared, Store};
use faxgate_base::clock::after;
use faxgate_domain::event::TimelineEntry;
use faxgate_domain::ids::JobId;
use faxgate_domain::job::{Job, Queue};

impl Store {
    /// One job.
    ///
    /// # Errors
    /// When the database or the record can't be read.
    pub async fn job(&self, id: JobId) -> Result<Option<Job>, StoreError> {
        let table = self.shared.db.read()?.open_table(JOBS)?;
        let job = get(&table, &id.to_bytes(), decode::<Job>)?;
        Ok(job.map(|job| self.with_expiry(job)))
    }

    /// One job for showing: as [`Self::job`], from memory where nothing was written since it was read.
    ///
    /// # Errors
    /// When the database or the record can't be read.
    pub async fn cached_job(&self, id: JobId) -> Result<Option<Arc<CachedJob>>, StoreError> {
        let Shared {
            db,
            writer,
            job_cache,
            ..
        } = &*self.shared;
        let before = writer.version();
        if let Some(job) = before.and_then(|version| job_cache.at(id, version)) {
            return Ok(Some(job));
        }
        let table = db.read()?.open_table(JOBS)?;
        let version = before.filter(|before| writer.version() == Some(*before));
        let read = |record: &[u8]| {
            job_cache.job(id, record, version, |record| {
                decode::<Job>(record).map(|job| self.with_expiry(job))
            })
        };
        let job = get(&table, &id.to_bytes(), read)?;
        if job.is_none() {
            job_cache.forget(id);
        }
        Ok(job)
    }

    /// The job that the provider knows by this id.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn job_by_provider_id(&self, provider_id: &str) -> Result<Option<JobId>, StoreError> {
        let table = self.shared.db.read()?.open_table(BY_PROVIDER_ID)?;
        Ok(table.get(provider_id)?.map(|id| JobId::from_bytes(*id.value())))
    }

    /// A page of jobs, newest first.
    ///
    /// # Errors
    /// [`StoreError::BadCursor`], or when the database can't be read.
    pub async fn jobs(&self, filter: &JobFilter, page: &PageRequest) -> Result<PageOf<Job>, StoreError> {
        let (filter, page) = (filter.clone(), *page);
        self.scan(move |store| store.find_jobs(&filter, &page)).await
    }

    fn find_jobs(&self, filter: &JobFilter, page: &PageRequest) -> Result<PageOf<Job>, StoreError> {
        let snapshot = self.shared.db.read()?;
        let mut indexes = Vec::new();
        if let Some(to) = &filter.to {
            indexes.push(Self::filed(&snapshot, BY_TO, digest(to.as_str()))?);
        }
        if let Some(owner) = &filter.owner {
            indexes.push(Self::filed(&snapshot, BY_OWNER, digest(owner))?);
        }
        if let Some(status) = filter.status {
            indexes.push(Self::filed(&snapshot, BY_STATUS, key::status(status))?);
        }
        let scan = IndexScan {
            records: snapshot.open_table(JOBS)?,
            indexes,
            bounds: filter.bounds(),
            scope: filter.scope(),
            cursor_key: self.shared.secrets.cursor_key(),
        };
        let mut page = scan.page(page, |job| filter.fits(job))?;
        page.items = page.items.into_iter().map(|job| self.with_expiry(job)).collect();
        Ok(page)
    }

    /// The timeline of a job, oldest first. Empty for an unknown one.
    ///
    /// # Errors
    /// When the database or a record can't be read.
    pub async fn timeline(&self, id: JobId) -> Result<Vec<TimelineEntry>, StoreError> {
        let table = self.shared.db.read()?.open_table(JOB_EVENTS)?;
        table
            .range::<&[u8; 20]>(&key::event(id, 0)..=&key::event(id, u32::MAX))?
            .map(|row| decode(row?.1.value()))
            .collect()
    }

    /// The jobs of a queue that are due at `until` or before, in order of due time, after the place `after`.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn waiting(
        &self,
        queue: Queue,
        until: Timestamp,
        after: Option<(Timestamp, JobId)>,
        limit: usize,
    ) -> Result<Vec<(Timestamp, JobId)>, StoreError> {
        let table = self.shared.db.read()?.open_table(DUE)?;
        let first = match after {
            Some((at, id)) => key::due(queue, key::time(at), id.to_bytes()),
            None => key::due(queue, [0; 8], FIRST),
        };
        let last = key::due(queue, key::time_floor(until), LAST);
        if first > last {
            return Ok(Vec::new());
        }
        table
            .range::<&[u8; 25]>(&first..=&last)?
            .map(|row| Ok::<_, StoreError>(*row?.0.value()))
            .skip_while(|place| after.is_some() && place.as_ref().is_ok_and(|place| *place == first))
            .take(limit)
            .map(|place| Ok(key::due_of(&place?)))
            .collect()
    }

    /// When the first job of a queue is due.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn next_waiting(&self, queue: Queue) -> Result<Option<Timestamp>, StoreError> {
        let table = self.shared.db.read()?.open_table(DUE)?;
        let (low, high) = (key::due(queue, [0; 8], FIRST), key::due(queue, [0xff; 8], LAST));
        let first = table.range::<&[u8; 25]>(&low..=&high)?.next().transpose()?;
        Ok(first.map(|(place, _)| key::due_of(place.value()).0))
    }

    /// The jobs whose request to the provider was under way, in order of making.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn submitting(&self) -> Result<Vec<JobId>, StoreError> {
        let table = self.shared.db.read()?.open_table(SUBMITTING)?;
        table
            .iter()?
            .map(|row| Ok(JobId::from_bytes(*row?.0.value())))
            .collect()
    }

    /// Fills in when the document is to be destroyed. It follows from the setting of today and is not kept.
    pub(crate) fn with_expiry(&self, mut job: Job) -> Job {
        let ends = job.phase.is_final() && job.artifact.is_some();
        job.expires_at = match self.shared.options.artifact_ttl {
            Some(ttl) if ends => Some(after(job.completed_at.unwrap_or(job.updated_at), ttl)),
            _ => None,
        };
        job
    }
}

/// The last 16 bytes of a key as the id of a job.
pub(crate) fn id_of(key: &[u8]) -> JobId {
    JobId::from_bytes(tail(key))
}
