//! Changing jobs.

use bytes::Bytes;
use jiff::Timestamp;
use redb::ReadableTable as _;

use super::Store;
use super::audit;
use super::error::StoreError;
use super::expiry::{self, IdempotencyRow};
use super::index::Entries;
use super::key;
use super::record::{decode, encode};
use super::tables::{Tables, get};
use super::writer::Growth;
use faxgate_domain::audit::AuditEntry;
use faxgate_domain::event::TimelineEntry;
use faxgate_domain::ids::JobId;
use faxgate_domain::job::{Job, Phase};
use faxgate_domain::provider::ErrorType;
use faxgate_domain::status::{self, JobEvent, Refusal};
use faxgate_domain::ticket::{self, ServeDecision, Ticket};
use faxgate_telemetry::metrics::JOBS_FINISHED;

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

impl Store {
    /// Takes a new job in. Durable when this answers `Ok`: it survives a power cut.
    ///
    /// # Errors
    /// [`StoreError::Full`] when the disk is nearly full, [`StoreError::Exists`] for an id taken before, and
    /// whatever the disk says. Nothing is kept then.
    pub async fn create_job(&self, new: NewJob) -> Result<Created, StoreError> {
        let now = self.shared.clock.now();
        let mut new = new;
        new.document = self.sealed(new.job.id.0, new.document).await?;
        let bytes = new.document.as_ref().map_or(0, Bytes::len);
        let ended = new.job.phase.is_final();
        let finished = ended.then(|| finished(&new.job));
        let created = self
            .write(Growth::Adds(bytes), move |tables| create(tables, &new, now))
            .await?;
        self.ring(ended && created == Created::New);
        if let Some(finished) = finished.filter(|_| created == Created::New) {
            count(finished);
        }
        Ok(created)
    }

    /// Puts an event through the transition table, inside the transaction that keeps what comes of it: two
    /// events never race.
    ///
    /// # Errors
    /// [`StoreError::NoSuchJob`], and whatever the disk says. A event that is not allowed is no error but a
    /// refusal in the answer.
    pub async fn advance(&self, id: JobId, event: JobEvent) -> Result<Advanced, StoreError> {
        if matches!(event, JobEvent::Purged)
            && let Some(job) = self.job(id).await?
            && job.phase.is_final()
        {
            // First the key, then the record: a crash in between leaves something to repeat, not to forget.
            self.destroy_document(id.0).await?;
        }
        let now = self.shared.clock.now();
        let advanced = self
            .write(Growth::Settles, move |tables| advance(tables, id, &event, now))
            .await?;
        let (advanced, finished) = advanced;
        if let Some(finished) = finished {
            count(finished);
        }
        self.ring(advanced.changed && advanced.job.phase.is_final() && advanced.job.artifact.is_some());
        Ok(Advanced {
            job: self.with_expiry(advanced.job),
            ..advanced
        })
    }

    /// Decides whether the document of a fax may leave with a link that carries `ticket`, asked for by the address
    /// `to`. The first time, the ticket is durably marked as served before this answers: no byte may leave earlier. A
    /// repeat costs no write. A link that was replaced leaves an audit line.
    ///
    /// # Errors
    /// [`StoreError::NoSuchJob`], and whatever the disk says. Nothing may leave then.
    pub async fn serve(
        &self,
        id: JobId,
        ticket: Option<Ticket>,
        to: Option<String>,
    ) -> Result<ServeOutcome, StoreError> {
        let now = self.shared.clock.now();
        // What is decided without a write stays right: a ticket that was served or replaced never comes back.
        let job = self.job(id).await?.ok_or(StoreError::NoSuchJob)?;
        let outcome = match ticket::decide_serve(&job, ticket, to.as_deref(), now) {
            ServeDecision::Again => ServeOutcome::Again,
            ServeDecision::Superseded => ServeOutcome::Superseded,
            ServeDecision::First { .. } => {
                let to = to.clone();
                self.write(Growth::Settles, move |tables| {
                    serve(tables, id, ticket, to.as_deref(), now)
                })
                .await?
            }
        };
        if outcome == ServeOutcome::Superseded {
            let mut entry = AuditEntry::new(now, "link", "link.superseded", id)
                .from(to)
                .outcome("denied");
            if let Some(ticket) = ticket {
                entry = entry.fact("ticket", ticket);
            }
            self.record_later(entry);
        }
        Ok(outcome)
    }

    /// Tells whoever destroys documents that one has to go now.
    fn ring(&self, ended: bool) {
        if ended && self.shared.options.artifact_ttl.is_some_and(|ttl| ttl.is_zero()) {
            self.shared.due.notify_one();
        }
    }

    /// Adds a line to a timeline.
    ///
    /// # Errors
    /// [`StoreError::NoSuchJob`], and whatever the disk says.
    pub async fn note(&self, id: JobId, entry: TimelineEntry) -> Result<(), StoreError> {
        self.write(Growth::Settles, move |tables| {
            if tables.jobs.get(&id.to_bytes())?.is_none() {
                return Err(StoreError::NoSuchJob);
            }
            add_lines(tables, id, std::slice::from_ref(&entry))
        })
        .await
    }
}

fn serve(
    tables: &mut Tables<'_>,
    id: JobId,
    ticket: Option<Ticket>,
    to: Option<&str>,
    now: Timestamp,
) -> Result<ServeOutcome, StoreError> {
    let old = get(&tables.jobs, &id.to_bytes(), decode::<Job>)?.ok_or(StoreError::NoSuchJob)?;
    let (job, entry) = match ticket::decide_serve(&old, ticket, to, now) {
        ServeDecision::First { job, entry } => (job, entry),
        ServeDecision::Again => {
            tables.unchanged();
            return Ok(ServeOutcome::Again);
        }
        ServeDecision::Superseded => {
            tables.unchanged();
            return Ok(ServeOutcome::Superseded);
        }
    };
    tables.jobs.insert(&id.to_bytes(), encode(&*job)?.as_slice())?;
    Entries::of(&old).replace(&Entries::of(&job), id, tables)?;
    add_lines(tables, id, std::slice::from_ref(&entry))?;
    let mut entry = AuditEntry::new(now, "link", "fax.served", id).from(to.map(str::to_owned));
    if let Some(ticket) = ticket {
        entry = entry.fact("ticket", ticket);
    }
    audit::append(tables, &entry)?;
    Ok(ServeOutcome::First)
}

fn create(tables: &mut Tables<'_>, new: &NewJob, now: Timestamp) -> Result<Created, StoreError> {
    let NewJob {
        job,
        document,
        timeline,
        idempotency,
        audit,
    } = new;
    let id = job.id.to_bytes();
    // Every look before the first write: a refusal must leave no trace in the transaction of its neighbours.
    if let Some(row) = idempotency
        && let Some(known) = expiry::live(tables, &row.who, &row.key, now)?
    {
        tables.unchanged();
        return Ok(if known.fingerprint == row.fingerprint {
            Created::Replay(known)
        } else {
            Created::Conflict
        });
    }
    let taken = tables.jobs.get(&id)?.is_some()
        || match &job.provider_id {
            Some(provider_id) => tables.by_provider_id.get(provider_id.as_str())?.is_some(),
            None => false,
        };
    if taken {
        return Err(StoreError::Exists("fax"));
    }
    tables.jobs.insert(&id, encode(job)?.as_slice())?;
    Entries::default().replace(&Entries::of(job), job.id, tables)?;
    if let Some(document) = document {
        tables.sealed_documents.insert(&id, document.as_ref())?;
    }
    add_lines(tables, job.id, timeline)?;
    if let Some(row) = idempotency {
        expiry::put_idempotency(tables, row)?;
    }
    audit::append(tables, audit)?;
    Ok(Created::New)
}

fn advance(
    tables: &mut Tables<'_>,
    id: JobId,
    event: &JobEvent,
    now: Timestamp,
) -> Result<(Advanced, Option<Finished>), StoreError> {
    let old = get(&tables.jobs, &id.to_bytes(), decode::<Job>)?.ok_or(StoreError::NoSuchJob)?;
    let transition = match status::apply(&old, event, now) {
        Ok(transition) => transition,
        Err(refusal) => return Ok((refused(tables, old, refusal), None)),
    };
    if transition.job == old && transition.entries.is_empty() {
        tables.unchanged();
        let advanced = Advanced {
            job: old,
            changed: false,
            refusal: None,
        };
        return Ok((advanced, None));
    }
    for provider_id in transition.job.provider_ids() {
        let holder = tables.by_provider_id.get(provider_id)?;
        if holder.is_some_and(|other| other.value() != &id.to_bytes()) {
            return Ok((refused(tables, old, Refusal::OtherFax), None));
        }
    }
    tables
        .jobs
        .insert(&id.to_bytes(), encode(&transition.job)?.as_slice())?;
    Entries::of(&old).replace(&Entries::of(&transition.job), id, tables)?;
    if transition.job.artifact.is_none() && old.artifact.is_some() {
        tables.documents.remove(&id.to_bytes())?;
        tables.sealed_documents.remove(&id.to_bytes())?;
    }
    add_lines(tables, id, &transition.entries)?;
    for entry in state_changes(&old, &transition.job, event, now) {
        audit::append(tables, &entry)?;
    }
    let ended = !old.phase.is_final() && transition.job.phase.is_final();
    let finished = ended.then(|| finished(&transition.job));
    let advanced = Advanced {
        job: transition.job,
        changed: true,
        refusal: None,
    };
    Ok((advanced, finished))
}

/// How a job ended, for the metrics: its public status and the type of its error.
type Finished = (&'static str, &'static str);

fn finished(job: &Job) -> Finished {
    let error_type = job
        .error
        .as_ref()
        .map_or("", |error| error.error_type.known().unwrap_or("other"));
    (job.status().as_str(), error_type)
}

/// After the commit: a command may be run more than once.
fn count((status, error_type): Finished) {
    metrics::counter!(JOBS_FINISHED, "status" => status, "error_type" => error_type).increment(1);
}

fn refused(tables: &mut Tables<'_>, job: Job, refusal: Refusal) -> Advanced {
    tables.unchanged();
    Advanced {
        job,
        changed: false,
        refusal: Some(refusal),
    }
}

fn add_lines(tables: &mut Tables<'_>, id: JobId, lines: &[TimelineEntry]) -> Result<(), StoreError> {
    if lines.is_empty() {
        return Ok(());
    }
    let (low, high) = (key::event(id, 0), key::event(id, u32::MAX));
    let last = match tables.job_events.range::<&[u8; 20]>(&low..=&high)?.next_back() {
        Some(row) => Some(u32::from_be_bytes(key::tail(row?.0.value()))),
        None => None,
    };
    let mut number = last.map_or(0, |last| last.saturating_add(1));
    for line in lines {
        tables
            .job_events
            .insert(&key::event(id, number), encode(line)?.as_slice())?;
        number = number.saturating_add(1);
    }
    Ok(())
}

/// What an auditor wants to know of a change: the steps that matter to somebody outside.
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
