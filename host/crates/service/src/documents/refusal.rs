//! Answers about documents that cannot be faxed or are no longer there.

use crate::Error;
use faxgate_domain::code::Code;
use faxgate_domain::document::DocumentError;
use faxgate_policy::{FailureKind, PolicyError};

/// The answer about a document that no converter got through. What exhausts a limit or makes a converter give up is
/// a property of the document, the same on every machine, and no fault of the server.
pub(crate) fn not_converted(error: PolicyError<DocumentError>) -> Error {
    let PolicyError::Failed(failure) = &error else {
        return error.into();
    };
    let (code, detail) = match failure.kind {
        FailureKind::OutOfMemory => (
            Code::TooLarge,
            "the document takes more memory than a conversion may use: send it as simpler pages, fewer pictures or in \
             several faxes",
        ),
        FailureKind::TooMuchData => (
            Code::TooLarge,
            "the document becomes larger than a fax may be: send it in several faxes",
        ),
        FailureKind::CpuDeadline => (
            Code::BadDocument,
            "the document takes longer to prepare than a conversion may: print it to a new PDF, or send it as pictures",
        ),
        FailureKind::Trap | FailureKind::StackOverflow => (
            Code::BadDocument,
            "the document is built in a way that can't be read: print it to a new PDF and send that",
        ),
        // These say nothing about the document.
        FailureKind::WallDeadline => {
            return Error {
                source: Some(error.into()),
                ..Error::new(
                    Code::Busy,
                    "preparing the document took too long here: try again in a moment",
                )
            }
            .retry_after(std::time::Duration::from_secs(5));
        }
        FailureKind::BadAnswer | FailureKind::NoPlugin | FailureKind::Missing | FailureKind::Host => {
            return error.into();
        }
    };
    Error {
        source: Some(error.into()),
        ..Error::new(code, detail)
    }
}

/// The answer about a document that was destroyed.
pub(crate) fn gone() -> Error {
    Error::new(Code::Gone, "the document was destroyed; the record stays")
}
