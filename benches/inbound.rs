//! What receiving costs: deliveries a second of a 100 KB PDF, each answered after its durable commit, alone and
//! with others under way.
//!
//! `cargo bench --bench inbound`. The figures are those of the disk under the temporary folder (`TMPDIR`). Client
//! and service share the process and the machine. Not criterion: what matters is throughput with many deliveries.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench may fail loudly and prints its result"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use faxgate::compose;
use faxgate_config::source::Fixed;

use faxgate_testkit::documents;
use faxgate_testkit::service::delivery::Delivery;

const SECRET: &str = "bench-secret-0123456789";
const BYTES: usize = 100_000;
/// Length of a round; the best of three counts.
const ROUND: Duration = Duration::from_secs(5);
const ROUNDS: usize = 3;

fn main() {
    tokio::runtime::Runtime::new().unwrap().block_on(run());
}

async fn run() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap().to_owned();
    let variables = [
        ("FAX_DATA_DIR", data.as_str()),
        ("HTTP_LISTEN", "127.0.0.1:0"),
        ("API_KEY", "bench-root-key-0123456789"),
        ("PHAXIO_API_SECRET", SECRET),
        ("INBOUND_ENABLED", "true"),
        ("FAX_DISABLED", "true"),
    ];
    let config = faxgate_config::load(&Fixed::variables(variables), None)
        .unwrap()
        .config;
    let metrics = faxgate_telemetry::metrics::install().unwrap();
    let service = compose::start(config, compose::Environment::of_process(metrics))
        .await
        .unwrap();
    let base = format!("http://{}", service.http().unwrap());
    let pdf = Arc::new(documents::pdf_of_size(1, "received", BYTES));
    let ids = Arc::new(AtomicU64::new(1));
    println!("PDF of {} bytes, a durable commit each", pdf.len());
    for clients in [1, 4, 16] {
        let mut best = 0.0_f64;
        for _ in 0..ROUNDS {
            best = best.max(round(clients, &base, &pdf, &ids).await);
        }
        println!("{clients:>3} at once {best:>8.0} deliveries/s");
    }
    service.stop().await;
}

async fn round(clients: usize, base: &str, pdf: &Arc<Vec<u8>>, ids: &Arc<AtomicU64>) -> f64 {
    let http = reqwest::Client::new();
    let begin = Instant::now();
    let work = (0..clients).map(|_| {
        let (http, base, pdf, ids) = (http.clone(), base.to_owned(), Arc::clone(pdf), Arc::clone(ids));
        tokio::spawn(async move {
            let mut done = 0_u32;
            while begin.elapsed() < ROUND {
                let id = ids.fetch_add(1, Ordering::Relaxed);
                let status = Delivery::of(id, &pdf, SECRET).send(&http, &base).await;
                assert_eq!(status, 200);
                done += 1;
            }
            done
        })
    });
    let mut all = 0;
    for client in work.collect::<Vec<_>>() {
        all += client.await.unwrap();
    }
    f64::from(all) / begin.elapsed().as_secs_f64()
}
