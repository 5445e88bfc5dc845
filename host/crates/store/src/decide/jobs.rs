//! The rules of jobs: a fax that is accepted, what happens to it, and whether its document may leave.

use bytes::Bytes;
use jiff::Timestamp;

use super::{Change, Decision, DocumentChange, Effects};
use crate::decide::retention::IdempotencyRow;
use crate::error::StoreError;
use faxgate_domain::audit::AuditEntry;
use faxgate_domain::event::TimelineEntry;
use faxgate_domain::ids::JobId;
use faxgate_domain::job::{Job, Phase};
use faxgate_domain::provider::ErrorType;
use faxgate_domain::status::{self, JobEvent, Refusal};
use faxgate_domain::ticket::{self, ServeDecision, Ticket};

/// Everything that one accepted fax puts into the database, in one commit.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// The job.
    pub job: Job,
    /// Its document, when the artifact's place is the database.
    pub document: Option<Bytes>,
    /// First lines of its timeline.
    pub timeline: Vec<TimelineEntry>,
    /// What to answer when the request is repeated.
    pub idempotency: Option<IdempotencyRow>,
    /// Who sent it.
    pub audit: AuditEntry,
}

/// What became of a new job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Created {
    /// It is there.
    New,
    /// The same request was taken before: answer this again. Nothing was written.
    Replay(IdempotencyRow),
    /// Another request was taken under this idempotency key. Nothing was written.
    Conflict,
}

/// What became of a event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advanced {
    /// The job afterwards.
    pub job: Job,
    /// Whether anything changed.
    pub changed: bool,
    /// Whether the job reached a final state by this.
    pub ended: bool,
    /// Why nothing changed, when it was not allowed.
    pub refusal: Option<Refusal>,
}

/// Whether a document may leave with a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServeOutcome {
    /// It may, and the ticket is durably marked as served since now.
    First,
    /// It may; nothing was written.
    Again,
    /// It must not: the link belongs to a request that another one replaced, or the fax has ended.
    Superseded,
}

/// What is there before a job is created.
#[derive(Debug, Default)]
pub(crate) struct BeforeCreate {
    /// The answer under its idempotency key, expired or not.
    pub(crate) idempotency: Option<IdempotencyRow>,
    /// Whether its id or the provider's id is taken.
    pub(crate) is_taken: bool,
}

/// Takes a new job in, unless the same request was taken before.
pub(crate) fn create(
    new: &NewJob,
    before: BeforeCreate,
    now: Timestamp,
) -> Result<Decision<Created>, StoreError> {
    if let Some(row) = &new.idempotency
        && let Some(known) = before.idempotency.as_ref().filter(|known| now < known.expires_at)
    {
        return Ok(Decision::unchanged(if known.fingerprint == row.fingerprint {
            Created::Replay(known.clone())
        } else {
            Created::Conflict
        }));
    }
    if before.is_taken {
        return Err(StoreError::Exists("fax"));
    }
    let id = new.job.id;
    let effects = Effects {
        job: Some(Change {
            old: None,
            new: new.job.clone(),
        }),
        timeline: Some((id, new.timeline.clone())),
        document: new
            .document
            .clone()
            .map(|document| DocumentChange::Put(id.0, document)),
        idempotency: new.idempotency.clone().map(|new| Change {
            old: before.idempotency,
            new,
        }),
        audit: vec![new.audit.clone()],
        ..Effects::default()
    };
    Ok(Decision {
        answer: Created::New,
        effects,
    })
}

/// Puts an event through the transition table. `holder` answers which job has a fax at the provider.
pub(crate) fn advance(
    old: Job,
    event: &JobEvent,
    now: Timestamp,
    holder: impl Fn(&str) -> Result<Option<JobId>, StoreError>,
) -> Result<Decision<Advanced>, StoreError> {
    let step = match status::apply(&old, event, now) {
        Ok(step) => step,
        Err(refusal) => return Ok(refused(old, refusal)),
    };
    if step.job == old && step.entries.is_empty() {
        return Ok(Decision::unchanged(Advanced {
            job: old,
            changed: false,
            ended: false,
            refusal: None,
        }));
    }
    for provider_id in step.job.provider_ids() {
        if holder(provider_id)?.is_some_and(|holder| holder != old.id) {
            return Ok(refused(old, Refusal::OtherFax));
        }
    }
    let is_destroyed = step.job.artifact.is_none() && old.artifact.is_some();
    let answer = Advanced {
        job: step.job.clone(),
        changed: true,
        ended: !old.phase.is_final() && step.job.phase.is_final(),
        refusal: None,
    };
    let effects = Effects {
        audit: state_changes(&old, &step.job, event, now),
        timeline: Some((old.id, step.entries)),
        document: is_destroyed.then(|| DocumentChange::Remove(old.id.0)),
        job: Some(Change {
            old: Some(old),
            new: step.job,
        }),
        ..Effects::default()
    };
    Ok(Decision { answer, effects })
}

/// Decides whether the document of `job` may leave with a link that carries `ticket`.
pub(crate) fn serve(
    job: Job,
    ticket: Option<Ticket>,
    to: Option<&str>,
    now: Timestamp,
) -> Decision<ServeOutcome> {
    match ticket::decide_serve(&job, ticket, to, now) {
        ServeDecision::Again => Decision::unchanged(ServeOutcome::Again),
        ServeDecision::Superseded => Decision::unchanged(ServeOutcome::Superseded),
        ServeDecision::First { job: served, entry } => {
            let mut audit = AuditEntry::new(now, "link", "fax.served", job.id).from(to.map(str::to_owned));
            if let Some(ticket) = ticket {
                audit = audit.fact("ticket", ticket);
            }
            let effects = Effects {
                timeline: Some((job.id, vec![entry])),
                job: Some(Change {
                    old: Some(job),
                    new: *served,
                }),
                audit: vec![audit],
                ..Effects::default()
            };
            Decision {
                answer: ServeOutcome::First,
                effects,
            }
        }
    }
}

fn refused(job: Job, refusal: Refusal) -> Decision<Advanced> {
    Decision::unchanged(Advanced {
        job,
        changed: false,
        ended: false,
        refusal: Some(refusal),
    })
}

/// The audit records of a change: a fax was submitted, ended or lost its document.
fn state_changes(old: &Job, new: &Job, event: &JobEvent, now: Timestamp) -> Vec<AuditEntry> {
    let who = match event {
        JobEvent::VerifiedUpdate { .. } => "provider",
        _ => "system",
    };
    let entry = |what| AuditEntry::new(now, who, what, new.id);
    let mut changes = Vec::new();
    if let (None, Some(provider_id)) = (&old.provider_id, &new.provider_id) {
        changes.push(entry("fax.submitted").fact("provider_id", provider_id));
    }
    if !old.phase.is_final() && new.phase.is_final() {
        let error_type = new.error.as_ref().map(|error| &error.error_type);
        changes.push(match (new.phase, error_type) {
            (Phase::Delivered, _) => entry("fax.delivered"),
            (_, Some(ErrorType::Cancelled)) => entry("fax.cancelled"),
            (_, Some(error_type)) => entry("fax.failed").fact("error_type", error_type),
            (_, None) => entry("fax.failed"),
        });
    }
    if old.purged_at.is_none() && new.purged_at.is_some() {
        changes.push(entry("fax.purged"));
    }
    changes
}
