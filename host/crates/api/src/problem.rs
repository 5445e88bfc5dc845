//! Error responses of the application: the one map from error codes to status codes and problem types (RFC 9457).

use std::borrow::Cow;
use std::error::Error as StdError;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::header::WWW_AUTHENTICATE;
use http::{HeaderName, StatusCode};

use faxgate_domain::code::Code;
use faxgate_edge::problem::{self as transport, ProblemType};

/// An error response that is not sent yet.
#[derive(Debug, Clone)]
pub(crate) struct Problem(transport::Problem);

/// Kind of a problem: a code of the domain, or something that only HTTP knows.
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

impl Kind {
    /// Every kind: the OpenAPI description lists them.
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

    /// The type: status, stable name and title.
    pub(crate) const fn problem_type(self) -> ProblemType {
        use StatusCode as S;
        match self {
            Self::Code(Code::BadRequest) => transport::BAD_REQUEST,
            Self::Code(Code::Busy) => transport::BUSY,
            Self::Code(Code::Internal) => transport::INTERNAL,
            Self::InsecureTransport => transport::HTTPS_REQUIRED,
            Self::AddressTooLong => transport::ADDRESS_TOO_LONG,
            Self::HeadTooLarge => transport::HEAD_TOO_LARGE,
            Self::Code(Code::BadNumber) => {
                ProblemType::new(S::BAD_REQUEST, "bad-number", "The number can't be dialled")
            }
            Self::Code(Code::BadCursor) => {
                ProblemType::new(S::BAD_REQUEST, "bad-cursor", "The cursor is not valid")
            }
            Self::Code(Code::Invalid) => ProblemType::new(
                S::UNPROCESSABLE_ENTITY,
                "invalid",
                "A value is missing or not allowed",
            ),
            Self::Code(Code::BadDocument) => ProblemType::new(
                S::UNPROCESSABLE_ENTITY,
                "bad-document",
                "The document can't be faxed",
            ),
            Self::Code(Code::UnsupportedDocument) => ProblemType::new(
                S::UNSUPPORTED_MEDIA_TYPE,
                "unsupported-document",
                "No converter reads this document",
            ),
            Self::Code(Code::TooLarge) => {
                ProblemType::new(S::PAYLOAD_TOO_LARGE, "too-large", "Larger than allowed")
            }
            Self::Code(Code::Unauthenticated) => {
                ProblemType::new(S::UNAUTHORIZED, "unauthenticated", "No or wrong API key")
            }
            Self::Code(Code::Forbidden) => {
                ProblemType::new(S::FORBIDDEN, "forbidden", "The API key doesn't allow this")
            }
            Self::Code(Code::BadLink) => {
                ProblemType::new(S::FORBIDDEN, "bad-link", "The link is wrong or expired")
            }
            Self::Code(Code::BadSignature) => ProblemType::new(
                S::UNAUTHORIZED,
                "bad-signature",
                "The callback has no valid proof",
            ),
            Self::Code(Code::NotFound) => {
                ProblemType::new(S::NOT_FOUND, "not-found", "There is nothing with this id")
            }
            Self::Code(Code::Gone) => ProblemType::new(S::GONE, "gone", "It was destroyed"),
            Self::Code(Code::Superseded) => {
                ProblemType::new(S::GONE, "superseded", "The link was replaced by another one")
            }
            Self::Code(Code::Conflict) => {
                ProblemType::new(S::CONFLICT, "conflict", "Not possible in this state")
            }
            Self::Code(Code::IdempotencyConflict) => ProblemType::new(
                S::CONFLICT,
                "idempotency-conflict",
                "The idempotency key belongs to another request",
            ),
            Self::Code(Code::RateLimited) => {
                ProblemType::new(S::TOO_MANY_REQUESTS, "rate-limited", "Too many requests")
            }
            Self::Code(Code::Timeout) => {
                ProblemType::new(S::REQUEST_TIMEOUT, "timeout", "The body took too long")
            }
            Self::Code(Code::Unavailable) => ProblemType::new(
                S::SERVICE_UNAVAILABLE,
                "unavailable",
                "Not available at the moment",
            ),
            Self::NoRoute => ProblemType::new(S::NOT_FOUND, "no-route", "There is no such address"),
            Self::MethodNotAllowed => ProblemType::new(
                S::METHOD_NOT_ALLOWED,
                "method-not-allowed",
                "Not with this method",
            ),
            Self::UnsupportedFormat => ProblemType::new(
                S::UNSUPPORTED_MEDIA_TYPE,
                "unsupported-format",
                "The body has another format than expected",
            ),
            Self::RangeNotSatisfiable => ProblemType::new(
                S::RANGE_NOT_SATISFIABLE,
                "range-not-satisfiable",
                "The document has no such part",
            ),
        }
    }
}

impl Problem {
    /// A problem of this code with a sentence that says what to do.
    pub(crate) fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::of(Kind::Code(code), detail)
    }

    /// A problem of any kind.
    pub(crate) fn of(kind: Kind, detail: impl Into<Cow<'static, str>>) -> Self {
        let problem = Self(transport::Problem::new(kind.problem_type(), detail));
        match kind {
            Kind::Code(Code::Unauthenticated) => problem.header(WWW_AUTHENTICATE, "Bearer realm=\"faxgate\""),
            _ => problem,
        }
    }

    /// The response to every internal error: the cause is in the log under the request id.
    pub(crate) fn internal() -> Self {
        Self(transport::Problem::internal())
    }

    /// With the time to wait before another attempt.
    pub(crate) fn retry_after(self, wait: Option<Duration>) -> Self {
        Self(self.0.retry_after(wait))
    }

    /// With a header.
    pub(crate) fn header(self, name: HeaderName, value: &str) -> Self {
        Self(self.0.header(name, value))
    }

    /// The type.
    #[cfg(test)]
    pub(crate) fn problem_type(&self) -> ProblemType {
        self.0.kind()
    }

    /// The sentence.
    #[cfg(test)]
    pub(crate) fn detail(&self) -> &str {
        self.0.detail()
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
                code = kind.problem_type().name,
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
        self.0.into_response()
    }
}

#[cfg(test)]
mod tests;
