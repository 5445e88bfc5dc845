//! The steps of every request: framing, client, request id, HTTPS, permit, router, common headers, access log.

use std::any::Any;
use std::convert::Infallible;
use std::error::Error as StdError;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::{Either, ready};
use http::header::CONNECTION;
use http::{HeaderValue, Method, Request, Version};
use tower::Service as _;

use super::client::{Client, Connection};
use super::{body, https_enforcement, validation};
use crate::connection::idle::IdleTracker;
use crate::problem::Problem;
use crate::response::access_log;
use crate::response::body::{RequestPermit, TrackedBody};
use crate::response::headers::set_common_headers;
use crate::server::state::ServerState;
use faxgate_telemetry::metrics::HTTP_REQUESTS_SHED;
use faxgate_telemetry::scope::Scope;
use faxgate_telemetry::trace;

/// Answers one request of a connection. Never fails: whatever happens, the client gets a response.
///
/// Everything that needs the request is done before the future begins, and what follows is composed without `async`:
/// an `async` block contains each future that it takes over twice, and this one is moved for each request.
pub(crate) fn answer<B>(
    state: &Arc<ServerState>,
    connection: Connection,
    tracker: &Arc<IdleTracker>,
    request: Request<B>,
) -> impl Future<Output = Result<Response<TrackedBody>, Infallible>> + Send + use<B>
where
    B: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    let in_flight = tracker.begin();
    let (parts, body) = request.into_parts();
    let (body, body_end) = body::watched(body, &in_flight, &state.timeouts);
    let (is_head, version) = (parts.method == Method::HEAD, parts.version);
    let (invalid, last) = (validation::check(&parts), validation::is_last(&parts));
    let last = last || invalid.is_some();
    let request = Request::from_parts(parts, body);
    let response = respond(state, connection, request, invalid);
    let draining = state.draining.clone();
    response.map(move |mut response| {
        let unread = body_end.is_some_and(|body| !body.is_reached());
        if unread {
            in_flight.tracker().unread_input().set();
        }
        if version <= Version::HTTP_11 && (unread || last || draining.is_cancelled()) {
            // The rest of the body would have to be read before the next request could be.
            response
                .headers_mut()
                .insert(CONNECTION, HeaderValue::from_static("close"));
        }
        if is_head {
            *response.body_mut() = Body::empty();
        }
        let permit = response.extensions_mut().remove::<RequestPermit>();
        Ok(response.map(|body| TrackedBody::new(body, in_flight, permit)))
    })
}

/// Answers one request, apart from what belongs to its connection; an `invalid` one with that problem.
pub(crate) fn respond(
    state: &Arc<ServerState>,
    connection: Connection,
    mut request: Request<Body>,
    invalid: Option<Problem>,
) -> impl Future<Output = Response> + Send + use<> {
    let started = Instant::now();
    let config = state.config();
    let client = Client::of(connection, request.headers(), &config.listen);
    let id = state.ids.of(request.headers(), &client);
    let method = access_log::method_label(request.method());
    let trace = trace::Span::incoming(request.headers());
    request.extensions_mut().insert(client);
    let scope = Scope::new(id.header_value(), trace.as_ref().map(|trace| trace.context));
    let response = scope.clone().within(|| {
        let early = invalid
            .map(Problem::into_response)
            .or_else(|| state.application.immediate_response(&request))
            .map(|response| Either::Left(ready(response)))
            .or_else(|| https_enforcement::check(&*state.application, &client, &request, &config));
        match early {
            Some(response) => Either::Left(response),
            None => Either::Right(admit(state, &client, request)),
        }
    });
    let response = match &trace {
        // Boxed: few requests are part of a trace, and the others must not contain the memory for it.
        Some(trace) => Either::Left(Box::pin(trace.clone().around(response))),
        None => Either::Right(response),
    };
    let state = Arc::clone(state);
    scope.around(response.map(move |mut response| {
        set_common_headers(response.headers_mut(), &client, &id);
        access_log::record(&state.meter, method, &response, &client, started.elapsed());
        if let Some(trace) = trace {
            access_log::end_span(trace, method, &mut response, &id);
        }
        response
    }))
}

/// Calls the router if there is a permit for one more request.
fn admit(
    state: &ServerState,
    client: &Client,
    request: Request<Body>,
) -> impl Future<Output = Response> + Send + use<> {
    // A client whose trusted proxy does not name it is not the proxy: all such clients together count as one.
    let address = (!client.is_local()).then_some(client.address);
    let Some(permit) = state.requests.try_permit(address) else {
        metrics::counter!(HTTP_REQUESTS_SHED).increment(1);
        return Either::Left(ready(Problem::overloaded().into_response()));
    };
    Either::Right(route(&state.router, request, RequestPermit::new(permit)))
}

/// Calls the router; a panic in a handler fails this request alone.
fn route(
    router: &Router,
    request: Request<Body>,
    permit: RequestPermit,
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
        response.extensions_mut().insert(permit);
        response
    })
}

fn panicked(panic: &(dyn Any + Send)) -> Response {
    let message = panic
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    tracing::error!(panic = message, "a request handler panicked");
    Problem::internal().into_response()
}

#[cfg(test)]
mod tests;
