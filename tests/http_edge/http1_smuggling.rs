//! HTTP/1.1 that is malformed, or that two readers on the way could understand differently: one interpretation or a
//! refusal, never two.
//!
//! Behind each case follows a probe on the same connection. Where a case is served, exactly its answers and then the
//! probe's come back; where it is refused, nothing after it is answered at all.

use faxgate_testkit::TestInstallation;
use faxgate_testkit::network::http1;
use faxgate_testkit::service::installation::Setup;

/// What must come of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    /// One refusal, or none at all, and the end of the connection.
    Refused,
    /// These answers, and the connection goes on.
    Serves(&'static [u16]),
    /// These answers, and the end of the connection.
    Ends(&'static [u16]),
}

use Then::{Ends, Refused, Serves};

struct Case {
    name: &'static str,
    bytes: Vec<u8>,
    then: Then,
}

/// Answered 404: what is smuggled into the cases would be answered 200.
const PROBE: &str = "GET /probe HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
const SMUGGLED: &str = "GET /health HTTP/1.1\r\nHost: x\r\n\r\n";

fn case(name: &'static str, text: &str, then: Then) -> Case {
    Case {
        name,
        bytes: text.as_bytes().to_vec(),
        then,
    }
}

/// A signature in the right form and of nothing.
const SIGNATURE: &str = "0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a";

/// A request that needs no key and reads its body, with these header lines.
fn post(headers: &str, body: &str) -> String {
    format!(
        "POST /phaxio-callback?job_id=x HTTP/1.1\r\nHost: x\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nX-Phaxio-Signature: {SIGNATURE}\r\n{headers}\r\n{body}"
    )
}

fn get(headers: &str) -> String {
    format!("GET /health HTTP/1.1\r\n{headers}\r\n")
}

#[rustfmt::skip]
fn lengths() -> Vec<Case> {
    let (n, s) = (SMUGGLED.len(), SMUGGLED);
    vec![
        case("plain", &post("Content-Length: 3\r\n", "x=1"), Serves(&[401])),
        case("two lengths that differ", &post(&format!("Content-Length: 0\r\nContent-Length: {n}\r\n"), s), Refused),
        case("two lengths that agree", &post("Content-Length: 3\r\nContent-Length: 3\r\n", "x=1"), Serves(&[401])),
        case("a list of lengths that differ", &post(&format!("Content-Length: 0, {n}\r\n"), s), Refused),
        case("a list of lengths that agree", &post("Content-Length: 3, 3\r\n", "x=1"), Refused),
        case("a negative length", &post("Content-Length: -1\r\n", s), Refused),
        case("a length with a plus", &post("Content-Length: +3\r\n", "x=1"), Refused),
        case("a hexadecimal length", &post("Content-Length: 0x3\r\n", "x=1"), Refused),
        case("a length with a point", &post("Content-Length: 3.0\r\n", "x=1"), Refused),
        case("an empty length", &post("Content-Length: \r\n", s), Refused),
        case("a length of words", &post("Content-Length: three\r\n", "x=1"), Refused),
        case("a length with a space inside", &post("Content-Length: 3 3\r\n", "x=1"), Refused),
        case("a length beyond all numbers", &post("Content-Length: 99999999999999999999999\r\n", s), Refused),
        case("a length in another alphabet", &post("Content-Length: ３\r\n", "x=1"), Refused),
        case("leading zeros", &post("Content-Length: 003\r\n", "x=1"), Serves(&[401])),
        case("a body on GET", &format!("{}{s}", get(&format!("Host: x\r\nContent-Length: {n}\r\n"))), Ends(&[200])),
        case("no length: no body", &post("", s), Serves(&[401, 200])),
    ]
}

#[rustfmt::skip]
fn codings() -> Vec<Case> {
    let (n, s) = (SMUGGLED.len(), SMUGGLED);
    let chunked = "Transfer-Encoding: chunked\r\n";
    let end = "0\r\n\r\n";
    vec![
        case("chunks", &post(chunked, "3\r\nx=1\r\n0\r\n\r\n"), Ends(&[401])),
        case("length, then chunks", &post(&format!("Content-Length: 3\r\n{chunked}"), &format!("{end}{s}")), Ends(&[401])),
        case("chunks, then length", &post(&format!("{chunked}Content-Length: {n}\r\n"), &format!("{end}{s}")), Ends(&[401])),
        case("chunked twice", &post(&format!("{chunked}{chunked}"), &format!("{end}{s}")), Refused),
        case("chunked, chunked", &post("Transfer-Encoding: chunked, chunked\r\n", &format!("{end}{s}")), Refused),
        case("identity", &post("Transfer-Encoding: identity\r\nContent-Length: 3\r\n", "x=1"), Refused),
        case("chunked, identity", &post("Transfer-Encoding: chunked, identity\r\n", &format!("{end}{s}")), Refused),
        case("gzip, chunked", &post("Transfer-Encoding: gzip, chunked\r\n", &format!("{end}{s}")), Refused),
        case("xchunked", &post(&format!("Transfer-Encoding: xchunked\r\nContent-Length: {n}\r\n"), s), Refused),
        case("quoted chunked", &post("Transfer-Encoding: \"chunked\"\r\n", &format!("{end}{s}")), Refused),
        case("chunked in capitals", &post("Transfer-Encoding: CHUNKED\r\n", end), Ends(&[401])),
        case("chunked behind a tab", &post("Transfer-Encoding:\tchunked\r\n", end), Ends(&[401])),
        case("chunked behind a vertical tab", &post("Transfer-Encoding: \u{b}chunked\r\n", &format!("{end}{s}")), Refused),
        case("a name with a space behind", &post("Transfer-Encoding : chunked\r\n", &format!("{end}{s}")), Refused),
        case("a name with a space before", &post(" Transfer-Encoding: chunked\r\n", &format!("{end}{s}")), Refused),
        case("chunks in HTTP/1.0", &post(chunked, &format!("{end}{s}")).replace("HTTP/1.1\r\nHost: x\r\nContent-Type", "HTTP/1.0\r\nHost: x\r\nContent-Type"), Refused),
        case("an underscore is another name", &post("Transfer_Encoding: chunked\r\nContent-Length: 3\r\n", "x=1"), Serves(&[401])),
    ]
}

#[rustfmt::skip]
fn chunks() -> Vec<Case> {
    let with = |body: &str| post("Transfer-Encoding: chunked\r\n", body);
    let refused = |name, body: &str| case(name, &with(&format!("{body}{SMUGGLED}")), Refused);
    vec![
        case("a chunk extension", &with("3;a=b\r\nx=1\r\n0\r\n\r\n"), Ends(&[401])),
        case("a trailer", &with("3\r\nx=1\r\n0\r\nX-Later: 1\r\n\r\n"), Ends(&[401])),
        case("a trailer that names a length", &with("0\r\nContent-Length: 5\r\n\r\n"), Ends(&[401])),
        refused("a line feed alone behind a size", "3\nx=1\r\n0\r\n\r\n"),
        refused("a line feed in an extension", "3;a\nb\r\nx=1\r\n0\r\n\r\n"),
        refused("a negative size", "-3\r\nx=1\r\n0\r\n\r\n"),
        refused("a size with 0x", "0x3\r\nx=1\r\n0\r\n\r\n"),
        refused("a size that is no number", "z\r\nx=1\r\n0\r\n\r\n"),
        refused("a size that overflows", "10000000000000003\r\nx=1\r\n0\r\n\r\n"),
        refused("more than the size says", "3\r\nx=1234\r\n0\r\n\r\n"),
        refused("no line end behind the data", "3\r\nx=10\r\n\r\n"),
        refused("an empty size", "\r\nx=1\r\n0\r\n\r\n"),
        refused("an extension without end", &format!("3;{}\r\nx=1\r\n0\r\n\r\n", "a".repeat(40_000))),
        refused("a trailer without colon", "0\r\nX-Later\r\n\r\n"),
    ]
}

#[rustfmt::skip]
fn heads() -> Vec<Case> {
    let long = "x".repeat(40_000);
    let many: String = (0..200).map(|n| format!("X-{n}: 1\r\n")).collect();
    vec![
        case("no host", &get(""), Refused),
        case("two hosts", &get("Host: x\r\nHost: y\r\n"), Refused),
        case("the same host twice", &get("Host: x\r\nHost: x\r\n"), Refused),
        case("an empty host", &get("Host: \r\n"), Refused),
        case("a host with a path", &get("Host: x/y\r\n"), Refused),
        case("a host with a user", &get("Host: a@x\r\n"), Refused),
        case("a list of hosts", &get("Host: x, y\r\n"), Refused),
        case("an absolute address", &get("Host: x\r\n").replace("/health", "http://elsewhere/health"), Serves(&[200])),
        case("a folded header", &get("Host: x\r\nX-A: 1\r\n  2\r\n"), Refused),
        case("a folded first header", &get(" Host: x\r\n"), Refused),
        case("a space before the colon", &get("Host : x\r\n"), Refused),
        case("no colon", &get("Host: x\r\nX-A\r\n"), Refused),
        case("no name", &get("Host: x\r\n: 1\r\n"), Refused),
        case("a space in a name", &get("Host: x\r\nX A: 1\r\n"), Refused),
        case("NUL in a value", &get("Host: x\r\nX-A: 1\u{0}2\r\n"), Refused),
        case("NUL in a name", &get("Host: x\r\nX\u{0}A: 1\r\n"), Refused),
        case("NUL in the address", &get("Host: x\r\n").replace("/health", "/hea\u{0}lth"), Refused),
        case("a carriage return alone in a value", &get("Host: x\r\nX-A: 1\rX-B: 2\r\n"), Refused),
        case("a carriage return alone ends nothing", "GET /health HTTP/1.1\rHost: x\r\r", Refused),
        case("line feeds alone", "GET /health HTTP/1.1\nHost: x\n\n", Serves(&[200])),
        case("two spaces in the request line", "GET  /health HTTP/1.1\r\nHost: x\r\n\r\n", Refused),
        case("a tab in the request line", "GET\t/health\tHTTP/1.1\r\nHost: x\r\n\r\n", Refused),
        case("a space in the address", "GET /hea lth HTTP/1.1\r\nHost: x\r\n\r\n", Refused),
        case("no version", "GET /health\r\nHost: x\r\n\r\n", Refused),
        case("version 0.9", "GET /health HTTP/0.9\r\nHost: x\r\n\r\n", Refused),
        case("version 1.2", "GET /health HTTP/1.2\r\nHost: x\r\n\r\n", Refused),
        case("version 2 in words", "GET /health HTTP/2.0\r\nHost: x\r\n\r\n", Refused),
        case("a version in small letters", "GET /health http/1.1\r\nHost: x\r\n\r\n", Refused),
        case("the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Refused),
        case("an upgrade to HTTP/2", &get("Host: x\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"), Serves(&[200])),
        case("an upgrade to anything", &get("Host: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"), Serves(&[200])),
        case("a tunnel", "CONNECT elsewhere:443 HTTP/1.1\r\nHost: elsewhere:443\r\n\r\n", Refused),
        case("a method of its own", &get("Host: x\r\n").replace("GET", "SMUGGLE"), Serves(&[405])),
        case("a method in small letters", &get("Host: x\r\n").replace("GET", "get"), Serves(&[405])),
        case("a method with brackets", &get("Host: x\r\n").replace("GET", "G(T"), Refused),
        case("an address that is too long", &get("Host: x\r\n").replace("/health", &format!("/{}", "a".repeat(30_000))), Serves(&[404])),
        case("a value that is too long", &get(&format!("Host: x\r\nX-A: {long}\r\n")), Refused),
        case("too many headers", &get(&format!("Host: x\r\n{many}")), Refused),
        case("connection lists a header away", &get("Host: x\r\nConnection: Host\r\n"), Serves(&[200])),
        case("keep-alive does not undo close", &get("Host: x\r\nConnection: close\r\nConnection: keep-alive\r\n"), Ends(&[200])),
        case("dots in the address stay", &get("Host: x\r\n").replace("/health", "/x/../health"), Serves(&[404])),
        case("a coded slash is no slash", &get("Host: x\r\n").replace("/health", "/fax%2fhealth"), Serves(&[404])),
        case("an answer instead of a request", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", Refused),
        case("TLS in clear", "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}\r\n\r\n", Refused),
    ]
}

/// Requests whose body never comes whole; the client ends its side.
fn cut() -> Vec<Case> {
    let chunked = "Transfer-Encoding: chunked\r\n";
    vec![
        case(
            "less than the length",
            &post("Content-Length: 500\r\n", "x=1"),
            Refused,
        ),
        case("no last chunk", &post(chunked, "3\r\nx=1\r\n"), Refused),
        case("half a chunk", &post(chunked, "ff\r\nx=1"), Refused),
        case("half a size", &post(chunked, "f"), Refused),
        case("half a trailer", &post(chunked, "0\r\nX-La"), Refused),
        case("half a head", "GET /health HTTP/1.1\r\nHos", Refused),
    ]
}

async fn installation() -> TestInstallation {
    let mut setup = Setup::new();
    // Refused callbacks count as failed authentications.
    setup
        .set("limits.auth_failures_per_minute", 100_000)
        .set("disabled", true);
    setup.start().await
}

/// What is wrong with the answers to a case, if anything.
fn wrong(case: &Case, answers: &[http1::Message]) -> Option<String> {
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    let fits = match case.then {
        Refused => matches!(statuses.as_slice(), [] | [400..=499]) && statuses != [404],
        Serves(expected) => statuses == [expected, &[404]].concat(),
        Ends(expected) => statuses == expected,
    };
    let problems = answers.iter().filter(|answer| answer.status >= 400);
    let silent = problems.into_iter().find(|answer| {
        answer.header("content-type") != "application/problem+json"
            || answer.header("x-request-id").is_empty()
    });
    match silent {
        Some(silent) => Some(format!("{}: an answer without a problem: {silent:?}", case.name)),
        None => (!fits).then(|| format!("{}: {:?} expected, not {statuses:?}", case.name, case.then)),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_interpretation_or_a_refusal() {
    let installation = installation().await;
    let cases: Vec<Case> = [lengths(), codings(), chunks(), heads()]
        .into_iter()
        .flatten()
        .collect();
    assert!(cases.len() >= 60, "{}", cases.len());
    let mut failed = Vec::new();
    for case in &cases {
        let bytes = [case.bytes.as_slice(), PROBE.as_bytes()].concat();
        let plain = http1::exchange(http1::tcp(installation.http).await, &bytes, false).await;
        failed.extend(wrong(case, &http1::messages(&plain)));
        let tls = http1::tls(installation.https, &installation.cert_pem, b"http/1.1").await;
        let sealed = http1::exchange(tls, &bytes, false).await;
        failed.extend(wrong(case, &http1::messages(&sealed)).map(|wrong| format!("over TLS, {wrong}")));
    }
    assert!(failed.is_empty(), "{failed:#?}");
    assert_eq!(installation.fresh_client().get("/health").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_cut_short_is_refused_and_leaves_nothing() {
    let installation = installation().await;
    let mut failed = Vec::new();
    for case in cut() {
        let answers = http1::exchange(http1::tcp(installation.http).await, &case.bytes, true).await;
        failed.extend(wrong(&case, &http1::messages(&answers)));
    }
    assert!(failed.is_empty(), "{failed:#?}");
    let left = faxgate_testkit::files::below(&installation.data().join("spool"));
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_before_a_request_say_what_is_wrong() {
    let installation = installation().await;
    let long = "x".repeat(70_000);
    for (text, status, name) in [
        ("nonsense\r\n\r\n".to_owned(), 400, "bad-request"),
        (get(&format!("Host: x\r\nX-A: {long}\r\n")), 431, "head-too-large"),
    ] {
        let answers = http1::exchange(http1::tcp(installation.http).await, text.as_bytes(), false).await;
        let answers = http1::messages(&answers);
        assert_eq!(answers.len(), 1, "{answers:?}");
        let problem: serde_json::Value = serde_json::from_slice(&answers[0].body).expect("json");
        assert_eq!(answers[0].status, status);
        assert_eq!(problem["type"], format!("urn:faxgate:problem:{name}"));
        assert!(!problem["detail"].as_str().expect("detail").is_empty());
        assert_eq!(answers[0].header("connection"), "close");
        let id = answers[0].header("x-request-id").to_owned();
        installation.server.says(&id).await;
    }
}
