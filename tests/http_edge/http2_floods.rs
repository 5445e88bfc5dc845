//! HTTP/2 floods from a client that breaks off what it begins: the connection ends within a budget of frames, and
//! neighbours are served all the while.

use faxgate_testkit::TestInstallation;
use faxgate_testkit::network::http2::{
    self, ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, End, H2, HEADERS, PING, RST_STREAM, SETTINGS,
};
use faxgate_testkit::service::installation::{BOOTSTRAP, Setup};

/// Requests that a client may begin and give up before its connection has ended.
const BUDGET: u32 = 500;
const BATCH: u32 = 25;

async fn installation() -> TestInstallation {
    let mut setup = Setup::new();
    setup
        .set("limits.auth_failures_per_minute", 100_000)
        .set("disabled", true);
    setup.start().await
}

/// Reads until the server has answered a ping; false when it has ended the connection.
async fn pinged(h2: &mut H2) -> bool {
    if !h2.frame(PING, 0, 0, b"12345678").await {
        return false;
    }
    loop {
        match h2.next().await {
            None => return false,
            Some(frame) if frame.kind == http2::GOAWAY => return false,
            Some(frame) if frame.kind == PING && frame.flags & ACK != 0 => return true,
            Some(_) => {}
        }
    }
}

/// A request whose handler waits for its body.
fn upload() -> Vec<u8> {
    let mut fields = http2::get("/fax").to_vec();
    fields[0].1 = "POST";
    fields.push(("x-api-key", BOOTSTRAP));
    fields.push(("content-type", "multipart/form-data; boundary=b"));
    http2::block(&fields)
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_are_reset_at_once_end_the_connection() {
    let installation = installation().await;
    let mut neighbour = H2::connect(installation.https, &installation.cert_pem).await;
    let mut flood = H2::connect(installation.https, &installation.cert_pem).await;
    let (mut next, mut other) = (1, 1);
    loop {
        let mut batch = Vec::new();
        for _ in 0..BATCH {
            batch.extend(http2::frame(
                HEADERS,
                END_HEADERS | END_STREAM,
                next,
                &http2::block(&http2::get("/fax")),
            ));
            batch.extend(http2::frame(RST_STREAM, 0, next, &[0, 0, 0, 8]));
            next += 2;
        }
        let ended = !flood.send(&batch).await || !pinged(&mut flood).await;
        assert!(neighbour.still_serves(other).await);
        other += 2;
        if ended {
            break;
        }
        assert!(next / 2 < BUDGET, "{} requests were reset", next / 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_are_begun_and_given_up_end_the_connection() {
    let installation = installation().await;
    let mut neighbour = H2::connect(installation.https, &installation.cert_pem).await;
    let mut flood = H2::connect(installation.https, &installation.cert_pem).await;
    let (mut next, mut other) = (1, 1);
    'flood: loop {
        let begun: Vec<u32> = (0..BATCH).map(|n| next + 2 * n).collect();
        next += 2 * BATCH;
        for stream in &begun {
            flood.frame(HEADERS, END_HEADERS, *stream, &upload()).await;
        }
        // The server has seen them all: each is in its handler.
        if !pinged(&mut flood).await {
            break;
        }
        for stream in &begun {
            if !flood.frame(RST_STREAM, 0, *stream, &[0, 0, 0, 8]).await {
                break 'flood;
            }
        }
        assert!(neighbour.still_serves(other).await);
        other += 2;
        if !pinged(&mut flood).await {
            break;
        }
        assert!(next / 2 < BUDGET, "{} requests were given up", next / 2);
    }
    assert!(neighbour.still_serves(other).await);
    let metrics = installation.admin.get("/metrics").await.text();
    assert!(
        metrics.contains("connections_refused_total{reason=\"resets\"} 1"),
        "{metrics}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_waits_for_its_answers_may_ask_for_ever() {
    let installation = installation().await;
    let mut h2 = H2::connect(installation.https, &installation.cert_pem).await;
    for n in 0..BUDGET {
        h2.request(2 * n + 1, &http2::get("/health"), true).await;
        assert_eq!(h2.end_of(2 * n + 1).await, End::Answer(200), "{n}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_goes_on_and_on_ends_the_connection() {
    let installation = installation().await;
    let mut neighbour = H2::connect(installation.https, &installation.cert_pem).await;
    for (name, piece) in [
        ("empty", Vec::new()),
        ("long", http2::block(&[("x-a", &"a".repeat(8000))])),
    ] {
        let mut flood = H2::connect(installation.https, &installation.cert_pem).await;
        flood
            .frame(HEADERS, 0, 1, &http2::block(&http2::get("/health")))
            .await;
        // Not one frame more is sent: the end must come of these.
        for _ in 0..64 {
            if !flood.frame(CONTINUATION, 0, 1, &piece).await {
                break;
            }
        }
        let end = flood.end_of(1).await;
        assert!(matches!(end, End::Gone(_)), "{name}: {end:?}");
    }
    assert!(neighbour.still_serves(1).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_block_that_unfolds_into_a_large_head_is_refused() {
    let installation = installation().await;
    let mut h2 = H2::connect(installation.https, &installation.cert_pem).await;
    // One field of 3,000 bytes is kept in the table, then named 1,000 times by one byte each.
    let mut block = http2::block(&http2::get("/health"));
    let mut field = http2::block(&[("x-a", &"a".repeat(3000))]);
    field[0] = 0x40;
    block.extend(field);
    block.extend([0xbe; 1000]);
    h2.frame(HEADERS, END_HEADERS | END_STREAM, 1, &block).await;
    let end = h2.end_of(1).await;
    assert!(
        matches!(end, End::Answer(431) | End::Reset(_) | End::Gone(_)),
        "{end:?}"
    );
    assert_eq!(installation.fresh_client().get("/health").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_that_ask_for_answers_nobody_reads_harm_no_neighbour() {
    let installation = installation().await;
    let mut neighbour = H2::connect(installation.https, &installation.cert_pem).await;
    let mut other = 1;
    let ping = http2::frame(PING, 0, 0, &[0; 8]).repeat(100);
    let settings = http2::frame(SETTINGS, 0, 0, &[]).repeat(100);
    let empty = http2::frame(DATA, 0, 1, &[]).repeat(100);
    for (opens, frames) in [(false, ping), (false, settings), (true, empty)] {
        let mut flood = H2::connect(installation.https, &installation.cert_pem).await;
        if opens {
            flood.frame(HEADERS, END_HEADERS, 1, &upload()).await;
        }
        for _ in 0..50 {
            // A server that stops reading is as good as one that ends the connection.
            let sent = tokio::time::timeout(std::time::Duration::from_millis(200), flood.send(&frames)).await;
            if !sent.unwrap_or(false) {
                break;
            }
            assert!(neighbour.still_serves(other).await);
            other += 2;
        }
    }
    assert!(neighbour.still_serves(other).await);
}
