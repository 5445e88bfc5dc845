//! The access log, the metrics and the trace span of a request.

use std::time::Duration;

use axum::response::Response;
use http::Method;

use crate::request::client::Client;
use crate::request::id::RequestId;
use faxgate_telemetry::otlp::Fact;
use faxgate_telemetry::requests::RequestMeter;
use faxgate_telemetry::trace::{self, TRACERESPONSE};

/// What the application reports of a request, in the extensions of its response.
#[derive(Clone, Debug)]
pub struct AccessLogEntry {
    /// The route's pattern, never the path itself: paths contain links and numbers, which must not be logged.
    pub route: &'static str,
    /// Who is authenticated: the public half of a key, or a word.
    pub caller: Option<String>,
}

/// The route of a request that matched none.
const NO_ROUTE: &str = "-";

/// Counts a request and writes its line.
pub(crate) fn record(
    meter: &RequestMeter,
    method: &'static str,
    response: &Response,
    client: &Client,
    took: Duration,
) {
    let entry = response.extensions().get::<AccessLogEntry>();
    let route = entry.map_or(NO_ROUTE, |entry| entry.route);
    let status = response.status();
    meter.record(method, route, status.as_u16(), took);
    tracing::info!(
        target: "faxgate::access",
        method,
        route,
        status = status.as_u16(),
        ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        key = entry.and_then(|entry| entry.caller.as_deref()),
        client = %client.address,
        "request"
    );
}

/// Ends the span of a request, and reports it to the client that began the trace.
pub(crate) fn end_span(span: trace::Span, method: &'static str, response: &mut Response, id: &RequestId) {
    if let Some(value) = span.response() {
        response.headers_mut().insert(TRACERESPONSE, value);
    }
    let entry = response.extensions().get::<AccessLogEntry>();
    let route = entry.map_or(NO_ROUTE, |entry| entry.route);
    let status = response.status();
    let attributes = vec![
        ("http.request.method", Fact::Text(method.to_owned())),
        ("http.route", Fact::Text(route.to_owned())),
        ("http.response.status_code", Fact::Number(status.as_u16().into())),
        ("faxgate.request_id", Fact::Text(id.as_str().to_owned())),
    ];
    let name = format!("{method} {route}");
    span.end(trace::Side::Server, &name, attributes, status.is_server_error());
}

/// The method as a label: all unknown ones have the same, since a client can make up any number of them.
pub(crate) fn method_label(method: &Method) -> &'static str {
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
