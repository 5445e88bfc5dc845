//! HTTP/2 that breaks the rules, frame by frame: a refusal of the stream or of the connection, or one interpretation.

use faxgate_testkit::TestInstallation;
use faxgate_testkit::network::http2::{
    self, CONTINUATION, DATA, END_HEADERS, END_STREAM, End, H2, HEADERS, PING, RST_STREAM, SETTINGS,
    WINDOW_UPDATE,
};
use faxgate_testkit::service::installation::Setup;

/// What must come of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    /// The stream is reset or answered 400; others go on.
    StreamRefused,
    /// The connection ends.
    ConnectionRefused,
    /// One of the two.
    Refused,
    /// This answer, and the connection goes on.
    Serves(u16),
}

use Then::{ConnectionRefused, Refused, Serves, StreamRefused};

struct Case {
    name: &'static str,
    frames: Vec<Vec<u8>>,
    then: Then,
}

type Fields<'a> = Vec<(&'a str, &'a str)>;

/// `GET /health` with these fields more.
fn with<'a>(more: &[(&'a str, &'a str)]) -> Fields<'a> {
    [http2::get("/health").as_slice(), more].concat()
}

/// The same without one of its own.
fn without(name: &str) -> Fields<'static> {
    let all = http2::get("/health").into_iter();
    all.filter(|(found, _)| *found != name).collect()
}

fn post<'a>(more: &[(&'a str, &'a str)]) -> Fields<'a> {
    let head = [
        (":method", "POST"),
        (":scheme", "https"),
        (":authority", "localhost"),
        (":path", "/phaxio-callback?job_id=x"),
        ("content-type", "application/x-www-form-urlencoded"),
        (
            "x-phaxio-signature",
            "0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a",
        ),
    ];
    [head.as_slice(), more].concat()
}

fn head(fields: &Fields<'_>) -> Vec<u8> {
    http2::frame(HEADERS, END_HEADERS | END_STREAM, 1, &http2::block(fields))
}

fn open(fields: &Fields<'_>) -> Vec<u8> {
    http2::frame(HEADERS, END_HEADERS, 1, &http2::block(fields))
}

fn case(name: &'static str, fields: &Fields<'_>, then: Then) -> Case {
    sent(name, vec![head(fields)], then)
}

fn sent(name: &'static str, frames: Vec<Vec<u8>>, then: Then) -> Case {
    Case { name, frames, then }
}

#[rustfmt::skip]
fn fields() -> Vec<Case> {
    let twice = |name: &'static str, value: &'static str| with(&[(name, value)]);
    let mut late = without(":path");
    late.extend([("x-a", "1"), (":path", "/health")]);
    vec![
        case("plain", &with(&[]), Serves(200)),
        case("no method", &without(":method"), Refused),
        case("no scheme", &without(":scheme"), Refused),
        case("no path", &without(":path"), Refused),
        case("no authority and no host", &without(":authority"), StreamRefused),
        case("two methods", &twice(":method", "POST"), Refused),
        case("two paths", &twice(":path", "/fax"), Refused),
        case("two schemes", &twice(":scheme", "http"), Refused),
        case("two authorities", &twice(":authority", "elsewhere"), Refused),
        case("a pseudo-header of answers", &with(&[(":status", "200")]), Refused),
        case("a pseudo-header of nobody", &with(&[(":smuggled", "1")]), Refused),
        case("a pseudo-header after a header", &late, Refused),
        case("a name in capitals", &with(&[("X-A", "1")]), Refused),
        case("a name with a space", &with(&[("x a", "1")]), Refused),
        case("an empty name", &with(&[("", "1")]), Refused),
        case("a line end in a value", &with(&[("x-a", "1\r\nx-b: 2")]), Refused),
        case("a line feed in a value", &with(&[("x-a", "1\nx-b: 2")]), Refused),
        case("NUL in a value", &with(&[("x-a", "1\u{0}2")]), Refused),
        case("a line end in a name", &with(&[("x-a: 1\r\nx-b", "2")]), Refused),
        case("a line end in the path", &[without(":path"), vec![(":path", "/health HTTP/1.1\r\nx: y")]].concat(), Refused),
        case("connection", &with(&[("connection", "close")]), Refused),
        case("keep-alive", &with(&[("keep-alive", "1")]), Refused),
        case("proxy-connection", &with(&[("proxy-connection", "close")]), Refused),
        case("transfer-encoding", &with(&[("transfer-encoding", "chunked")]), Refused),
        case("upgrade", &with(&[("upgrade", "h2c")]), Refused),
        case("te that is not trailers", &with(&[("te", "gzip")]), Refused),
        case("te: trailers", &with(&[("te", "trailers")]), Serves(200)),
        case("a host that agrees", &with(&[("host", "localhost")]), Serves(200)),
        case("a host that differs", &with(&[("host", "elsewhere")]), StreamRefused),
        case("two hosts", &with(&[("host", "localhost"), ("host", "elsewhere")]), StreamRefused),
        case("an empty path", &[without(":path"), vec![(":path", "")]].concat(), Refused),
        case("a path that is none", &[without(":path"), vec![(":path", "health")]].concat(), Refused),
        case("a tunnel", &vec![(":method", "CONNECT"), (":authority", "elsewhere:443")], Refused),
        case("a method with a space", &[without(":method"), vec![(":method", "GET /x")]].concat(), Refused),
    ]
}

#[rustfmt::skip]
fn bodies() -> Vec<Case> {
    let data = |flags, bytes: &[u8]| http2::frame(DATA, flags, 1, bytes);
    vec![
        sent("a body as long as it says", vec![open(&post(&[("content-length", "3")])), data(END_STREAM, b"x=1")], Serves(401)),
        sent("a body longer than it says", vec![open(&post(&[("content-length", "1")])), data(END_STREAM, b"x=1")], Refused),
        sent("a body shorter than it says", vec![open(&post(&[("content-length", "9")])), data(END_STREAM, b"x=1")], Refused),
        case("a length without a body", &post(&[("content-length", "9")]), Refused),
        sent("two lengths", vec![open(&post(&[("content-length", "3"), ("content-length", "4")])), data(END_STREAM, b"x=1")], Refused),
        sent("a length that is no number", vec![open(&post(&[("content-length", "three")])), data(END_STREAM, b"x=1")], Refused),
        sent("a negative length", vec![open(&post(&[("content-length", "-3")])), data(END_STREAM, b"x=1")], Refused),
        sent("padding longer than the frame", vec![open(&post(&[])), http2::frame(DATA, END_STREAM | 8, 1, &[200, 1, 2])], ConnectionRefused),
    ]
}

#[rustfmt::skip]
fn order() -> Vec<Case> {
    let whole = head(&with(&[]));
    let begun = http2::frame(HEADERS, END_STREAM, 1, &http2::block(&with(&[])));
    let huge = http2::frame(DATA, 0, 1, &vec![0; 20_000]);
    vec![
        sent("data before a head", vec![http2::frame(DATA, END_STREAM, 1, b"x")], ConnectionRefused),
        sent("a stream with an even number", vec![http2::frame(HEADERS, END_HEADERS | END_STREAM, 2, &http2::block(&with(&[])))], ConnectionRefused),
        sent("a head on stream 0", vec![http2::frame(HEADERS, END_HEADERS | END_STREAM, 0, &http2::block(&with(&[])))], ConnectionRefused),
        sent("another frame inside a head", vec![begun.clone(), http2::frame(PING, 0, 0, &[0; 8])], ConnectionRefused),
        sent("another stream's continuation", vec![begun.clone(), http2::frame(CONTINUATION, END_HEADERS, 3, &[])], ConnectionRefused),
        sent("a continuation of nothing", vec![http2::frame(CONTINUATION, END_HEADERS, 1, &[])], ConnectionRefused),
        sent("a head in two frames", vec![begun, http2::frame(CONTINUATION, END_HEADERS, 1, &[])], Serves(200)),
        sent("a number that was used", vec![head(&with(&[])).clone(), whole], Refused),
        sent("a frame that is too large", vec![open(&post(&[])), huge], ConnectionRefused),
        sent("a block that can't be read", vec![http2::frame(HEADERS, END_HEADERS | END_STREAM, 1, &[0xff; 12])], ConnectionRefused),
        sent("a table beyond its limit", vec![http2::frame(HEADERS, END_HEADERS | END_STREAM, 1, &[0x3f, 0xff, 0xff, 0xff, 0x0f])], ConnectionRefused),
        sent("settings of a wrong length", vec![http2::frame(SETTINGS, 0, 0, &[0; 5])], ConnectionRefused),
        sent("settings on a stream", vec![http2::frame(SETTINGS, 0, 1, &[])], ConnectionRefused),
        sent("a ping of a wrong length", vec![http2::frame(PING, 0, 0, &[0; 7])], ConnectionRefused),
        sent("a window of nothing", vec![http2::frame(WINDOW_UPDATE, 0, 0, &[0; 4])], ConnectionRefused),
        sent("a window that overflows", vec![http2::frame(WINDOW_UPDATE, 0, 0, &[0x7f, 0xff, 0xff, 0xff])], ConnectionRefused),
        sent("a reset of a stream that never was", vec![http2::frame(RST_STREAM, 0, 1, &[0; 4])], ConnectionRefused),
        sent("a promise of a client", vec![http2::frame(5, END_HEADERS, 1, &[0, 0, 0, 2])], ConnectionRefused),
        sent("a frame of nobody", vec![http2::frame(0xbe, 0, 0, b"grease"), head(&with(&[]))], Serves(200)),
    ]
}

async fn verdict(installation: &TestInstallation, case: &Case) -> Option<String> {
    let mut h2 = H2::connect(installation.https, &installation.cert_pem).await;
    for frame in &case.frames {
        h2.send(frame).await;
    }
    let end = h2.end_of(1).await;
    let goes_on = !matches!(end, End::Gone(_)) && h2.still_serves(5).await;
    let stream = matches!(end, End::Reset(_) | End::Answer(400)) && goes_on;
    let connection = matches!(end, End::Gone(_));
    let fits = match case.then {
        StreamRefused => stream,
        ConnectionRefused => connection,
        Refused => stream || connection,
        Serves(status) => end == End::Answer(status) && goes_on,
    };
    (!fits).then(|| {
        format!(
            "{}: {:?} expected, not {end:?}, goes on: {goes_on}",
            case.name, case.then
        )
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_frames_and_fields_are_refused() {
    let mut setup = Setup::new();
    setup
        .set("limits.auth_failures_per_minute", 100_000)
        .set("disabled", true);
    let installation = setup.start().await;
    let cases: Vec<Case> = [fields(), bodies(), order()].into_iter().flatten().collect();
    assert!(cases.len() >= 60, "{}", cases.len());
    let mut failed = Vec::new();
    for case in &cases {
        failed.extend(verdict(&installation, case).await);
    }
    assert!(failed.is_empty(), "{failed:#?}");
    assert_eq!(installation.fresh_client().get("/health").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_preface_ends_the_connection() {
    let installation = TestInstallation::start().await;
    for bytes in [
        "GET /health HTTP/1.1\r\nHost: x\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n",
        "\u{0}\u{0}\u{0}\u{4}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}",
    ] {
        let mut h2 = H2::silent(installation.https, &installation.cert_pem).await;
        h2.send(bytes.as_bytes()).await;
        while let Some(frame) = h2.next().await {
            assert_ne!(frame.kind, HEADERS, "{bytes:?}: {frame:?}");
        }
    }
}
