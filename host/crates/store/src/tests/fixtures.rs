//! Jobs, stores and events for tests.

use std::time::Duration;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use redb::backends::InMemoryBackend;
use sha2::{Digest as _, Sha256};

use crate::{IdempotencyRow, NewInbound, NewJob, Store, StoreOptions};
use faxgate_base::clock::Clock;
use faxgate_base::id::IdSource;
use faxgate_domain::artifact::{Artifact, Place};
use faxgate_domain::audit::AuditEntry;
use faxgate_domain::event::{EventKind, TimelineEntry};
use faxgate_domain::ids::{InboundId, JobId};
use faxgate_domain::inbound::{InboundFax, InboundStatus};
use faxgate_domain::job::Job;
use faxgate_domain::number::E164;
use faxgate_domain::provider::{ProviderStatus, StatusUpdate};
use faxgate_domain::status::JobEvent;

/// A store in memory, its clock, and a source of ids.
pub(crate) struct Bed {
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) ids: IdSource,
}

impl Bed {
    pub(crate) fn new() -> Self {
        Self::with_ttl(None)
    }

    pub(super) fn with_ttl(artifact_ttl: Option<Duration>) -> Self {
        let clock = Clock::system();
        let options = StoreOptions {
            artifact_ttl,
            ..StoreOptions::default()
        };
        let store = Store::open_backend_with(InMemoryBackend::new(), clock.clone(), options).unwrap();
        Self {
            store,
            clock,
            ids: IdSource::default(),
        }
    }

    pub(super) fn job(&self, owner: &str) -> NewJob {
        new_job(JobId(self.ids.next(self.clock.now())), owner, self.clock.now())
    }

    pub(crate) fn inbound(&self, provider_id: &str) -> NewInbound {
        let now = self.clock.now();
        let document = Bytes::from(format!("document of {provider_id}"));
        NewInbound {
            fax: InboundFax {
                id: InboundId(self.ids.next(now)),
                provider_id: provider_id.to_owned(),
                owner: "desk".to_owned(),
                from: Some("+12125550199".to_owned()),
                to: Some("+12125550111".to_owned()),
                status: InboundStatus::Received,
                error: None,
                pages: Some(2),
                is_test: false,
                artifact: Some(artifact(&document)),
                purged_at: None,
                received_at: now,
                created_at: now,
                expires_at: Some(now + SignedDuration::from_hours(24)),
            },
            document: Some(document),
            audit: AuditEntry::new(now, "provider", "inbound.received", provider_id),
        }
    }

    /// A job that was kept.
    pub(super) async fn created(&self, owner: &str) -> Job {
        let new = self.job(owner);
        self.store.create_job(new.clone()).await.unwrap();
        new.job
    }

    /// Sends a job as far as the provider having it.
    pub(super) async fn submit(&self, id: JobId, provider_id: &str) {
        self.store.advance(id, claimed(self.clock.now())).await.unwrap();
        self.store
            .advance(id, taken(provider_id, self.clock.now()))
            .await
            .unwrap();
    }

    /// Sends a job as far as delivered.
    pub(super) async fn deliver(&self, id: JobId, provider_id: &str) {
        self.submit(id, provider_id).await;
        let news = news(provider_id, ProviderStatus::Delivered, self.clock.now());
        self.store.advance(id, news).await.unwrap();
    }
}

/// A job and what comes with it, its document in the database.
pub(super) fn new_job(id: JobId, owner: &str, now: Timestamp) -> NewJob {
    let document = Bytes::from(format!("%PDF-1.7 document of {id}"));
    NewJob {
        job: Job {
            to_raw: "(212) 555-0142".to_owned(),
            file_name: Some("letter.pdf".to_owned()),
            artifact: Some(artifact(&document)),
            ..Job::queued(id, owner, E164::new("+12125550142").unwrap(), now)
        },
        document: Some(document),
        timeline: vec![TimelineEntry::new(now, EventKind::Accepted)],
        idempotency: None,
        audit: AuditEntry::new(now, "0123456789ab", "fax.accepted", id),
    }
}

pub(super) fn row(who: &str, key: &str, fingerprint: u8, job: JobId, now: Timestamp) -> IdempotencyRow {
    IdempotencyRow {
        who: who.to_owned(),
        key: key.to_owned(),
        fingerprint: [fingerprint; 32],
        job,
        answer: format!("{{\"id\":\"{job}\"}}"),
        created_at: now,
        expires_at: now + SignedDuration::from_hours(24),
    }
}

pub(super) fn claimed(now: Timestamp) -> JobEvent {
    JobEvent::Claimed {
        look_at: now + SignedDuration::from_mins(1),
    }
}

pub(super) fn taken(provider_id: &str, now: Timestamp) -> JobEvent {
    JobEvent::Accepted {
        provider_id: provider_id.to_owned(),
        poll_at: now + SignedDuration::from_mins(10),
        adopted: false,
    }
}

pub(super) fn news(provider_id: &str, status: ProviderStatus, now: Timestamp) -> JobEvent {
    JobEvent::VerifiedUpdate {
        update: Box::new(StatusUpdate {
            provider_id: provider_id.to_owned(),
            job: None,
            status,
            provider_status: "success".to_owned(),
            in_flight: None,
            pages: Some(1),
            cost_cents: Some(7),
            error: None,
            completed_at: None,
            facts: Vec::new(),
        }),
        source: faxgate_domain::provider::EventSource::Callback,
        poll_at: now + SignedDuration::from_mins(10),
    }
}

pub(super) fn artifact(document: &Bytes) -> Artifact {
    Artifact {
        place: Place::Database,
        bytes: document.len() as u64,
        sha256: Sha256::digest(document).into(),
    }
}
