//! API keys.

use axum::body::Body;
use axum::extract::State;
use http::HeaderMap;
use serde::Deserialize;

use crate::request::authorization::AuthenticatedCaller;
use crate::request::body;
use crate::request::path::Id;
use crate::request::query::Query;
use crate::response::{Answer, List, ok};
use crate::state::AppState;
use faxgate_service::NewKey;

/// Body of a rotation.
#[derive(Debug, Default, Deserialize)]
struct Rotation {
    /// How long the old secret stays valid; not at all when none.
    overlap_minutes: Option<u64>,
}

/// `POST /admin/api-keys`
pub(crate) async fn create(
    State(state): State<AppState>,
    AuthenticatedCaller(actor): AuthenticatedCaller,
    headers: HeaderMap,
    content: Body,
) -> Answer {
    let new: NewKey = body::json(&headers, content).await?.unwrap_or_default();
    ok(state.app().create_key(&actor, new).await?)
}

/// `GET /admin/api-keys`
pub(crate) async fn list(State(state): State<AppState>, query: Query) -> Answer {
    let (items, next_cursor) = state.app().keys(&query.page()?).await?;
    ok(List { items, next_cursor })
}

/// `DELETE /admin/api-keys/{key_id}`
pub(crate) async fn revoke(
    State(state): State<AppState>,
    AuthenticatedCaller(actor): AuthenticatedCaller,
    Id(id): Id,
) -> Answer {
    ok(state.app().revoke_key(&actor, &id).await?)
}

/// `POST /admin/api-keys/{key_id}/rotate`
pub(crate) async fn rotate(
    State(state): State<AppState>,
    AuthenticatedCaller(actor): AuthenticatedCaller,
    Id(id): Id,
    headers: HeaderMap,
    content: Body,
) -> Answer {
    let rotation: Rotation = body::json(&headers, content).await?.unwrap_or_default();
    let overlap = rotation.overlap_minutes.unwrap_or(0);
    ok(state.app().rotate_key(&actor, &id, overlap).await?)
}
