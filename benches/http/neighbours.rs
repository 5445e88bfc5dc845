//! What a request costs beside clients that flood: over HTTP/2 with requests that are given up at once (rapid reset) or
//! with heads that never end (CONTINUATION), each again and again on a new connection as soon as the last was ended.
//!
//! Whoever floods takes part of the machine too, so an honest client that asks as fast as it can is measured as well.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::frames::{self, CONTINUATION, END_HEADERS, END_STREAM, H2, HEADERS, RST_STREAM};
use crate::load::{Case, Target};

/// Requests of the neighbour in each measurement.
const REQUESTS: usize = 2000;
/// Between two of them.
const PAUSE: Duration = Duration::from_millis(2);
/// Frames that are sent at once.
const BATCH: u32 = 25;

/// Who else is there.
#[derive(Clone, Copy)]
enum Other {
    Nobody,
    Honest,
    Reset,
    Continuation,
}

/// Measures each and prints a line.
pub(crate) async fn measure(target: &Target, address: SocketAddr, certificate: &str, case: &Case) {
    println!("\n{:<48} {:>9} {:>9}", "a request every 2 ms", "p50", "p99");
    for (name, other) in [
        ("alone", Other::Nobody),
        ("beside a client that asks as fast as it can", Other::Honest),
        ("beside a flood of requests given up", Other::Reset),
        ("beside a flood of heads that never end", Other::Continuation),
    ] {
        let task = {
            let (target, case, certificate) = (target.clone(), case.clone(), certificate.to_owned());
            tokio::spawn(async move { be(other, &target, address, &certificate, &case).await })
        };
        let mut times = target.each(case, REQUESTS, PAUSE).await;
        task.abort();
        times.sort();
        let at = |percent: usize| format!("{:.2?}", times[(times.len() - 1) * percent / 100]);
        println!("{name:<48} {:>9} {:>9}", at(50), at(99));
    }
}

async fn be(other: Other, target: &Target, address: SocketAddr, certificate: &str, case: &Case) {
    loop {
        match other {
            Other::Nobody => return,
            Other::Honest => drop(target.each(case, 200, Duration::ZERO).await),
            Other::Reset => reset(&mut H2::connect(address, certificate).await).await,
            Other::Continuation => endless(&mut H2::connect(address, certificate).await).await,
        }
    }
}

/// Begins requests and gives them up until the server ends the connection.
async fn reset(h2: &mut H2) {
    let head = frames::block(&frames::get("/fax"));
    let started = Instant::now();
    for first in (1..).step_by(2 * BATCH as usize) {
        let mut batch = Vec::new();
        for stream in (first..).step_by(2).take(BATCH as usize) {
            batch.extend(frames::frame(HEADERS, END_HEADERS | END_STREAM, stream, &head));
            batch.extend(frames::frame(RST_STREAM, 0, stream, &[0, 0, 0, 8]));
        }
        if !h2.send(&batch).await {
            return;
        }
        assert!(started.elapsed() < Duration::from_secs(10), "the server bears it");
    }
}

/// Goes on with one head until the server ends the connection.
async fn endless(h2: &mut H2) {
    let piece = frames::block(&[("x-a", &"a".repeat(8000))]);
    h2.frame(HEADERS, 0, 1, &frames::block(&frames::get("/health")))
        .await;
    let started = Instant::now();
    while h2.frame(CONTINUATION, 0, 1, &piece).await {
        assert!(started.elapsed() < Duration::from_secs(10), "the server bears it");
    }
}
