//! What a job has in the indexes: compared before and after a change, so that no index can be forgotten.

use redb::Table;

use super::error::StoreError;
use super::key::{self, digest, join};
use super::tables::Tables;
use faxgate_domain::ids::JobId;
use faxgate_domain::job::{Job, Phase, PublicStatus};

/// The index entries of one job.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Entries {
    due: Option<[u8; 25]>,
    submitting: bool,
    owner: Option<[u8; 32]>,
    status: Option<PublicStatus>,
    to: Option<[u8; 32]>,
    provider_ids: Vec<String>,
    completion: Option<[u8; 24]>,
}

impl Entries {
    /// What `job` has.
    pub(super) fn of(job: &Job) -> Self {
        let id = job.id.to_bytes();
        let finished = job.completed_at.unwrap_or(job.updated_at);
        Self {
            due: job
                .queue_entry()
                .map(|(queue, at)| key::due(queue, key::time(at), id)),
            submitting: job.phase == Phase::Submitting,
            owner: Some(join(&digest(&job.owner), &id)),
            status: Some(job.status()),
            to: Some(join(&digest(job.to.as_str()), &id)),
            provider_ids: job.provider_ids().map(str::to_owned).collect(),
            completion: (job.phase.is_final() && job.artifact.is_some())
                .then(|| join(&key::time(finished), &id)),
        }
    }

    /// Makes the indexes say `new` where they said `self`. A new job comes from no entries.
    pub(super) fn replace(&self, new: &Self, id: JobId, tables: &mut Tables<'_>) -> Result<(), StoreError> {
        let id = id.to_bytes();
        let submitting = |entries: &Self| entries.submitting.then_some(id);
        swap(self.due, new.due, |place, put| mark(&mut tables.due, place, put))?;
        swap(submitting(self), submitting(new), |id, put| {
            mark(&mut tables.submitting, id, put)
        })?;
        swap(self.owner, new.owner, |place, put| {
            mark(&mut tables.by_owner, place, put)
        })?;
        swap(self.to, new.to, |place, put| mark(&mut tables.by_to, place, put))?;
        swap(self.completion, new.completion, |place, put| {
            mark(&mut tables.by_completion, place, put)
        })?;
        swap(self.status, new.status, |&status, put| {
            if put {
                tables.counters.enter(status);
            } else {
                tables.counters.leave(status);
            }
            mark(&mut tables.by_status, &join(&key::status(status), &id), put)
        })?;
        // Faxes that failed before the present one stay in: news of them must find their job.
        for gone in self
            .provider_ids
            .iter()
            .filter(|fax| !new.provider_ids.contains(fax))
        {
            tables.by_provider_id.remove(gone.as_str())?;
        }
        for come in new
            .provider_ids
            .iter()
            .filter(|fax| !self.provider_ids.contains(fax))
        {
            tables.by_provider_id.insert(come.as_str(), &id)?;
        }
        Ok(())
    }
}

/// Puts a place into an index or takes it out.
fn mark<const N: usize>(
    index: &mut Table<'_, &'static [u8; N], ()>,
    place: &[u8; N],
    put: bool,
) -> Result<(), StoreError> {
    if put {
        index.insert(place, ())?;
    } else {
        index.remove(place)?;
    }
    Ok(())
}

/// Takes `old` out and puts `new` in, when they differ.
fn swap<T: PartialEq>(
    old: Option<T>,
    new: Option<T>,
    mut change: impl FnMut(&T, bool) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    if old == new {
        return Ok(());
    }
    if let Some(old) = old {
        change(&old, false)?;
    }
    if let Some(new) = new {
        change(&new, true)?;
    }
    Ok(())
}
