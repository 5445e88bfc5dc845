//! Liveness, readiness and metrics.

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use serde_json::json;

use crate::response::{Answer, with_status};
use crate::state::AppState;
use faxgate_edge::AccessLogEntry;

/// The text format of Prometheus.
const EXPOSITION: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The path of the liveness probe.
pub(crate) const LIVENESS_PATH: &str = "/health";

/// `GET /health`: the process answers.
pub(crate) async fn live() -> Response {
    alive()
}

/// What [`live`] answers, without the router.
pub(crate) fn alive() -> Response {
    let json = HeaderValue::from_static("application/json");
    let mut response = Response::new(Body::from(r#"{"status":"ok"}"#));
    response.headers_mut().insert(CONTENT_TYPE, json);
    response.extensions_mut().insert(AccessLogEntry {
        route: LIVENESS_PATH,
        caller: None,
    });
    response
}

/// `GET /health/ready`: each check by name, with the names of plugins that could not be loaded. Reasons are for
/// the operator (`/admin/health-status`): this page is open to everybody.
pub(crate) async fn ready(State(state): State<AppState>) -> Answer {
    let checks = state.readiness().await;
    let ready = checks.iter().all(|check| check.ok);
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let checks: Vec<_> = checks
        .iter()
        .map(|check| {
            if check.names.is_empty() {
                json!({"name": check.name, "ok": check.ok})
            } else {
                json!({"name": check.name, "ok": check.ok, "names": check.names})
            }
        })
        .collect();
    with_status(
        status,
        json!({"status": if ready { "ready" } else { "not_ready" }, "checks": checks}),
    )
}

/// `GET /metrics`
pub(crate) async fn metrics(State(state): State<AppState>) -> Answer {
    Ok(([(CONTENT_TYPE, EXPOSITION)], state.metrics_page().await).into_response())
}
