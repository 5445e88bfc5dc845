//! What a request costs beside others: an honest client that asks as fast as it can, one that connects anew for each
//! request, and clients that flood over HTTP/2, with requests that are given up at once (rapid reset) or with heads that
//! never end (CONTINUATION), each again and again on a new connection as soon as the last was ended.
//!
//! They are a process of the lowest priority: what they take of the processor would be another machine's in life.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use tokio::process::Command;

use crate::load::{Case, Target};
use faxgate_testkit::network::http2::{self, CONTINUATION, END_HEADERS, END_STREAM, H2, HEADERS, RST_STREAM};

/// First argument of a process that is one of the others.
pub(crate) const OTHER: &str = "--other";
/// Requests of the neighbour in each measurement.
const REQUESTS: usize = 2000;
/// Between two of them.
const PAUSE: Duration = Duration::from_millis(2);
/// Frames that are sent at once.
const BATCH: u32 = 25;

/// Measures each and prints a line.
pub(crate) async fn measure(target: &Target, address: SocketAddr, certificate: &Path, case: &Case) {
    println!("\n{:<48} {:>9} {:>9}", "a request every 2 ms", "p50", "p99");
    for (name, other) in [
        ("alone", None),
        ("beside a client that asks as fast as it can", Some("asks")),
        ("beside one that connects for each request", Some("connects")),
        ("beside a flood of requests given up", Some("resets")),
        ("beside a flood of heads that never end", Some("continues")),
    ] {
        let other = other.map(|kind| {
            Command::new("nice")
                .args(["-n", "19"])
                .arg(std::env::current_exe().unwrap())
                .args([OTHER, kind, &address.to_string()])
                .arg(certificate)
                .kill_on_drop(true)
                .spawn()
                .unwrap()
        });
        let mut times = target.each(case, REQUESTS, PAUSE).await;
        if let Some(mut other) = other {
            assert!(other.try_wait().unwrap().is_none(), "{name}: it ended early");
            other.kill().await.unwrap();
        }
        times.sort();
        let at = |percent: usize| format!("{:.2?}", times[(times.len() - 1) * percent / 100]);
        println!("{name:<48} {:>9} {:>9}", at(50), at(99));
    }
}

/// The life of such a process: kind, address and certificate are its arguments.
pub(crate) async fn be_other(mut arguments: impl Iterator<Item = String>) {
    let kind = arguments.next().unwrap();
    let address = arguments.next().unwrap().parse().unwrap();
    let certificate = arguments.next().unwrap();
    let target = Target::new(address, Path::new(&certificate), false);
    let pem = std::fs::read_to_string(&certificate).unwrap();
    let case = Case::get("", "/health", None);
    loop {
        match kind.as_str() {
            "asks" => drop(target.each(&case, 200, Duration::ZERO).await),
            "connects" => drop(target.sample(&case).await),
            "resets" => reset(&mut H2::connect(address, &pem).await).await,
            _ => endless(&mut H2::connect(address, &pem).await).await,
        }
    }
}

/// Begins requests and gives them up until the server ends the connection.
async fn reset(h2: &mut H2) {
    let head = http2::block(&http2::get("/fax"));
    let started = Instant::now();
    for first in (1..).step_by(2 * BATCH as usize) {
        let mut batch = Vec::new();
        for stream in (first..).step_by(2).take(BATCH as usize) {
            batch.extend(http2::frame(HEADERS, END_HEADERS | END_STREAM, stream, &head));
            batch.extend(http2::frame(RST_STREAM, 0, stream, &[0, 0, 0, 8]));
        }
        if !h2.send(&batch).await {
            return;
        }
        assert!(started.elapsed() < Duration::from_secs(10), "the server bears it");
    }
}

/// Goes on with one head until the server ends the connection.
async fn endless(h2: &mut H2) {
    let piece = http2::block(&[("x-a", &"a".repeat(8000))]);
    h2.frame(HEADERS, 0, 1, &http2::block(&http2::get("/health")))
        .await;
    let started = Instant::now();
    while h2.frame(CONTINUATION, 0, 1, &piece).await {
        assert!(started.elapsed() < Duration::from_secs(10), "the server bears it");
    }
}
