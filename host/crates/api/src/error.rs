//! Refusals as `application/problem+json` (RFC 9457): the only place that knows status codes.

use std::error::Error as StdError;
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use faxgate_domain::code::Code;
use faxgate_service;

/// Media type of every refusal.
pub(super) const PROBLEM_JSON: &str = "application/problem+json";

/// A refusal, ready to be answered.
#[derive(Debug, Clone)]
pub(crate) struct Problem(Box<Refusal>);

/// On the heap, since every handler may answer one and most never do.
#[derive(Debug, Clone)]
struct Refusal {
    kind: Kind,
    detail: String,
    headers: HeaderMap,
}

/// Class of a refusal: a code of the domain, or something only HTTP knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A code of the domain.
    Code(Code),
    /// No such route.
    NoRoute,
    /// The route exists, the method doesn't.
    MethodNotAllowed,
    /// The body is in a format that this route doesn't read.
    UnsupportedFormat,
    /// Part of a document that isn't there was asked for.
    RangeNotSatisfiable,
    /// In clear where only HTTPS is allowed.
    InsecureTransport,
    /// The address of a request is longer than any of ours.
    AddressTooLong,
    /// The head of a request is larger than allowed.
    HeadTooLarge,
}

/// Seconds to wait when nobody knows better.
const DEFAULT_RETRY: Duration = Duration::from_secs(5);

impl Kind {
    /// Every class: the documentation lists them.
    pub(crate) const EVERY: [Self; 28] = [
        Self::Code(Code::BadRequest),
        Self::Code(Code::BadNumber),
        Self::Code(Code::BadCursor),
        Self::Code(Code::Invalid),
        Self::Code(Code::BadDocument),
        Self::Code(Code::UnsupportedDocument),
        Self::Code(Code::TooLarge),
        Self::Code(Code::Unauthenticated),
        Self::Code(Code::Forbidden),
        Self::Code(Code::BadLink),
        Self::Code(Code::BadSignature),
        Self::Code(Code::NotFound),
        Self::Code(Code::Gone),
        Self::Code(Code::Superseded),
        Self::Code(Code::Conflict),
        Self::Code(Code::IdempotencyConflict),
        Self::Code(Code::RateLimited),
        Self::Code(Code::Busy),
        Self::Code(Code::Timeout),
        Self::Code(Code::Unavailable),
        Self::Code(Code::Internal),
        Self::NoRoute,
        Self::MethodNotAllowed,
        Self::UnsupportedFormat,
        Self::RangeNotSatisfiable,
        Self::InsecureTransport,
        Self::AddressTooLong,
        Self::HeadTooLarge,
    ];

    /// Status, stable name and title.
    pub(crate) const fn describe(self) -> (StatusCode, &'static str, &'static str) {
        use StatusCode as S;
        match self {
            Self::Code(Code::BadRequest) => {
                (S::BAD_REQUEST, "bad-request", "The request can't be understood")
            }
            Self::Code(Code::BadNumber) => (S::BAD_REQUEST, "bad-number", "The number can't be dialled"),
            Self::Code(Code::BadCursor) => (S::BAD_REQUEST, "bad-cursor", "The cursor is not one of ours"),
            Self::Code(Code::Invalid) => (
                S::UNPROCESSABLE_ENTITY,
                "invalid",
                "A value is missing or not allowed",
            ),
            Self::Code(Code::BadDocument) => (
                S::UNPROCESSABLE_ENTITY,
                "bad-document",
                "The document can't be faxed",
            ),
            Self::Code(Code::UnsupportedDocument) => (
                S::UNSUPPORTED_MEDIA_TYPE,
                "unsupported-document",
                "No converter reads this document",
            ),
            Self::Code(Code::TooLarge) => (S::PAYLOAD_TOO_LARGE, "too-large", "Larger than allowed"),
            Self::Code(Code::Unauthenticated) => (S::UNAUTHORIZED, "unauthenticated", "No or wrong API key"),
            Self::Code(Code::Forbidden) => (S::FORBIDDEN, "forbidden", "The API key doesn't allow this"),
            Self::Code(Code::BadLink) => (S::FORBIDDEN, "bad-link", "The link is wrong or too old"),
            Self::Code(Code::BadSignature) => (
                S::UNAUTHORIZED,
                "bad-signature",
                "The callback has no valid proof",
            ),
            Self::Code(Code::NotFound) => (S::NOT_FOUND, "not-found", "There is no such thing"),
            Self::Code(Code::Gone) => (S::GONE, "gone", "It was destroyed"),
            Self::Code(Code::Superseded) => (S::GONE, "superseded", "The link was replaced by another one"),
            Self::Code(Code::Conflict) => (S::CONFLICT, "conflict", "Not possible in this state"),
            Self::Code(Code::IdempotencyConflict) => (
                S::CONFLICT,
                "idempotency-conflict",
                "The idempotency key belongs to another request",
            ),
            Self::Code(Code::RateLimited) => (S::TOO_MANY_REQUESTS, "rate-limited", "Too many requests"),
            Self::Code(Code::Busy) => (S::SERVICE_UNAVAILABLE, "busy", "Too much at once"),
            Self::Code(Code::Timeout) => (S::REQUEST_TIMEOUT, "timeout", "The body took too long"),
            Self::Code(Code::Unavailable) => (
                S::SERVICE_UNAVAILABLE,
                "unavailable",
                "Not available at the moment",
            ),
            Self::Code(Code::Internal) => (S::INTERNAL_SERVER_ERROR, "internal", "A fault of ours"),
            Self::NoRoute => (S::NOT_FOUND, "no-route", "There is no such address"),
            Self::MethodNotAllowed => (
                S::METHOD_NOT_ALLOWED,
                "method-not-allowed",
                "Not with this method",
            ),
            Self::UnsupportedFormat => (
                S::UNSUPPORTED_MEDIA_TYPE,
                "unsupported-format",
                "The body has another format than expected",
            ),
            Self::RangeNotSatisfiable => (
                S::RANGE_NOT_SATISFIABLE,
                "range-not-satisfiable",
                "The document has no such part",
            ),
            Self::InsecureTransport => (S::FORBIDDEN, "https-required", "Only over HTTPS"),
            Self::AddressTooLong => (S::URI_TOO_LONG, "address-too-long", "The address is too long"),
            Self::HeadTooLarge => (
                S::REQUEST_HEADER_FIELDS_TOO_LARGE,
                "head-too-large",
                "The headers are too large",
            ),
        }
    }

    /// The stable name as a URI: `urn:faxgate:problem:NAME`.
    pub(crate) fn uri(self) -> String {
        format!("urn:faxgate:problem:{}", self.describe().1)
    }

    /// Whether the client may try the same again later.
    const fn is_temporary(self) -> bool {
        matches!(
            self,
            Self::Code(Code::RateLimited | Code::Busy | Code::Unavailable)
        )
    }
}

impl Problem {
    /// A refusal with a sentence that says what to do.
    pub(crate) fn new(code: Code, detail: impl Into<String>) -> Self {
        Self::of(Kind::Code(code), detail)
    }

    /// A refusal of any class.
    pub(crate) fn of(kind: Kind, detail: impl Into<String>) -> Self {
        let mut headers = HeaderMap::new();
        if kind == Kind::Code(Code::Unauthenticated) {
            headers.insert(
                WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"faxgate\""),
            );
        }
        Self(Box::new(Refusal {
            kind,
            detail: detail.into(),
            headers,
        }))
        .retry_after(kind.is_temporary().then_some(DEFAULT_RETRY))
    }

    /// The answer to every fault of ours: what went wrong is in the log, under the request id.
    pub(crate) fn internal() -> Self {
        Self::new(
            Code::Internal,
            "something went wrong here: the operator finds the cause in the log under this request id",
        )
    }

    /// What a connection says about bytes that are no request it can read, by the status that was chosen for them.
    pub(super) fn unreadable(status: u16) -> Self {
        match status {
            414 => Self::of(
                Kind::AddressTooLong,
                "the address of the request is too long: send what it says in fewer characters",
            ),
            431 => Self::of(
                Kind::HeadTooLarge,
                "the headers are too many or too large together: send fewer or shorter ones",
            ),
            _ => Self::new(
                Code::BadRequest,
                "this is not a valid HTTP/1.1 request: check the request line, the headers and how the length of \
                 the body is given",
            ),
        }
    }

    /// The answer when there is too much to do.
    pub(super) fn overloaded() -> Self {
        Self::new(
            Code::Busy,
            "too many requests are being answered at the moment: try again a little later",
        )
    }

    /// The whole refusal as HTTP/1.1 sends it, with these headers more; the connection closes after it.
    pub(super) fn last_words(self, more: HeaderMap) -> Bytes {
        let (status, body) = (self.0.kind.describe().0, self.json());
        let mut headers = self.0.headers;
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
        let (status, _, title) = self.0.kind.describe();
        let body = serde_json::json!({
            "type": self.0.kind.uri(),
            "title": title,
            "status": status.as_u16(),
            "detail": self.0.detail,
        });
        body.to_string()
    }

    /// With the wait before another attempt, in whole seconds, rounded up.
    pub(crate) fn retry_after(mut self, wait: Option<Duration>) -> Self {
        if let Some(wait) = wait {
            self.0
                .headers
                .insert(RETRY_AFTER, HeaderValue::from(whole_seconds(wait).max(1)));
        }
        self
    }

    /// With a header.
    pub(crate) fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.0.headers.insert(name, value);
        }
        self
    }

    /// The class.
    #[cfg(test)]
    pub(crate) fn kind(&self) -> Kind {
        self.0.kind
    }

    /// The sentence.
    #[cfg(test)]
    pub(crate) fn detail(&self) -> &str {
        &self.0.detail
    }
}

impl From<faxgate_service::Error> for Problem {
    /// The one place where a failed use case is logged: under the request's id, with its cause.
    fn from(error: faxgate_service::Error) -> Self {
        let kind = Kind::Code(error.code);
        if let Some(source) = &error.source {
            let chain = std::iter::successors(Some(&**source as &dyn StdError), |&cause| cause.source());
            let causes: Vec<_> = chain.map(ToString::to_string).collect();
            tracing::error!(
                code = kind.describe().1,
                causes = causes.join(": "),
                "a request failed"
            );
        }
        if error.code == Code::Internal {
            return Self::internal();
        }
        let problem = Self::of(kind, error.detail);
        match error.retry_after {
            Some(wait) => problem.retry_after(Some(wait)),
            None => problem,
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.json()));
        *response.status_mut() = self.0.kind.describe().0;
        *response.headers_mut() = self.0.headers;
        response
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        response
            .headers_mut()
            .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

/// Whole seconds, rounded up: a client that waits so long is never early.
pub(super) fn whole_seconds(span: Duration) -> u64 {
    span.as_secs() + u64::from(span.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_has_a_name_of_its_own_and_an_error_status() {
        let mut names: Vec<_> = Kind::EVERY.iter().map(|kind| kind.describe().1).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Kind::EVERY.len());
        for kind in Kind::EVERY {
            let status = kind.describe().0;
            assert!(status.is_client_error() || status.is_server_error(), "{kind:?}");
        }
    }

    #[test]
    fn statuses_of_the_contract() {
        let status = |code| Kind::Code(code).describe().0.as_u16();
        for (code, expected) in [
            (Code::BadNumber, 400),
            (Code::BadCursor, 400),
            (Code::TooLarge, 413),
            (Code::UnsupportedDocument, 415),
            (Code::BadDocument, 422),
            (Code::Invalid, 422),
            (Code::IdempotencyConflict, 409),
            (Code::BadLink, 403),
            (Code::BadSignature, 401),
            (Code::Gone, 410),
            (Code::Superseded, 410),
            (Code::RateLimited, 429),
            (Code::Timeout, 408),
        ] {
            assert_eq!(status(code), expected, "{code:?}");
        }
    }

    #[tokio::test]
    async fn the_body_is_a_problem_with_a_textual_detail() {
        let problem =
            Problem::new(Code::RateLimited, "slow \"down\"").retry_after(Some(Duration::from_millis(1200)));
        let response = problem.into_response();
        assert_eq!(response.status(), 429);
        assert_eq!(response.headers()[RETRY_AFTER], "2");
        assert_eq!(response.headers()[CONTENT_TYPE], PROBLEM_JSON);
        let body = axum::body::to_bytes(response.into_body(), 4096)
            .await
            .expect("body");
        let body: serde_json::Value = serde_json::from_slice(&body).expect("json");
        assert_eq!(body["detail"], "slow \"down\"");
        assert_eq!(body["status"], 429);
        assert_eq!(body["type"], "urn:faxgate:problem:rate-limited");
    }

    #[test]
    fn what_may_be_tried_again_says_when() {
        for kind in Kind::EVERY {
            let response = Problem::of(kind, "").into_response();
            let expected = matches!(response.status().as_u16(), 429 | 503);
            assert_eq!(response.headers().contains_key(RETRY_AFTER), expected, "{kind:?}");
        }
    }
}
