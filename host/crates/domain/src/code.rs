//! Stable codes of everything that can be answered instead of success.
//!
//! The `api` crate maps them to HTTP; the codes themselves know nothing of it.

/// Class of a failed operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    /// The request can't be understood.
    BadRequest,
    /// The destination can't be dialled.
    BadNumber,
    /// A page marker of a list is not one of ours.
    BadCursor,
    /// A value is missing or not allowed.
    Invalid,
    /// The document can't be faxed.
    BadDocument,
    /// No converter reads the document.
    UnsupportedDocument,
    /// More bytes than allowed.
    TooLarge,
    /// No or wrong credentials.
    Unauthenticated,
    /// The credentials don't allow this.
    Forbidden,
    /// A link that is wrong or too old.
    BadLink,
    /// A callback that nobody can believe.
    BadSignature,
    /// There is no such thing, or none that the asker may know of.
    NotFound,
    /// It was destroyed.
    Gone,
    /// The link belongs to a request to the provider that another one replaced.
    Superseded,
    /// Not in this state.
    Conflict,
    /// The idempotency key belongs to another request.
    IdempotencyConflict,
    /// Too many requests.
    RateLimited,
    /// Too much at once: try again.
    Busy,
    /// The body took too long.
    Timeout,
    /// Something that has to be there is not: storage, disk.
    Unavailable,
    /// A fault of ours.
    Internal,
}
