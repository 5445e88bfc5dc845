//! Retention under fire: thousands of documents on disk, in a bucket and in the database, and a program that dies
//! while it destroys them.

use std::time::Duration;

use bytes::Bytes;
use faxgate_artifacts::{Artifacts, Kind};
use faxgate_base::clock::{Clock, after, before};
use faxgate_base::id::IdSource;
use faxgate_base::secret::Secret;
use faxgate_config::storage::{S3Config, StorageConfig};
use faxgate_domain::artifact::{Artifact, Place};
use faxgate_domain::audit::AuditEntry;
use faxgate_domain::ids::{InboundId, JobId};
use faxgate_domain::inbound::{InboundFax, InboundStatus};
use faxgate_domain::job::{Job, Phase};
use faxgate_domain::number::E164;
use faxgate_store::{IdempotencyRow, NewInbound, NewJob, Store, StoreOptions};
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use ulid::Ulid;

use faxgate_testkit::files;
use faxgate_testkit::rng::{self, TestRng};
use faxgate_testkit::service::installation::Setup;
use faxgate_testkit::storage::s3_server::{ACCESS_KEY, BUCKET, S3Server, SECRET_KEY};
use faxgate_testkit::wait;

/// How many documents; set the variable for more.
const DOCUMENTS: &str = "FAXGATE_TEST_DOCUMENTS";
/// Of finished jobs, in days.
const TTL_DAYS: u64 = 2;
const DAY: Duration = Duration::from_secs(86_400);

/// A document that was put there before the program began.
struct Kept {
    id: Ulid,
    inbound: bool,
    artifact: Artifact,
    expires: Timestamp,
}

/// The folder, the bucket and the records, seen by this test while the program is dead.
struct Ground {
    data: std::path::PathBuf,
    server: S3Server,
    clock: Clock,
}

impl Ground {
    fn store(&self) -> Store {
        let options = StoreOptions {
            artifact_ttl: Some(DAY * TTL_DAYS as u32),
            ..StoreOptions::default()
        };
        Store::open(&self.data.join("faxgate.redb"), self.clock.clone(), options).expect("database")
    }

    async fn artifacts(&self, storage: &StorageConfig) -> Artifacts {
        let dir = self.data.join("artifacts");
        Artifacts::open(storage, &dir, self.clock.clone())
            .await
            .expect("artifacts")
    }

    fn bucket(&self) -> StorageConfig {
        StorageConfig::S3(S3Config {
            bucket: BUCKET.to_owned(),
            region: "us-east-1".to_owned(),
            prefix: String::new(),
            endpoint_url: Some(self.server.url().parse().expect("address")),
            kms_key_id: None,
            access_key_id: Some(Secret::new(ACCESS_KEY.to_owned())),
            secret_access_key: Some(Secret::new(SECRET_KEY.to_owned())),
            session_token: None,
        })
    }

    /// Whether the bytes are there. Those in the database are asked of the database.
    async fn has(&self, store: &Store, kept: &Kept) -> bool {
        match &kept.artifact.place {
            Place::Database => store.document(kept.id).await.expect("document").is_some(),
            Place::Local(name) => self.data.join("artifacts").join(name).exists(),
            Place::S3(key) => self.server.has(key),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_go_when_due_whatever_the_program_dies_of() {
    let count = rng::repetitions(DOCUMENTS, 600);
    let mut rng = TestRng::seeded();
    let mut setup = Setup::new();
    let server = S3Server::start().await;
    setup
        .set("disabled", true)
        .set("inbound.enabled", true)
        .set("limits.inbound_get_rpm", 0)
        .set("retention.artifact_ttl_days", TTL_DAYS as f64)
        .set("retention.cleanup_interval_minutes", 0.02)
        .set("storage.backend", "s3")
        .set("storage.s3.bucket", BUCKET)
        .set("storage.s3.endpoint_url", server.url())
        .set("storage.s3.access_key_id", ACCESS_KEY)
        .set("storage.s3.secret_access_key", SECRET_KEY);
    let ground = Ground {
        data: setup.folder().join("data"),
        server,
        clock: Clock::system(),
    };
    std::fs::create_dir(&ground.data).expect("data folder");
    let begin = ground.clock.now();
    let kept = seed(&ground, count, begin, &mut rng).await;

    let mut installation = setup.start().await;
    let mut deaths = 0;
    loop {
        // The moment of the kill is the point: nothing is waited for.
        tokio::time::sleep(Duration::from_micros(rng.below(400_000) as u64)).await;
        installation.kill();
        deaths += 1;
        let left = agree(&ground, &kept).await;
        if left == 0 || deaths == 40 {
            break;
        }
        installation.revive().await;
    }
    installation.revive().await;
    let kept_files = kept
        .iter()
        .filter(|kept| !is_due(kept, begin) && !kept.artifact.is_in_database())
        .count();
    wait::until("everything due to be gone from disk and bucket", || async {
        // The bucket's server keeps notes beside its objects.
        let there = ground.server.count_of(".pdf") + files::below(&ground.data.join("artifacts")).len();
        (there <= kept_files).then_some(())
    })
    .await;
    for one in kept.iter().filter(|kept| is_due(kept, begin)) {
        let folder = if one.inbound { "inbound" } else { "fax" };
        let path = format!("/{folder}/{}/pdf", faxgate_base::id::write(one.id));
        wait::until_equal("410", 410, || async {
            installation.admin.get(&path).await.status.as_u16()
        })
        .await;
    }
    installation.kill();
    assert_eq!(agree(&ground, &kept).await, 0);
    let store = ground.store();
    let late = lateness(&store, &kept, begin).await;
    assert!(store.idempotency("desk", "expired").await.expect("row").is_none());
    assert!(store.idempotency("desk", "live").await.expect("row").is_some());
    let due = kept.iter().filter(|kept| is_due(kept, begin)).count();
    eprintln!(
        "{count} documents, {due} due, {deaths} deaths, gone at most {late:?} after the first start, {rng:?}"
    );
}

/// Whether disk, bucket and records agree; answers how many of those due are still there.
async fn agree(ground: &Ground, kept: &[Kept]) -> usize {
    let store = ground.store();
    let now = ground.clock.now();
    let mut left = 0;
    for one in kept {
        let (artifact, purged_at) = if one.inbound {
            let fax = store
                .inbound(InboundId(one.id))
                .await
                .expect("read")
                .expect("record");
            (fax.artifact, fax.purged_at)
        } else {
            let job = store.job(JobId(one.id)).await.expect("read").expect("record");
            (job.artifact, job.purged_at)
        };
        let there = ground.has(&store, one).await;
        match purged_at {
            Some(at) => {
                assert!(artifact.is_none() && !there, "recorded as gone and still there");
                assert!(at >= one.expires, "gone too early");
            }
            None => {
                assert!(artifact.is_some(), "gone without a record");
                // Between the bytes and the record lies at most the death of the program.
                assert!(there || one.expires <= now, "destroyed too early");
                left += usize::from(one.expires <= now);
            }
        }
    }
    store.close();
    left
}

fn is_due(kept: &Kept, begin: Timestamp) -> bool {
    kept.expires <= after(begin, DAY / 2)
}

/// How long after the beginning, or after its own time, the last one went.
async fn lateness(store: &Store, kept: &[Kept], begin: Timestamp) -> Duration {
    let mut latest = Duration::ZERO;
    for one in kept {
        let purged_at = match one.inbound {
            true => store
                .inbound(InboundId(one.id))
                .await
                .ok()
                .flatten()
                .and_then(|fax| fax.purged_at),
            false => store
                .job(JobId(one.id))
                .await
                .ok()
                .flatten()
                .and_then(|job| job.purged_at),
        };
        let late =
            purged_at.and_then(|at| Duration::try_from(at.duration_since(one.expires.max(begin))).ok());
        latest = latest.max(late.unwrap_or_default());
    }
    latest
}

/// Puts `count` documents everywhere: one half due already, an eighth due within seconds, the rest later.
async fn seed(ground: &Ground, count: usize, now: Timestamp, rng: &mut TestRng) -> Vec<Kept> {
    let (store, ids) = (ground.store(), IdSource::default());
    let stores = [
        ground.artifacts(&StorageConfig::Local).await,
        ground.artifacts(&ground.bucket()).await,
    ];
    for (key, expires_at) in [("expired", before(now, DAY)), ("live", after(now, DAY))] {
        let job = JobId(ids.next(now));
        let row = IdempotencyRow {
            who: "desk".to_owned(),
            key: key.to_owned(),
            fingerprint: [0; 32],
            job,
            answer: "{}".to_owned(),
            created_at: before(now, DAY),
            expires_at,
        };
        let new = new_job(job, None, now, Some(row));
        store.create_job(new).await.expect("job");
    }
    let plans: Vec<_> = (0..count)
        .map(|n| {
            let expires = match rng.below(8) {
                0..4 => before(now, Duration::from_secs(1 + rng.below(86_400) as u64)),
                4 => after(now, Duration::from_millis(rng.below(20_000) as u64)),
                _ => after(now, DAY + Duration::from_secs(rng.below(80_000) as u64)),
            };
            (ids.next(now), n % 2 == 0, rng.below(3), expires)
        })
        .collect();
    let (store, stores) = (&store, &stores);
    let kept = stream::iter(plans)
        .map(|(id, inbound, place, expires)| async move {
            let bytes = Bytes::from(format!("%PDF-1.4 {id} {}", "x".repeat(200)));
            let kind = if inbound { Kind::Inbound } else { Kind::Outbound };
            let (artifact, document) = match stores.get(place) {
                Some(artifacts) => (artifacts.put(kind, id, bytes).await.expect("put"), None),
                None => {
                    let artifact = Artifact {
                        place: Place::Database,
                        bytes: bytes.len() as u64,
                        sha256: Sha256::digest(&bytes).into(),
                    };
                    (artifact, Some(bytes))
                }
            };
            let kept = Kept {
                id,
                inbound,
                artifact: artifact.clone(),
                expires,
            };
            if inbound {
                store
                    .create_inbound(new_inbound(&kept, document, now))
                    .await
                    .expect("inbound");
            } else {
                let ended = before(expires, DAY * TTL_DAYS as u32);
                let mut new = new_job(JobId(id), Some(artifact), ended, None);
                new.document = document;
                store.create_job(new).await.expect("job");
            }
            kept
        })
        .buffer_unordered(64)
        .collect()
        .await;
    store.close();
    kept
}

fn new_inbound(kept: &Kept, document: Option<Bytes>, now: Timestamp) -> NewInbound {
    NewInbound {
        fax: InboundFax {
            id: InboundId(kept.id),
            provider_id: kept.id.to_string(),
            owner: String::new(),
            from: None,
            to: Some("+12125550100".to_owned()),
            status: InboundStatus::Received,
            error: None,
            pages: Some(1),
            is_test: false,
            artifact: Some(kept.artifact.clone()),
            purged_at: None,
            received_at: now,
            created_at: now,
            expires_at: Some(kept.expires),
        },
        document,
        audit: AuditEntry::new(now, "provider", "inbound.received", kept.id),
    }
}

fn new_job(id: JobId, artifact: Option<Artifact>, ended: Timestamp, row: Option<IdempotencyRow>) -> NewJob {
    NewJob {
        job: Job {
            phase: Phase::Delivered,
            wake_at: None,
            deadline: ended,
            attempts: 1,
            artifact,
            completed_at: Some(ended),
            ..Job::queued(id, "desk", E164::new("+12125550142").expect("number"), ended)
        },
        document: None,
        timeline: Vec::new(),
        idempotency: row,
        audit: AuditEntry::new(ended, "desk", "fax.accepted", id),
    }
}
