//! Answers, in the vendor's envelope and without it.

use std::convert::Infallible;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};

use super::script::AnswerBody;

/// Marks a response that must not be written: the connection is closed instead.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dropped;

/// 200 with the envelope.
pub(super) fn ok(message: &str, data: Option<Value>) -> Response {
    let mut envelope = json!({ "success": true, "message": message });
    if let (Some(data), Some(object)) = (data, envelope.as_object_mut()) {
        object.insert("data".to_owned(), data);
    }
    envelope_of(StatusCode::OK, &envelope)
}

/// An error with the envelope.
pub(super) fn fail(status: u16, message: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    envelope_of(status, &json!({ "success": false, "message": message }))
}

/// 404 for a fax that is not there.
pub(super) fn unknown() -> Response {
    fail(404, "Fax not found.")
}

/// Any JSON with the vendor's headers.
pub(super) fn envelope_of(status: StatusCode, value: &Value) -> Response {
    let mut response = Response::new(Body::from(value.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/json; charset=utf-8"),
    );
    headers.insert(
        CACHE_CONTROL,
        HeaderValue::from_static("max-age=0, private, must-revalidate"),
    );
    response
}

/// JSON for the inspecting test, without an envelope.
pub(super) fn plain(value: &Value) -> Response {
    envelope_of(StatusCode::OK, value)
}

/// The answer of a scripted status.
pub(super) fn scripted(status: u16, body: AnswerBody, retry_after: Option<u64>) -> Response {
    let mut response = match body {
        AnswerBody::Json => fail(status, words(status)),
        AnswerBody::Html => (
            StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY),
            [(CONTENT_TYPE, "text/html")],
            "<html>\r\n<head><title>Bad Gateway</title></head>\r\n<body>nginx</body>\r\n</html>\r\n",
        )
            .into_response(),
        AnswerBody::Empty => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
            response
        }
    };
    if let Some(seconds) = retry_after {
        response
            .headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// A document or picture.
pub(super) fn file(media_type: &'static str, name: &str, content: Bytes) -> Response {
    let mut response = Response::new(Body::from(content));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private"));
    if let Ok(value) = HeaderValue::try_from(format!("attachment; filename=\"{name}\"")) {
        headers.insert(http::header::CONTENT_DISPOSITION, value);
    }
    headers.insert("content-transfer-encoding", HeaderValue::from_static("binary"));
    response
}

/// No answer: the connection is closed.
pub(super) fn dropped() -> Response {
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(Dropped);
    response
}

/// The beginning of an answer, then the end of the connection.
pub(super) fn cut_off() -> Response {
    let pieces = futures_util::stream::iter([
        Ok(Bytes::from_static(b"{\"success\":true,\"message\":\"Fax que")),
        Err("cut off on purpose"),
    ]);
    let mut response = Response::new(Body::from_stream(pieces));
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// 200 with a page that some proxy might send.
pub(super) fn page() -> Response {
    (
        [(CONTENT_TYPE, "text/html")],
        "<html><body>Everything is fine.</body></html>",
    )
        .into_response()
}

/// Never answers.
pub(super) async fn silence() -> Infallible {
    std::future::pending().await
}

fn words(status: u16) -> &'static str {
    match status {
        200 => "Fax not queued for sending",
        401 => "Auth failure.",
        404 => "Not found failure.",
        422 => "Invalid entity",
        429 => "Rate limited",
        _ => "Service failure.",
    }
}
