//! What a job has in the indexes: compared before and after a change, so that no index can be forgotten.

use crate::format::table_key::{self as key, digest, join};
use faxgate_domain::job::{Job, Phase, PublicStatus};

/// The index entries of one job.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct IndexEntries {
    pub(crate) due: Option<[u8; 25]>,
    pub(crate) submitting: bool,
    pub(crate) owner: Option<[u8; 32]>,
    pub(crate) status: Option<PublicStatus>,
    pub(crate) to: Option<[u8; 32]>,
    pub(crate) provider_ids: Vec<String>,
    pub(crate) completion: Option<[u8; 24]>,
}

impl IndexEntries {
    /// What `job` has.
    pub(crate) fn of(job: &Job) -> Self {
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
}
