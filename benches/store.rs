//! What the database costs: commits alone and together, claiming, reading, and where documents are best kept.
//!
//! `cargo bench --bench store`. The durable figures are those of the disk under the temporary folder: set
//! `TMPDIR` to measure another one.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a bench may fail loudly"
)]

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use faxgate_base::clock::Clock;
use faxgate_base::id::IdSource;
use faxgate_domain::artifact::{Artifact, Place};
use faxgate_domain::audit::AuditEntry;
use faxgate_domain::event::{EventKind, TimelineEntry};
use faxgate_domain::ids::JobId;
use faxgate_domain::job::{Job, PublicStatus, Queue};
use faxgate_domain::number::E164;
use faxgate_store::{JobFilter, NewJob, PageRequest, Store, StoreOptions};
use jiff::{SignedDuration, Timestamp};
use redb::backends::InMemoryBackend;
use tokio::runtime::Runtime;

criterion_group!(benches, commits, claims, reads, documents);
criterion_main!(benches);

/// Accepted faxes: one writer sees a whole commit each time, 64 share it.
fn commits(c: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let mut group = c.benchmark_group("accept");
    group
        .sample_size(10)
        .measurement_time(Duration::from_secs(4))
        .throughput(Throughput::Elements(1));
    for writers in [1, 64] {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path());
        group.bench_function(BenchmarkId::new("writers", writers), |b| {
            b.iter_custom(|faxes| runtime.block_on(accept(&store, writers, faxes, |_| None)));
        });
    }
    group.finish();
}

/// What a worker asks each time it looks for work: must not grow with the queue.
fn claims(c: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let mut group = c.benchmark_group("claim 16 of");
    for jobs in [1_000, 100_000, 1_000_000] {
        let store = in_memory(&runtime, jobs);
        let now = Clock::system().now() + SignedDuration::from_secs(60);
        group.bench_function(BenchmarkId::from_parameter(jobs), |b| {
            b.iter(|| {
                runtime
                    .block_on(store.waiting(Queue::Dispatch, now, None, 16))
                    .unwrap()
            });
        });
    }
    group.finish();
}

/// One job, and a page with two filters.
fn reads(c: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let store = in_memory(&runtime, 100_000);
    let page = PageRequest {
        limit: 20,
        cursor: None,
    };
    let id = runtime
        .block_on(store.jobs(&JobFilter::default(), &page))
        .unwrap()
        .items
        .last()
        .unwrap()
        .id;
    c.bench_function("read one job of 100000", |b| {
        b.iter(|| runtime.block_on(store.job(id)).unwrap().unwrap())
    });
    let filter = JobFilter {
        owner: Some("desk".to_owned()),
        status: Some(PublicStatus::Queued),
        ..JobFilter::default()
    };
    c.bench_function("page of 20 by owner and status", |b| {
        b.iter(|| runtime.block_on(store.jobs(&filter, &page)).unwrap())
    });
}

/// A document in the commit of its job, against a synced file of its own before that commit.
fn documents(c: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    for size in [4 * 1024, 32 * 1024, 100 * 1024, 256 * 1024, 1024 * 1024] {
        let mut group = c.benchmark_group(format!("document {} KiB", size / 1024));
        group
            .sample_size(10)
            .measurement_time(Duration::from_secs(3))
            .throughput(Throughput::Elements(1));
        let document = Bytes::from((0..size).map(|i| (i * 31 % 251) as u8).collect::<Vec<_>>());
        for writers in [1, 32] {
            let folder = tempfile::tempdir().unwrap();
            let store = open(folder.path());
            let inline = document.clone();
            group.bench_function(BenchmarkId::new("in the commit", writers), |b| {
                let inline = inline.clone();
                let content = move |_| Some(inline.clone());
                b.iter_custom(|faxes| runtime.block_on(accept(&store, writers, faxes, content.clone())));
            });
            let folder = Arc::new(tempfile::tempdir().unwrap());
            let store = open(folder.path());
            group.bench_function(BenchmarkId::new("in a file", writers), |b| {
                let (folder, document) = (Arc::clone(&folder), document.clone());
                let content = move |id: JobId| {
                    keep(folder.path(), &id.to_string(), &document);
                    None
                };
                b.iter_custom(|faxes| runtime.block_on(accept(&store, writers, faxes, content.clone())));
            });
        }
        group.finish();
    }
}

/// Time for `writers` tasks to have `faxes` faxes accepted together. `document` runs on a blocking thread.
async fn accept(
    store: &Store,
    writers: u64,
    faxes: u64,
    document: impl Fn(JobId) -> Option<Bytes> + Clone + Send + 'static,
) -> Duration {
    let left = Arc::new(AtomicU64::new(faxes));
    let ids = IdSource::default();
    let started = Instant::now();
    let tasks: Vec<_> = (0..writers)
        .map(|_| {
            let (store, left, ids, document) =
                (store.clone(), Arc::clone(&left), ids.clone(), document.clone());
            tokio::spawn(async move {
                while left
                    .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1))
                    .is_ok()
                {
                    let now = Clock::system().now();
                    let id = JobId(ids.next(now));
                    let document = document.clone();
                    let document = tokio::task::spawn_blocking(move || document(id)).await.unwrap();
                    store.create_job(new_job(id, now, document)).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    started.elapsed()
}

/// A file that survives a power cut: written, synced, renamed, its folder synced.
fn keep(folder: &Path, name: &str, content: &[u8]) {
    let part = folder.join(format!("{name}.part"));
    let mut file = File::create(&part).unwrap();
    file.write_all(content).unwrap();
    file.sync_data().unwrap();
    std::fs::rename(&part, folder.join(name)).unwrap();
    File::open(folder).unwrap().sync_all().unwrap();
}

fn open(folder: &Path) -> Store {
    Store::open(
        &folder.join("faxgate.redb"),
        Clock::system(),
        StoreOptions::default(),
    )
    .unwrap()
}

fn in_memory(runtime: &Runtime, jobs: u64) -> Store {
    let store = Store::open_backend(InMemoryBackend::new(), Clock::system()).unwrap();
    runtime.block_on(accept(&store, 256, jobs, |_| None));
    store
}

fn new_job(id: JobId, now: Timestamp, document: Option<Bytes>) -> NewJob {
    NewJob {
        job: Job {
            file_name: Some("letter.pdf".to_owned()),
            artifact: document.as_ref().map(|document| Artifact {
                place: Place::Database,
                bytes: document.len() as u64,
                sha256: [7; 32],
            }),
            ..Job::queued(id, "desk", E164::new("+12125550142").unwrap(), now)
        },
        document,
        timeline: vec![TimelineEntry::new(now, EventKind::Accepted)],
        idempotency: None,
        audit: AuditEntry::new(now, "0123456789ab", "fax.accepted", id),
    }
}
