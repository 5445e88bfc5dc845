//! Writing jobs: loads the rows, asks for the decision and applies it, all in one transaction.

use bytes::Bytes;
use jiff::Timestamp;
use redb::ReadableTable as _;

use crate::Store;
use crate::decide::jobs::{Advanced, BeforeCreate, Created, NewJob, ServeOutcome};
use crate::decide::{self, Decision, Effects};
use crate::error::StoreError;
use crate::format::record::decode;
use crate::format::table_key as key;
use crate::redb::tables::{Tables, get};
use crate::redb::writer::DiskBudget;
use faxgate_domain::audit::AuditEntry;
use faxgate_domain::event::TimelineEntry;
use faxgate_domain::ids::JobId;
use faxgate_domain::job::Job;
use faxgate_domain::status::JobEvent;
use faxgate_domain::ticket::{self, ServeDecision, Ticket};
use faxgate_telemetry::metrics::JOBS_FINISHED;

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
            .write(DiskBudget::Grow(bytes), move |tables| create(tables, &new, now))
            .await?;
        self.notify_expiry(ended && created == Created::New);
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
            .write(DiskBudget::Finish, move |tables| advance(tables, id, &event, now))
            .await?;
        if advanced.ended {
            count(finished(&advanced.job));
        }
        self.notify_expiry(
            advanced.changed && advanced.job.phase.is_final() && advanced.job.artifact.is_some(),
        );
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
                self.write(DiskBudget::Finish, move |tables| {
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

    /// Wakes retention when a document is to be destroyed at once.
    fn notify_expiry(&self, ended: bool) {
        if ended && self.shared.options.artifact_ttl.is_some_and(|ttl| ttl.is_zero()) {
            self.shared.due.notify_one();
        }
    }

    /// Adds a line to a timeline.
    ///
    /// # Errors
    /// [`StoreError::NoSuchJob`], and whatever the disk says.
    pub async fn note(&self, id: JobId, entry: TimelineEntry) -> Result<(), StoreError> {
        self.write(DiskBudget::Finish, move |tables| {
            if tables.jobs.get(&id.to_bytes())?.is_none() {
                return Err(StoreError::NoSuchJob);
            }
            tables.apply(Decision {
                answer: (),
                effects: Effects {
                    timeline: Some((id, vec![entry.clone()])),
                    ..Effects::default()
                },
            })
        })
        .await
    }
}

fn create(tables: &mut Tables<'_>, new: &NewJob, now: Timestamp) -> Result<Created, StoreError> {
    // Every read comes before the first write: a refusal must change nothing in the transaction, which other commands
    // share.
    let idempotency = match &new.idempotency {
        Some(row) => get(&tables.idempotency, &key::idempotency(&row.who, &row.key), decode)?,
        None => None,
    };
    let is_taken = tables.jobs.get(&new.job.id.to_bytes())?.is_some()
        || match &new.job.provider_id {
            Some(provider_id) => tables.by_provider_id.get(provider_id.as_str())?.is_some(),
            None => false,
        };
    let before = BeforeCreate {
        idempotency,
        is_taken,
    };
    tables.apply(decide::jobs::create(new, before, now)?)
}

fn advance(
    tables: &mut Tables<'_>,
    id: JobId,
    event: &JobEvent,
    now: Timestamp,
) -> Result<Advanced, StoreError> {
    let old = get(&tables.jobs, &id.to_bytes(), decode::<Job>)?.ok_or(StoreError::NoSuchJob)?;
    let holder = |provider_id: &str| {
        let holder = tables.by_provider_id.get(provider_id)?;
        Ok(holder.map(|id| JobId::from_bytes(*id.value())))
    };
    let decision = decide::jobs::advance(old, event, now, holder)?;
    tables.apply(decision)
}

fn serve(
    tables: &mut Tables<'_>,
    id: JobId,
    ticket: Option<Ticket>,
    to: Option<&str>,
    now: Timestamp,
) -> Result<ServeOutcome, StoreError> {
    let job = get(&tables.jobs, &id.to_bytes(), decode::<Job>)?.ok_or(StoreError::NoSuchJob)?;
    tables.apply(decide::jobs::serve(job, ticket, to, now))
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
