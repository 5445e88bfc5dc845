//! Success responses as JSON. Error responses are in [`crate::problem`].

use axum::body::Body;
use axum::response::Response;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use serde::Serialize;

use crate::problem::Problem;

/// Bytes in which most responses fit.
const USUAL_SIZE: usize = 1024;

/// What a handler returns.
pub(crate) type Answer = Result<Response, Problem>;

/// A page of a list.
#[derive(Debug, Serialize)]
pub(crate) struct List<T> {
    /// The items.
    pub(crate) items: Vec<T>,
    /// Passed as `cursor` for the next page; `null` on the last one.
    pub(crate) next_cursor: Option<String>,
}

/// A list that is given whole.
#[derive(Debug, Serialize)]
pub(crate) struct Items<T> {
    /// The items.
    pub(crate) items: Vec<T>,
}

/// JSON with status 200.
pub(crate) fn ok(value: impl Serialize) -> Answer {
    with_status(StatusCode::OK, value)
}

/// JSON with another status.
pub(crate) fn with_status(status: StatusCode, value: impl Serialize) -> Answer {
    let mut json = Vec::with_capacity(USUAL_SIZE);
    serde_json::to_writer(&mut json, &value).map_err(|error| {
        tracing::error!(%error, "a response can't be written as JSON");
        Problem::internal()
    })?;
    Ok(json_text(status, json))
}

/// A response of text that is JSON already.
pub(crate) fn json_text(status: StatusCode, json: impl Into<Body>) -> Response {
    let mut response = Response::new(json.into());
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
