//! Metrics, logs and traces, read from outside; spans arrive at a collector.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use prost::Message;
use serde_json::json;

use faxgate_testkit::TestInstallation;
use faxgate_testkit::documents;
use faxgate_testkit::service::client::Fax;
use faxgate_testkit::service::installation::{BOOTSTRAP, Setup};
use faxgate_testkit::wait;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

/// The value of the first sample with this name whose labels hold all of `labels`.
fn sample(page: &str, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
    page.lines().find_map(|line| {
        let rest = line.strip_prefix(name)?;
        let (found, value) = match rest.strip_prefix('{') {
            Some(rest) => rest.split_once("} ")?,
            None => ("", rest.strip_prefix(' ')?),
        };
        let fits = labels
            .iter()
            .all(|(label, value)| found.contains(&format!("{label}=\"{value}\"")));
        fits.then(|| value.parse().ok())?
    })
}

/// What must be there after a day's work: a name and some of its labels.
const EXPECTED: &[(&str, &[(&str, &str)])] = &[
    (
        "faxgate_http_requests_total",
        &[("method", "POST"), ("route", "/fax"), ("status", "202")],
    ),
    (
        "faxgate_http_request_seconds_count",
        &[("method", "POST"), ("route", "/fax")],
    ),
    (
        "faxgate_http_request_seconds_bucket",
        &[("route", "/fax"), ("le", "0.1")],
    ),
    ("faxgate_http_connections", &[("listener", "https")]),
    ("faxgate_auth_failures_total", &[("reason", "key")]),
    ("faxgate_jobs", &[("status", "SUCCESS")]),
    ("faxgate_jobs", &[("status", "queued")]),
    ("faxgate_jobs", &[("status", "in_progress")]),
    ("faxgate_jobs_accepted_total", &[]),
    (
        "faxgate_jobs_finished_total",
        &[("status", "SUCCESS"), ("error_type", "")],
    ),
    ("faxgate_dispatches_total", &[]),
    (
        "faxgate_provider_request_seconds_count",
        &[("operation", "create")],
    ),
    ("faxgate_dispatch_held", &[]),
    (
        "faxgate_callbacks_total",
        &[("kind", "status"), ("verdict", "rejected")],
    ),
    (
        "faxgate_plugin_calls_total",
        &[("slot", "number-normalizer"), ("outcome", "ok")],
    ),
    (
        "faxgate_plugin_calls_total",
        &[("slot", "converter"), ("outcome", "ok")],
    ),
    (
        "faxgate_plugin_calls_total",
        &[("slot", "callback-policy"), ("outcome", "ok")],
    ),
    ("faxgate_plugin_call_seconds_count", &[("slot", "converter")]),
    ("faxgate_plugins", &[("slot", "converter")]),
    ("faxgate_store_commit_seconds_count", &[]),
    ("faxgate_store_commit_writes_count", &[]),
    ("faxgate_artifact_seconds_count", &[("operation", "put")]),
    ("faxgate_spool_bytes", &[]),
    ("faxgate_certificate_expiry_timestamp_seconds", &[]),
    ("faxgate_build_info", &[("version", env!("CARGO_PKG_VERSION"))]),
];

#[tokio::test(flavor = "multi_thread")]
async fn the_metrics_tell_what_happens() {
    let mut setup = Setup::new();
    setup.set("inbound.enabled", true);
    let installation = setup.start().await;
    let large = Fax::pdf("+12125550142", documents::pdf_of_size(1, "x", 300_000));
    let id = installation.admin.accepted(&large).await;
    installation.admin.reaches(&id, "SUCCESS").await;
    let seen = installation.provider.fax_of(&id).await;
    installation
        .provider
        .call_back(json!({ "fax": seen["id"], "scheme": "wrong" }))
        .await;
    installation
        .admin
        .with_key("fbk_live_000000000000_wrong")
        .get("/fax")
        .await
        .problem(401);
    let page = installation.admin.get("/metrics").await.text();
    for (name, labels) in EXPECTED {
        assert!(
            sample(&page, name, labels).is_some(),
            "no {name} with {labels:?} in\n{page}"
        );
    }
    let value = |name, labels| sample(&page, name, labels).expect("a sample");
    assert_eq!(value("faxgate_jobs", &[("status", "SUCCESS")]), 1.0);
    assert_eq!(value("faxgate_jobs_accepted_total", &[]), 1.0);
    assert_eq!(value("faxgate_spool_bytes", &[]), 0.0, "nothing is under way");
    let now = jiff::Timestamp::now().as_second() as f64;
    assert!(value("faxgate_certificate_expiry_timestamp_seconds", &[]) > now);
    for line in page
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
    {
        assert!(line.starts_with("faxgate_"), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_goes_on_in_the_trace_it_names() {
    let installation = TestInstallation::start().await;
    let ask = |header: &str| {
        let request = installation
            .admin
            .request(Method::GET, "/fax")
            .header("traceparent", header);
        installation.admin.ask(request)
    };
    let answer = ask(&format!("00-{TRACE}-{PARENT}-01")).await;
    let told = answer.header("traceresponse").to_owned();
    let parts: Vec<&str> = told.split('-').collect();
    assert_eq!((parts[0], parts[1], parts[3]), ("00", TRACE, "01"), "{told}");
    assert_ne!(parts[2], PARENT, "a span of its own");
    installation
        .server
        .says(&format!("\"span_id\":\"{}\"", parts[2]))
        .await;
    installation
        .server
        .says(&format!("\"trace_id\":\"{TRACE}\""))
        .await;
    // What breaks the rules is as good as nothing, and no reason to refuse a request.
    for bad in [
        "",
        "garbage",
        &format!("ff-{TRACE}-{PARENT}-01"),
        &format!("00-{TRACE}-{PARENT}-01-x"),
    ] {
        let answer = ask(bad).await;
        assert_eq!(answer.status, 200, "{bad}");
        assert_eq!(answer.header("traceresponse"), "", "{bad}");
    }
}

/// The part of the protocol that is looked at.
#[derive(Clone, PartialEq, Message)]
struct Export {
    #[prost(message, repeated, tag = "1")]
    resources: Vec<Resource>,
}

#[derive(Clone, PartialEq, Message)]
struct Resource {
    #[prost(message, repeated, tag = "2")]
    scopes: Vec<Scope>,
}

#[derive(Clone, PartialEq, Message)]
struct Scope {
    #[prost(message, repeated, tag = "2")]
    spans: Vec<Span>,
}

#[derive(Clone, PartialEq, Message)]
struct Span {
    #[prost(bytes = "vec", tag = "1")]
    trace_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    parent: Vec<u8>,
    #[prost(string, tag = "5")]
    name: String,
    #[prost(int32, tag = "6")]
    kind: i32,
    #[prost(fixed64, tag = "7")]
    start: u64,
    #[prost(fixed64, tag = "8")]
    end: u64,
}

/// A collector of spans, in this process.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<(String, HeaderMap, Bytes)>>>);

impl Collector {
    /// Starts one; answers it with its address.
    async fn start() -> (Self, String) {
        let collector = Self::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("port");
        let address = format!("http://{}", listener.local_addr().expect("address"));
        let taker = collector.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let taker = taker.clone();
                let service = service_fn(move |request| taker.clone().take(request));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        (collector, address)
    }

    async fn take(self, request: Request<Incoming>) -> Result<Response<Empty<Bytes>>, Infallible> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.expect("body").to_bytes();
        self.0
            .lock()
            .push((head.uri.path().to_owned(), head.headers, body));
        Ok(Response::new(Empty::new()))
    }

    fn spans(&self) -> Vec<Span> {
        let messages = self.0.lock().clone();
        messages
            .into_iter()
            .flat_map(|(_, _, body)| Export::decode(body).expect("protobuf").resources)
            .flat_map(|resource| resource.scopes)
            .flat_map(|scope| scope.spans)
            .collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_reach_a_collector_and_say_nothing_personal() {
    let (collector, address) = Collector::start().await;
    let mut setup = Setup::new();
    setup
        .set("telemetry.otlp_endpoint", address)
        .set("telemetry.otlp_headers", "x-token=a%20b");
    let mut installation = setup.start().await;
    let number = "+12125557319";
    let fax = Fax::pdf(number, documents::pdf(1, "x"));
    let form = reqwest::multipart::Form::new().text("to", number).part(
        "file",
        reqwest::multipart::Part::bytes(fax.document).file_name("letter.pdf"),
    );
    let request = installation
        .admin
        .request(Method::POST, "/fax")
        .header("traceparent", format!("00-{TRACE}-{PARENT}-01"))
        .multipart(form);
    let answer = installation.admin.ask(request).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    let id = answer.json()["id"].as_str().expect("id").to_owned();
    installation.admin.reaches(&id, "SUCCESS").await;
    let unsampled = installation
        .admin
        .request(Method::GET, "/openapi.json")
        .header("traceparent", format!("00-{TRACE}-{PARENT}-00"));
    installation.admin.ask(unsampled).await;
    // The last spans are sent at the end.
    assert!(installation.server.terminate().await.success());
    wait::until("the spans", || async {
        let named = |name: &str| collector.spans().iter().any(|span| span.name == name);
        (named("POST /fax") && named("provider create")).then_some(())
    })
    .await;
    let spans = collector.spans();
    let sent = spans.iter().find(|span| span.name == "POST /fax").expect("span");
    assert_eq!(hex::encode(&sent.trace_id), TRACE);
    assert_eq!(hex::encode(&sent.parent), PARENT);
    assert_eq!(sent.kind, 2, "a server's");
    assert!(sent.start > 0 && sent.end >= sent.start);
    let asked = spans
        .iter()
        .find(|span| span.name == "provider create")
        .expect("span");
    assert_eq!(asked.kind, 3, "a client's");
    assert!(
        !spans.iter().any(|span| span.name.contains("openapi")),
        "whoever began that trace does not keep it"
    );
    let messages = collector.0.lock();
    for (path, headers, body) in messages.iter() {
        assert_eq!(path, "/v1/traces");
        assert_eq!(headers["content-type"], "application/x-protobuf");
        assert_eq!(headers["x-token"], "a b");
        let text = String::from_utf8_lossy(body);
        for canary in [number, BOOTSTRAP, "2125557319", "token=", &id] {
            assert!(!text.contains(canary), "{canary}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_not_there_holds_nobody_up() {
    let mut setup = Setup::new();
    setup.set("telemetry.otlp_endpoint", "http://127.0.0.1:9");
    let mut installation = setup.start().await;
    let id = installation
        .admin
        .accepted(&Fax::pdf("+12125550142", documents::pdf(1, "x")))
        .await;
    installation.admin.reaches(&id, "SUCCESS").await;
    installation
        .server
        .says("the collector of spans does not take them")
        .await;
    let page = installation.admin.get("/metrics").await.text();
    assert!(sample(&page, "faxgate_trace_spans_total", &[("outcome", "failed")]).is_some());
    assert!(installation.server.terminate().await.success());
}
