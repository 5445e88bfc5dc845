//! One handler for each route: take out of the request what the use case needs, call it, answer. Rules live
//! below.

pub(super) mod admin;
pub(super) mod callback;
pub(super) mod document;
pub(super) mod fax;
pub(super) mod health;
pub(super) mod inbound;
pub(super) mod keys;

use axum::body::Body;
use axum::response::Response;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use serde::Serialize;

use super::error::Problem;

/// Bytes in which most answers fit.
const USUAL_ANSWER: usize = 1024;

/// What a handler answers.
pub(super) type Answer = Result<Response, Problem>;

/// A page of a list.
#[derive(Debug, Serialize)]
pub(super) struct List<T> {
    /// The items.
    pub(super) items: Vec<T>,
    /// Pass it as `cursor` for the next page; `null` on the last one.
    pub(super) next_cursor: Option<String>,
}

/// A list that comes whole.
#[derive(Debug, Serialize)]
pub(super) struct Items<T> {
    /// The items.
    pub(super) items: Vec<T>,
}

/// JSON with status 200.
pub(super) fn ok(value: impl Serialize) -> Answer {
    with(StatusCode::OK, value)
}

/// JSON with another status.
pub(super) fn with(status: StatusCode, value: impl Serialize) -> Answer {
    let mut json = Vec::with_capacity(USUAL_ANSWER);
    serde_json::to_writer(&mut json, &value).map_err(|error| {
        tracing::error!(%error, "an answer can't be written as JSON");
        Problem::internal()
    })?;
    Ok(self::json(status, json))
}

/// What is JSON already.
fn json(status: StatusCode, json: impl Into<Body>) -> Response {
    let mut response = Response::new(json.into());
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
