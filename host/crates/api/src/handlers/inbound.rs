//! Faxes that were received.

use axum::extract::State;
use http::StatusCode;

use super::fax::restore_plus;
use super::{Answer, List, ok, with};
use crate::auth::Asker;
use crate::edge::Edge;
use crate::extract::Id;
use crate::query::Query;
use faxgate_domain::inbound::InboundStatus;
use faxgate_service::InboundQuery;

/// States as they are written.
pub(crate) const STATUSES: [(&str, InboundStatus); 2] = [
    ("received", InboundStatus::Received),
    ("failed", InboundStatus::Failed),
];

/// `GET /inbound`
pub(crate) async fn list(State(edge): State<Edge>, Asker(actor): Asker, query: Query) -> Answer {
    let query = InboundQuery {
        to: query.text("to")?.map(restore_plus),
        from: query.text("from")?.map(restore_plus),
        status: query.word("status", &STATUSES)?,
        received_after: query.time("received_after")?,
        page: query.page()?,
    };
    let (items, next_cursor) = edge.app().inbounds(&actor, query).await?;
    ok(List { items, next_cursor })
}

/// `GET /inbound/{id}`
pub(crate) async fn get(State(edge): State<Edge>, Asker(actor): Asker, Id(id): Id) -> Answer {
    ok(edge.app().inbound(&actor, &id).await?)
}

/// `POST /inbound/{id}/link`
pub(crate) async fn link(State(edge): State<Edge>, Asker(actor): Asker, Id(id): Id) -> Answer {
    with(StatusCode::CREATED, edge.app().inbound_link(&actor, &id).await?)
}
