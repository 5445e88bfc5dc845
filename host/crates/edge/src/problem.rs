//! Error responses as `application/problem+json` (RFC 9457), and the types of those that the transport gives.
//!
//! The application defines further types with the same [`ProblemType`].

use std::borrow::Cow;
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

/// Media type of every error response.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// `Retry-After` of a temporary problem when nothing better is known.
const DEFAULT_RETRY: Duration = Duration::from_secs(5);

/// A type of problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProblemType {
    /// The status code of the response.
    pub status: StatusCode,
    /// The stable name: the last part of the URI.
    pub name: &'static str,
    /// The title, the same for every problem of this type.
    pub title: &'static str,
}

/// The request is malformed.
pub const BAD_REQUEST: ProblemType = ProblemType::new(
    StatusCode::BAD_REQUEST,
    "bad-request",
    "The request can't be understood",
);
/// Too many requests are in flight.
pub const BUSY: ProblemType = ProblemType::new(StatusCode::SERVICE_UNAVAILABLE, "busy", "Too much at once");
/// An internal error.
pub const INTERNAL: ProblemType =
    ProblemType::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "An internal error");
/// In clear where only HTTPS is allowed.
pub const HTTPS_REQUIRED: ProblemType =
    ProblemType::new(StatusCode::FORBIDDEN, "https-required", "Only over HTTPS");
/// The address of the request is too long.
pub const ADDRESS_TOO_LONG: ProblemType = ProblemType::new(
    StatusCode::URI_TOO_LONG,
    "address-too-long",
    "The address is too long",
);
/// The head of the request is too large.
pub const HEAD_TOO_LARGE: ProblemType = ProblemType::new(
    StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
    "head-too-large",
    "The headers are too large",
);

/// An error response that is not sent yet.
#[derive(Debug, Clone)]
pub struct Problem(Box<Content>);

/// On the heap: every handler may answer with a problem and most never do.
#[derive(Debug, Clone)]
struct Content {
    kind: ProblemType,
    detail: Cow<'static, str>,
    headers: HeaderMap,
}

impl ProblemType {
    /// A type with this status, stable name and title.
    #[must_use]
    pub const fn new(status: StatusCode, name: &'static str, title: &'static str) -> Self {
        Self { status, name, title }
    }

    /// The stable name as a URI: `urn:faxgate:problem:NAME`.
    #[must_use]
    pub fn uri(&self) -> String {
        format!("urn:faxgate:problem:{}", self.name)
    }

    /// Whether the same request may succeed later.
    fn is_temporary(self) -> bool {
        matches!(
            self.status,
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
        )
    }
}

impl Problem {
    /// A problem of this type with a sentence that says what to do.
    #[must_use]
    pub fn new(kind: ProblemType, detail: impl Into<Cow<'static, str>>) -> Self {
        let problem = Self(Box::new(Content {
            kind,
            detail: detail.into(),
            headers: HeaderMap::new(),
        }));
        problem.retry_after(kind.is_temporary().then_some(DEFAULT_RETRY))
    }

    /// The response to every internal error: the cause is in the log under the request id.
    #[must_use]
    pub fn internal() -> Self {
        Self::new(
            INTERNAL,
            "an internal error occurred: the operator finds its cause in the log under this request id",
        )
    }

    /// The response to bytes that are no readable request, for the status that the HTTP library chose.
    pub(crate) fn unreadable(status: u16) -> Self {
        match status {
            414 => Self::new(
                ADDRESS_TOO_LONG,
                "the address of the request is too long: send it in fewer characters",
            ),
            431 => Self::new(
                HEAD_TOO_LARGE,
                "the headers are too many or too large together: send fewer or shorter ones",
            ),
            _ => Self::new(
                BAD_REQUEST,
                "this is not a valid HTTP/1.1 request: check the request line, the headers and how the length of \
                 the body is given",
            ),
        }
    }

    /// The response when too many requests are in flight.
    pub(crate) fn overloaded() -> Self {
        Self::new(
            BUSY,
            "too many requests are being answered at the moment: try again a little later",
        )
    }

    /// With the time to wait before another attempt, in whole seconds, rounded up.
    #[must_use]
    pub fn retry_after(mut self, wait: Option<Duration>) -> Self {
        if let Some(wait) = wait {
            self.0
                .headers
                .insert(RETRY_AFTER, HeaderValue::from(whole_seconds(wait).max(1)));
        }
        self
    }

    /// With a header; a value that no header may have is left out.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.0.headers.insert(name, value);
        }
        self
    }

    /// The type.
    #[must_use]
    pub fn kind(&self) -> ProblemType {
        self.0.kind
    }

    /// The sentence.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// The whole response as HTTP/1.1 sends it before it closes the connection, with `more` headers.
    pub(crate) fn to_http1_bytes(&self, more: HeaderMap) -> Bytes {
        let (status, body) = (self.0.kind.status, self.json());
        let mut headers = self.0.headers.clone();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        headers.extend(more);
        let mut text = format!("HTTP/1.1 {status}\r\n").into_bytes();
        for (name, value) in &headers {
            let line = [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat();
            text.extend_from_slice(&line);
        }
        let end = format!(
            "content-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        );
        text.extend_from_slice(end.as_bytes());
        Bytes::from(text)
    }

    fn json(&self) -> String {
        let kind = self.0.kind;
        let body = serde_json::json!({
            "type": kind.uri(),
            "title": kind.title,
            "status": kind.status.as_u16(),
            "detail": self.0.detail,
        });
        body.to_string()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.json()));
        *response.status_mut() = self.0.kind.status;
        *response.headers_mut() = self.0.headers;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

/// Whole seconds, rounded up: a client that waits for that long is never early.
#[must_use]
pub fn whole_seconds(span: Duration) -> u64 {
    span.as_secs() + u64::from(span.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests;
