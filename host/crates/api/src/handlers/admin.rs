//! Configuration, plugins, audit log and health, for operators.

use axum::extract::State;
use axum::response::IntoResponse as _;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use serde_json::json;

use crate::request::authorization::AuthenticatedCaller;
use crate::request::query::Query;
use crate::response::{Answer, ok};
use crate::state::AppState;
use faxgate_config::render;

/// `GET /admin/config`: what is in force, secrets masked.
pub(crate) async fn config(State(state): State<AppState>) -> Answer {
    ok(render::table(&state.app().config()))
}

/// `GET /admin/plugins`: what serves, and what could not be loaded.
pub(crate) async fn plugins(State(state): State<AppState>) -> Answer {
    let app = state.app();
    ok(json!({"items": app.plugins(), "problems": app.plugin_problems()}))
}

/// `POST /admin/plugins/reload`
pub(crate) async fn reload_plugins(
    State(state): State<AppState>,
    AuthenticatedCaller(actor): AuthenticatedCaller,
) -> Answer {
    ok(state.app().reload_plugins(&actor).await?)
}

/// `GET /admin/audit`: oldest first.
pub(crate) async fn audit(State(state): State<AppState>, query: Query) -> Answer {
    let page = query.page()?;
    ok(state.app().audit(page.cursor.as_deref(), page.limit).await?)
}

/// `GET /admin/health-status`: every check with its reason, and the queue.
pub(crate) async fn health_status(State(state): State<AppState>) -> Answer {
    let app = state.app();
    let checks = app.readiness().await;
    let queue: serde_json::Map<_, _> = app
        .depth()
        .await?
        .into_iter()
        .map(|(status, count)| (status.to_owned(), json!(count)))
        .collect();
    ok(json!({
        "status": if checks.iter().all(|check| check.ok) { "ok" } else { "degraded" },
        "version": env!("CARGO_PKG_VERSION"),
        "time": app.clock().now(),
        "checks": checks,
        "queue": queue,
    }))
}

/// `GET /openapi.json`
pub(crate) async fn openapi(State(state): State<AppState>) -> Answer {
    let headers = [
        (CONTENT_TYPE, "application/json"),
        (CACHE_CONTROL, "public, max-age=300"),
    ];
    Ok((headers, state.openapi()).into_response())
}
