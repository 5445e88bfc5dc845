//! API keys.

use axum::body::Body;
use axum::extract::State;
use http::HeaderMap;
use serde::Deserialize;

use super::{Answer, List, ok};
use crate::auth::Asker;
use crate::edge::Edge;
use crate::extract::{self, Id};
use crate::query::Query;
use faxgate_service::NewKey;

/// Body of a rotation.
#[derive(Debug, Default, Deserialize)]
struct Rotation {
    /// How long the old secret works on; not at all when none.
    overlap_minutes: Option<u64>,
}

/// `POST /admin/api-keys`
pub(crate) async fn create(
    State(edge): State<Edge>,
    Asker(actor): Asker,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let new: NewKey = extract::json(&headers, body).await?.unwrap_or_default();
    ok(edge.app().create_key(&actor, new).await?)
}

/// `GET /admin/api-keys`
pub(crate) async fn list(State(edge): State<Edge>, query: Query) -> Answer {
    let (items, next_cursor) = edge.app().keys(&query.page()?).await?;
    ok(List { items, next_cursor })
}

/// `DELETE /admin/api-keys/{key_id}`
pub(crate) async fn revoke(State(edge): State<Edge>, Asker(actor): Asker, Id(id): Id) -> Answer {
    ok(edge.app().revoke_key(&actor, &id).await?)
}

/// `POST /admin/api-keys/{key_id}/rotate`
pub(crate) async fn rotate(
    State(edge): State<Edge>,
    Asker(actor): Asker,
    Id(id): Id,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let rotation: Rotation = extract::json(&headers, body).await?.unwrap_or_default();
    let overlap = rotation.overlap_minutes.unwrap_or(0);
    ok(edge.app().rotate_key(&actor, &id, overlap).await?)
}
