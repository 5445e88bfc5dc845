//! Faxes that were received.

use axum::extract::State;
use http::StatusCode;

use super::fax::restore_plus;
use crate::request::authorization::AuthenticatedCaller;
use crate::request::path::Id;
use crate::request::query::Query;
use crate::response::{Answer, List, ok, with_status};
use crate::state::AppState;
use faxgate_domain::inbound::InboundStatus;
use faxgate_service::InboundQuery;

/// States as they are written.
pub(crate) const STATUSES: [(&str, InboundStatus); 2] = [
    ("received", InboundStatus::Received),
    ("failed", InboundStatus::Failed),
];

/// `GET /inbound`
pub(crate) async fn list(
    State(state): State<AppState>,
    AuthenticatedCaller(actor): AuthenticatedCaller,
    query: Query,
) -> Answer {
    let query = InboundQuery {
        to: query.text("to")?.map(restore_plus),
        from: query.text("from")?.map(restore_plus),
        status: query.word("status", &STATUSES)?,
        received_after: query.time("received_after")?,
        page: query.page()?,
    };
    let (items, next_cursor) = state.app().inbounds(&actor, query).await?;
    ok(List { items, next_cursor })
}

/// `GET /inbound/{id}`
pub(crate) async fn get(
    State(state): State<AppState>,
    AuthenticatedCaller(actor): AuthenticatedCaller,
    Id(id): Id,
) -> Answer {
    ok(state.app().inbound(&actor, &id).await?)
}

/// `POST /inbound/{id}/link`
pub(crate) async fn link(
    State(state): State<AppState>,
    AuthenticatedCaller(actor): AuthenticatedCaller,
    Id(id): Id,
) -> Answer {
    with_status(StatusCode::CREATED, state.app().inbound_link(&actor, &id).await?)
}
