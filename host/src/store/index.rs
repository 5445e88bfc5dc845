//! What a job has in the indexes: compared before and after a change, so that no index can be forgotten.

use super::error::StoreError;
use super::key::{self, digest, join};
use super::tables::Tables;
use crate::domain::ids::JobId;
use crate::domain::job::{Job, Phase, PublicStatus};

/// The index entries of one job.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Entries {
    due: Option<[u8; 25]>,
    submitting: bool,
    owner: Option<[u8; 32]>,
    status: Option<PublicStatus>,
    to: Option<[u8; 32]>,
    provider_id: Option<String>,
    completion: Option<[u8; 24]>,
}

impl Entries {
    /// What `job` has.
    pub(super) fn of(job: &Job) -> Self {
        let id = job.id.to_bytes();
        let finished = job.completed_at.unwrap_or(job.updated_at);
        Self {
            due: job.waits().map(|(lane, at)| key::due(lane, key::time(at), id)),
            submitting: job.phase == Phase::Submitting,
            owner: Some(join(&digest(&job.owner), &id)),
            status: Some(job.status()),
            to: Some(join(&digest(job.to.as_str()), &id)),
            provider_id: job.provider_id.clone(),
            completion: (job.phase.is_final() && job.artifact.is_some())
                .then(|| join(&key::time(finished), &id)),
        }
    }

    /// Makes the indexes say `new` where they said `self`. A new job comes from no entries.
    pub(super) fn replace(&self, new: &Self, id: JobId, tables: &mut Tables<'_>) -> Result<(), StoreError> {
        let id = id.to_bytes();
        swap(self.due, new.due, |place, put| {
            if put {
                tables.due.insert(place, ())?;
            } else {
                tables.due.remove(place)?;
            }
            Ok(())
        })?;
        swap(
            self.submitting.then_some(id),
            new.submitting.then_some(id),
            |id, put| {
                if put {
                    tables.submitting.insert(id, ())?;
                } else {
                    tables.submitting.remove(id)?;
                }
                Ok(())
            },
        )?;
        swap(self.owner, new.owner, |place, put| {
            if put {
                tables.by_owner.insert(place, ())?;
            } else {
                tables.by_owner.remove(place)?;
            }
            Ok(())
        })?;
        swap(self.status, new.status, |status, put| {
            let place = &join::<32>(&key::status(*status), &id);
            if put {
                tables.counters.enter(*status);
                tables.by_status.insert(place, ())?;
            } else {
                tables.counters.leave(*status);
                tables.by_status.remove(place)?;
            }
            Ok(())
        })?;
        swap(self.to, new.to, |place, put| {
            if put {
                tables.by_to.insert(place, ())?;
            } else {
                tables.by_to.remove(place)?;
            }
            Ok(())
        })?;
        swap(
            self.provider_id.as_ref(),
            new.provider_id.as_ref(),
            |provider_id, put| {
                if put {
                    tables.by_provider_id.insert(provider_id.as_str(), &id)?;
                } else {
                    tables.by_provider_id.remove(provider_id.as_str())?;
                }
                Ok(())
            },
        )?;
        swap(self.completion, new.completion, |place, put| {
            if put {
                tables.by_completion.insert(place, ())?;
            } else {
                tables.by_completion.remove(place)?;
            }
            Ok(())
        })
    }
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
