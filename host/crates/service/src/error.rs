//! The one error of the use cases.

use std::time::Duration;

use faxgate_artifacts::ArtifactError;
use faxgate_domain::code::Code;
use faxgate_domain::document::{DocumentError, DocumentErrorKind};
use faxgate_domain::number::NumberError;
use faxgate_policy::{FailureKind, PolicyError};
use faxgate_store::{StoreError, StoreErrorKind};

type Source = Box<dyn std::error::Error + Send + Sync>;

/// Why a use case did not do what was asked, in words for the one who asked.
#[derive(Debug, thiserror::Error)]
#[error("{detail}")]
pub struct Error {
    /// Class, which decides the HTTP status.
    pub code: Code,
    /// What happened and what to do. Never internals, never personal data.
    pub detail: String,
    /// When it is worth trying again.
    pub retry_after: Option<Duration>,
    /// The cause, for the log.
    #[source]
    pub source: Option<Source>,
}

impl Error {
    /// An error of the asker's doing.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            retry_after: None,
            source: None,
        }
    }

    /// A fault of ours: the cause goes to the log, a general sentence to the client.
    pub fn internal(source: impl Into<Source>) -> Self {
        Self {
            source: Some(source.into()),
            ..Self::new(
                Code::Internal,
                "something went wrong here; the operator finds the cause in the log under this request id",
            )
        }
    }

    /// With a time after which to try again.
    #[must_use]
    pub fn retry_after(mut self, span: Duration) -> Self {
        self.retry_after = Some(span);
        self
    }

    /// There is no such thing, or none that the asker may know of.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(Code::NotFound, format!("there is no {what} with this id"))
    }

    fn unavailable(detail: &str, source: impl Into<Source>) -> Self {
        Self {
            source: Some(source.into()),
            ..Self::new(Code::Unavailable, detail)
        }
        .retry_after(Duration::from_secs(5))
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error.kind() {
            StoreErrorKind::Full => Self::unavailable(
                "the disk is full: nothing new can be accepted until the operator makes room",
                error,
            ),
            StoreErrorKind::Unavailable if matches!(error, StoreError::Closed) => {
                Self::unavailable("the server is shutting down: try again in a moment", error)
            }
            StoreErrorKind::Unavailable | StoreErrorKind::Locked | StoreErrorKind::Schema => {
                Self::unavailable(
                    "the database does not answer: try again in a moment; the operator finds the cause in the log",
                    error,
                )
            }
            StoreErrorKind::Unknown => Self::unavailable(
                "the database may or may not have kept this change: look before trying again, or repeat it with the \
                 same Idempotency-Key",
                error,
            ),
            StoreErrorKind::Refused => match error {
                StoreError::BadCursor(refusal) => Self::new(Code::BadCursor, refusal.to_string()),
                StoreError::NoSuchJob => Self::not_found("fax"),
                StoreError::KeyRevoked => Self::new(Code::Conflict, error.to_string()),
                error => Self::internal(error),
            },
            StoreErrorKind::Corrupt => Self::internal(error),
        }
    }
}

impl From<ArtifactError> for Error {
    fn from(error: ArtifactError) -> Self {
        match error {
            ArtifactError::NotFound => Self::new(Code::Gone, "the document was destroyed"),
            ArtifactError::Full => Self::unavailable(
                "the disk is full: nothing new can be accepted until the operator makes room",
                error,
            ),
            ArtifactError::Damaged(_) => Self {
                source: Some(error.into()),
                ..Self::new(
                    Code::Internal,
                    "the stored document is not the one that was kept: it was changed or damaged in storage; restore \
                     it from a backup, or send it again",
                )
            },
            _ => Self::unavailable("document storage does not answer: try again in a moment", error),
        }
    }
}

impl From<NumberError> for Error {
    fn from(refusal: NumberError) -> Self {
        Self::new(Code::BadNumber, refusal.message)
    }
}

impl From<DocumentError> for Error {
    fn from(refusal: DocumentError) -> Self {
        let code = match refusal.kind {
            DocumentErrorKind::Unsupported => Code::UnsupportedDocument,
            DocumentErrorKind::TooLarge => Code::TooLarge,
            DocumentErrorKind::Encrypted
            | DocumentErrorKind::Broken
            | DocumentErrorKind::Empty
            | DocumentErrorKind::TooManyPages => Code::BadDocument,
        };
        Self::new(code, refusal.message)
    }
}

impl<R: Into<Self>> From<PolicyError<R>> for Error {
    fn from(error: PolicyError<R>) -> Self {
        match error {
            PolicyError::Refused(refusal) => refusal.into(),
            PolicyError::Busy => Self::new(
                Code::Busy,
                "too much is being worked on at once: try again in a moment",
            )
            .retry_after(Duration::from_secs(1)),
            PolicyError::Failed(failure) if failure.kind == FailureKind::Missing => Self {
                source: Some(failure.into()),
                ..Self::new(
                    Code::Unavailable,
                    "a policy that this gateway requires is not loaded: the operator finds it in GET /admin/plugins \
                     and has to put its file back",
                )
            },
            PolicyError::Failed(failure) => Self::internal(failure.to_string()),
        }
    }
}

impl From<std::convert::Infallible> for Error {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}
