//! What a long queue costs: from the start of the service to the first request to the provider, one claim, and memory,
//! with a thousand, a hundred thousand and a million faxes waiting.
//!
//! `cargo bench --bench dispatch [-- JOBS…]`. Not criterion: a start happens once.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench may fail loudly and prints its result"
)]

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use bytes::Bytes;
use faxgate::compose;
use faxgate_base::clock::{Clock, after};
use faxgate_base::id::IdSource;
use faxgate_config::source::Fixed;
use faxgate_domain::artifact::{Artifact, Place};
use faxgate_domain::audit::AuditEntry;
use faxgate_domain::event::{EventKind, TimelineEntry};
use faxgate_domain::ids::JobId;
use faxgate_domain::job::{Job, Queue};
use faxgate_domain::number::E164;
use faxgate_domain::status::JobEvent;
use faxgate_store::{NewJob, Store, StoreOptions};
use futures_util::future::join_all;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

/// The file in the data folder.
const DATABASE: &str = "faxgate.redb";
/// Tells the program to measure what it has made.
const ON: &str = "--on";
/// Claims that are measured.
const CLAIMS: usize = 500;
/// Jobs made at a time.
const GROUP: usize = 1024;

fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [word, folder, jobs] = arguments.as_slice()
        && word == ON
    {
        return runtime.block_on(measure(Path::new(folder), jobs));
    }
    let asked: Vec<usize> = arguments.iter().filter_map(|text| text.parse().ok()).collect();
    let sizes = if asked.is_empty() {
        vec![1_000, 100_000, 1_000_000]
    } else {
        asked
    };
    println!("  waiting |  first request |      open |   find one |   claim one |    memory");
    for jobs in sizes {
        let folder = tempfile::tempdir().unwrap();
        runtime.block_on(fill(&folder.path().join(DATABASE), jobs));
        // In a process of its own: memory is that of the service alone.
        let measured = Command::new(std::env::current_exe().unwrap())
            .arg(ON)
            .arg(folder.path())
            .arg(jobs.to_string())
            .status()
            .unwrap();
        assert!(measured.success());
    }
}

async fn measure(folder: &Path, jobs: &str) {
    let metrics = faxgate_telemetry::metrics::install().unwrap();
    let provider = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = provider.local_addr().unwrap();
    // Once for the plugins' compilation, which the first start of all pays.
    first_request(folder, address, &provider, &metrics).await;
    let (took, memory) = first_request(folder, address, &provider, &metrics).await;
    let (open, find, claim) = claims(&folder.join(DATABASE)).await;
    println!(
        "{jobs:>9} | {:>11.0} ms | {:>6.0} ms | {:>7.1} µs | {:>8.2} ms | {:>6} MB",
        took.as_secs_f64() * 1e3,
        open.as_secs_f64() * 1e3,
        find.as_secs_f64() * 1e6,
        claim.as_secs_f64() * 1e3,
        memory / 1024,
    );
}

/// Makes jobs that are due.
async fn fill(file: &Path, jobs: usize) {
    let store = Store::open(file, Clock::system(), StoreOptions::default()).unwrap();
    let ids = IdSource::default();
    for group in 0..jobs.div_ceil(GROUP) {
        let count = GROUP.min(jobs - group * GROUP);
        let made = (0..count).map(|n| store.create_job(new_job(&ids, group * GROUP + n)));
        for created in join_all(made).await {
            created.unwrap();
        }
    }
    store.close();
}

fn new_job(ids: &IdSource, number: usize) -> NewJob {
    let now = Clock::system().now();
    let id = JobId(ids.next(now));
    let to = E164::new(&format!("+1212{:07}", 2_000_000 + number % 7_000_000)).unwrap();
    let document = Bytes::from_static(b"%PDF-1.4 not fetched here");
    let job = Job {
        artifact: Some(Artifact {
            place: Place::Database,
            bytes: document.len() as u64,
            sha256: [7; 32],
        }),
        ..Job::queued(id, "desk", to, now)
    };
    NewJob {
        job,
        document: Some(document),
        timeline: vec![TimelineEntry::new(now, EventKind::Accepted)],
        idempotency: None,
        audit: AuditEntry::new(now, "0123456789ab", "fax.accepted", id),
    }
}

/// What it takes to open the database, to find the next job, and to find and claim it durably.
async fn claims(file: &Path) -> (Duration, Duration, Duration) {
    let began = Instant::now();
    let store = Store::open(file, Clock::system(), StoreOptions::default()).unwrap();
    let opened = began.elapsed();
    let now = Clock::system().now();
    let find = async || {
        let batch = store.waiting(Queue::Dispatch, now, None, 64).await.unwrap();
        let (_, id) = batch.first().copied().unwrap();
        store.job(id).await.unwrap().unwrap()
    };
    find().await;
    let began = Instant::now();
    for _ in 0..CLAIMS {
        find().await;
    }
    let found = began.elapsed() / CLAIMS as u32;
    let look_at = after(now, Duration::from_secs(3600));
    let began = Instant::now();
    for _ in 0..CLAIMS {
        let claimed = store
            .advance(find().await.id, JobEvent::Claimed { look_at })
            .await
            .unwrap();
        assert!(claimed.changed);
    }
    let claimed = began.elapsed() / CLAIMS as u32;
    store.close();
    (opened, found, claimed)
}

/// Starts the whole service on the folder, waits until the provider is asked to send, and ends it. Answers how long
/// that took, and the resident memory then, in KiB.
async fn first_request(
    folder: &Path,
    address: SocketAddr,
    provider: &TcpListener,
    metrics: &metrics_exporter_prometheus::PrometheusHandle,
) -> (Duration, u64) {
    let variables = [
        ("FAX_DATA_DIR", folder.to_str().unwrap().to_owned()),
        ("HTTP_LISTEN", "127.0.0.1:0".to_owned()),
        ("API_KEY", "bench-root-key-0123456789".to_owned()),
        ("PHAXIO_API_KEY", "key".to_owned()),
        ("PHAXIO_API_SECRET", "secret".to_owned()),
        ("PHAXIO_API_URL", format!("http://{address}/v2.1")),
        ("PHAXIO_TIMEOUT_SECONDS", "1".to_owned()),
        // The provider's pace is not what is measured.
        ("PHAXIO_REQUESTS_PER_SECOND", "100".to_owned()),
    ];
    let config = faxgate_config::load(&Fixed::variables(variables), None)
        .unwrap()
        .config;
    let began = Instant::now();
    let service = compose::start(config, compose::Environment::of_process(metrics.clone()))
        .await
        .unwrap();
    let mut head = [0; 16];
    loop {
        let (mut line, _) = provider.accept().await.unwrap();
        line.read_exact(&mut head).await.unwrap();
        // Not one that looks up what the start before left behind.
        if head.starts_with(b"POST") {
            break;
        }
    }
    let took = began.elapsed();
    let memory = resident();
    service.stop().await;
    (took, memory)
}

fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
