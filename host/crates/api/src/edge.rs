//! The way of every request: who asks, over what, under which id; refusals of transport; the routes; what every
//! response carries; the access log.

use std::any::Any;
use std::convert::Infallible;
use std::error::Error as StdError;
use std::fmt;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Either, ready};
use http::header::{
    CACHE_CONTROL, CONNECTION, HeaderName, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Method, Request, Version};
use tower::Service as _;

use super::activity::Activity;
use super::admission::Admission;
use super::body::{self, Held, TrackedBody};
use super::clear;
use super::client::{Client, Connection, Scheme};
use super::error::Problem;
use super::framing;
use super::handlers::health;
use super::limits::Limits;
use super::server::Inner;
use super::timeouts::Timeouts;
use faxgate_base::id::{self, IdSource};
use faxgate_service::{App, Check};
use faxgate_telemetry::metrics::HTTP_REQUESTS_SHED;
use faxgate_telemetry::otlp::Fact;
use faxgate_telemetry::requests::RequestMeter;
use faxgate_telemetry::scope::Scope;
use faxgate_telemetry::trace::{self, TRACERESPONSE};

/// Names a request in answers and logs.
pub(super) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// A year, as browsers want it for a lasting promise (RFC 6797).
const HSTS: HeaderValue = HeaderValue::from_static("max-age=31536000");
/// Longest request id taken over from a proxy.
const MAX_REQUEST_ID: usize = 64;

/// Makes the page of metrics.
pub type MetricsPage = Arc<dyn Fn() -> BoxFuture<'static, String> + Send + Sync>;

/// What the edge is made of.
pub struct EdgeParts {
    /// The use cases.
    pub app: App,
    /// Identifiers, for request ids.
    pub ids: IdSource,
    /// The page of `GET /metrics`.
    pub metrics: MetricsPage,
    /// How long to wait for clients.
    pub timeouts: Timeouts,
}

/// What all requests share. Clones share it too.
#[derive(Clone)]
pub struct Edge(Arc<Shared>);

struct Shared {
    app: App,
    ids: IdSource,
    metrics: MetricsPage,
    timeouts: Timeouts,
    limits: Limits,
    requests: Admission,
    meter: RequestMeter,
    readiness: tokio::sync::Mutex<Option<(Instant, Readiness)>>,
}

/// What the checks said; looked up at most once a second, since everybody may ask.
pub(super) type Readiness = Arc<Vec<Check>>;

/// One address may have this part of all requests, so that it can't keep all others out.
const ADDRESS_SHARE: usize = 4;

/// How long the result of the checks is shown.
const READINESS_AGE: Duration = Duration::from_secs(1);

/// The id of a request.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(pub(crate) HeaderValue);

impl RequestId {
    fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }
}

/// What the access log wants to know from inside the routes; travels in the response's extensions.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// The route's pattern, never the path itself: paths of links and numbers are nobody's business.
    pub(super) route: &'static str,
    /// Public half of the key, or a word.
    pub(super) who: Option<String>,
}

impl Edge {
    /// Puts the parts together.
    #[must_use]
    pub fn new(parts: EdgeParts) -> Self {
        let EdgeParts {
            app,
            ids,
            metrics,
            timeouts,
        } = parts;
        let most = app.config().listen.max_requests;
        Self(Arc::new(Shared {
            requests: Admission::new(most, most.div_ceil(ADDRESS_SHARE)),
            app,
            ids,
            metrics,
            timeouts,
            limits: Limits::default(),
            meter: RequestMeter::default(),
            readiness: tokio::sync::Mutex::new(None),
        }))
    }

    /// The use cases.
    pub(crate) fn app(&self) -> &App {
        &self.0.app
    }

    /// What is counted per key and address.
    pub(super) fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// How long to wait for clients.
    pub(super) fn timeouts(&self) -> &Timeouts {
        &self.0.timeouts
    }

    /// Every check. Those who ask at the same time share one round of checks.
    pub(super) async fn readiness(&self) -> Readiness {
        let mut last = self.0.readiness.lock().await;
        if let Some((_, checks)) = last.as_ref().filter(|(at, _)| at.elapsed() < READINESS_AGE) {
            return Arc::clone(checks);
        }
        let checks = Arc::new(self.app().readiness().await);
        *last = Some((Instant::now(), Arc::clone(&checks)));
        checks
    }

    /// The page of metrics.
    pub(super) async fn metrics_page(&self) -> String {
        (self.0.metrics)().await
    }

    /// Whether the configuration names this address as a proxy's.
    pub(super) fn is_trusted_proxy(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let config = self.app().config();
        config
            .listen
            .trusted_proxies
            .iter()
            .any(|net| net.contains(&address))
    }

    /// Whether connections from this address begin with a PROXY header.
    pub(super) fn expects_proxy_header(&self, address: IpAddr) -> bool {
        self.app().config().listen.proxy_protocol && self.is_trusted_proxy(address)
    }

    /// The id of a request: a trusted proxy's, so that its log and ours agree, or a new one.
    fn request_id(&self, headers: &HeaderMap, client: &Client) -> RequestId {
        let given = headers
            .get(X_REQUEST_ID)
            .filter(|value| client.by_trusted_proxy && is_request_id(value));
        let made = || {
            let text = id::write(self.0.ids.next(self.app().clock().now()));
            HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("none"))
        };
        let mut id = given.cloned().unwrap_or_else(made);
        // No two are alike: in the table of an HTTP/2 connection it would only push out what comes again (RFC 7541, 7.1.3).
        id.set_sensitive(true);
        RequestId(id)
    }
}

impl fmt::Debug for Edge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Edge").finish_non_exhaustive()
    }
}

/// Answers one request of a connection. Never fails: whatever happens, the client gets a response.
///
/// Everything that needs the request is done before the future begins, and what follows is put together without `async`:
/// such a block has room twice for each future that it takes over and waits for, and this one is moved for each request.
pub(super) fn answer<B>(
    server: &Inner,
    connection: Connection,
    activity: &Arc<Activity>,
    request: Request<B>,
) -> impl Future<Output = Result<Response<TrackedBody>, Infallible>> + Send + use<B>
where
    B: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    let in_flight = activity.begin();
    let (parts, body) = request.into_parts();
    let (body, unread) = body::watched(body, &in_flight, server.edge.timeouts());
    let (is_head, version) = (parts.method == Method::HEAD, parts.version);
    let (broken, last) = (framing::refuse(&parts), framing::is_last(&parts));
    let last = last || broken.is_some();
    let request = Request::from_parts(parts, body);
    let response = respond(&server.edge, &server.router, connection, request, broken);
    let draining = server.draining.clone();
    response.map(move |mut response| {
        let unread = unread.is_some_and(|body| body.is_unread());
        if unread {
            in_flight.activity().unread().set();
        }
        if version <= Version::HTTP_11 && (unread || last || draining.is_cancelled()) {
            // What is left of a body would have to be read before the next request could be.
            response
                .headers_mut()
                .insert(CONNECTION, HeaderValue::from_static("close"));
        }
        if is_head {
            *response.body_mut() = Body::empty();
        }
        let held = response.extensions_mut().remove::<Held>();
        Ok(response.map(|body| TrackedBody::new(body, in_flight, held)))
    })
}

/// Answers one request, apart from what belongs to its connection; one that is `broken` with nothing but that.
pub(super) fn respond(
    edge: &Edge,
    router: &Router,
    connection: Connection,
    mut request: Request<Body>,
    broken: Option<Problem>,
) -> impl Future<Output = Response> + Send + use<> {
    let started = Instant::now();
    let config = edge.app().config();
    let client = Client::of(connection, request.headers(), &config.listen.trusted_proxies);
    let id = edge.request_id(request.headers(), &client);
    let method = known_method(request.method());
    let trace = trace::Span::incoming(request.headers());
    let extensions = request.extensions_mut();
    extensions.insert(client);
    extensions.insert(id.clone());
    let scope = Scope::new(id.0.clone(), trace.as_ref().map(|trace| trace.context));
    let answered = scope.clone().within(|| {
        let refused = broken
            .map(|problem| ready(problem.into_response()).boxed())
            .or_else(|| clear::refuse(edge, &client, &request, &config));
        match refused {
            Some(refusal) => Either::Left(refusal),
            None => Either::Right(admitted(edge, router, &client, request)),
        }
    });
    let answered = match &trace {
        // Few requests are part of a trace: only theirs cost the way round.
        Some(trace) => Either::Left(Box::pin(trace.clone().around(answered))),
        None => Either::Right(answered),
    };
    let edge = edge.clone();
    scope.around(answered.map(move |mut response| {
        dress(response.headers_mut(), &client, &id);
        log(&edge, method, &response, &client, started.elapsed());
        if let Some(trace) = trace {
            traced(trace, method, &mut response, &id);
        }
        response
    }))
}

/// Runs the routes if there is room for one more request. Whether we live can always be asked, and is, all the time:
/// that question is answered here at once.
fn admitted(
    edge: &Edge,
    router: &Router,
    client: &Client,
    request: Request<Body>,
) -> impl Future<Output = Response> + Send + use<> {
    if request.uri().path() == health::PATH {
        return match *request.method() {
            Method::GET | Method::HEAD => Either::Left(ready(health::alive())),
            _ => Either::Right(guarded(router, request, None)),
        };
    }
    // A proxy of ours that does not say for whom it asks may ask for many.
    let shared = client.is_local() || edge.is_trusted_proxy(client.address);
    let address = (!shared).then_some(client.address);
    let Some(place) = edge.0.requests.place(address) else {
        metrics::counter!(HTTP_REQUESTS_SHED).increment(1);
        return Either::Left(ready(Problem::overloaded().into_response()));
    };
    let held = Held {
        _place: Arc::new(place),
    };
    Either::Right(guarded(router, request, Some(held)))
}

/// Answers bytes that are no request; what HTTP/1 sends before it closes.
pub(super) fn refuse_unread(edge: &Edge, connection: Connection, status: u16) -> Bytes {
    let headers = HeaderMap::new();
    let config = edge.app().config();
    let client = Client::of(connection, &headers, &config.listen.trusted_proxies);
    let id = edge.request_id(&headers, &client);
    let problem = Problem::unreadable(status);
    Scope::new(id.0.clone(), None).within(|| {
        log(
            edge,
            "other",
            &problem.clone().into_response(),
            &client,
            Duration::ZERO,
        )
    });
    let mut headers = headers;
    dress(&mut headers, &client, &id);
    problem.last_words(headers)
}

/// Ends the span of a request, and tells it to whoever named the trace.
fn traced(span: trace::Span, method: &'static str, response: &mut Response, id: &RequestId) {
    if let Some(value) = span.response() {
        response.headers_mut().insert(TRACERESPONSE, value);
    }
    let route = response.extensions().get::<Seen>().map_or("-", |seen| seen.route);
    let status = response.status();
    let facts = vec![
        ("http.request.method", Fact::Text(method.to_owned())),
        ("http.route", Fact::Text(route.to_owned())),
        ("http.response.status_code", Fact::Number(status.as_u16().into())),
        ("faxgate.request_id", Fact::Text(id.as_str().to_owned())),
    ];
    let name = format!("{method} {route}");
    span.end(trace::Side::Server, &name, facts, status.is_server_error());
}

/// Runs the routes; a panic in one of them is a fault of this request alone.
fn guarded(
    router: &Router,
    request: Request<Body>,
    held: Option<Held>,
) -> impl Future<Output = Response> + Send + use<> {
    let routed = std::panic::catch_unwind(AssertUnwindSafe(|| router.clone().call(request)));
    let routed = match routed {
        Ok(routed) => Either::Left(AssertUnwindSafe(routed).catch_unwind()),
        Err(panic) => Either::Right(ready(Err(panic))),
    };
    routed.map(|outcome| {
        let mut response = match outcome {
            Ok(Ok(response)) => response,
            Ok(Err(never)) => match never {},
            Err(panic) => panicked(&*panic),
        };
        if let Some(held) = held {
            response.extensions_mut().insert(held);
        }
        response
    })
}

fn panicked(panic: &(dyn Any + Send)) -> Response {
    let what = panic
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    tracing::error!(panic = what, "a request handler panicked");
    Problem::internal().into_response()
}

/// Adds what every response carries.
fn dress(headers: &mut HeaderMap, client: &Client, id: &RequestId) {
    headers.insert(X_REQUEST_ID, id.0.clone());
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    if client.scheme == Scheme::Https {
        headers.insert(STRICT_TRANSPORT_SECURITY, HSTS);
    }
}

fn log(edge: &Edge, method: &'static str, response: &Response, client: &Client, took: Duration) {
    let seen = response.extensions().get::<Seen>();
    let route = seen.map_or("-", |seen| seen.route);
    let status = response.status();
    edge.0.meter.record(method, route, status.as_u16(), took);
    tracing::info!(
        target: "faxgate::access",
        method,
        route,
        status = status.as_u16(),
        ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        key = seen.and_then(|seen| seen.who.as_deref()),
        client = %client.address,
        "request"
    );
}

/// Methods as labels: whatever else somebody makes up is one more.
fn known_method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

fn is_request_id(value: &HeaderValue) -> bool {
    let bytes = value.as_bytes();
    (1..=MAX_REQUEST_ID).contains(&bytes.len())
        && bytes
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_ids_are_short_and_plain() {
        for good in ["a", "01jdz-x_y.Z", &"x".repeat(64)] {
            assert!(
                is_request_id(&HeaderValue::from_str(good).expect("value")),
                "{good}"
            );
        }
        for bad in ["", "a b", "a\"b", "é", &"x".repeat(65)] {
            assert!(
                !is_request_id(&HeaderValue::from_bytes(bad.as_bytes()).expect("value")),
                "{bad}"
            );
        }
    }
}
