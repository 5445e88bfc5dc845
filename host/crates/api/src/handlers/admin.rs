//! What an operator looks at.

use axum::extract::State;
use serde_json::json;

use super::{Answer, ok};
use crate::auth::Asker;
use crate::edge::Edge;
use crate::query::Query;
use faxgate_config::render;

/// `GET /admin/config`: what is in force, secrets masked.
pub(crate) async fn config(State(edge): State<Edge>) -> Answer {
    ok(render::table(&edge.app().config()))
}

/// `GET /admin/plugins`: what serves, and what could not be loaded.
pub(crate) async fn plugins(State(edge): State<Edge>) -> Answer {
    let app = edge.app();
    ok(json!({"items": app.plugins(), "problems": app.plugin_problems()}))
}

/// `POST /admin/plugins/reload`
pub(crate) async fn reload_plugins(State(edge): State<Edge>, Asker(actor): Asker) -> Answer {
    ok(edge.app().reload_plugins(&actor).await?)
}

/// `GET /admin/audit`: oldest first.
pub(crate) async fn audit(State(edge): State<Edge>, query: Query) -> Answer {
    let page = query.page()?;
    ok(edge.app().audit(page.cursor.as_deref(), page.limit).await?)
}

/// `GET /admin/health-status`: every check with its reason, and the queue.
pub(crate) async fn health_status(State(edge): State<Edge>) -> Answer {
    let app = edge.app();
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
