//! Error types and ids.
//!
//! Ids grow over time: one that is not listed here belongs to the class of its type.

use crate::failure::FailureClass;

/// The provider's class of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorType {
    /// The document could not be fetched or converted.
    DocumentConversion,
    /// The call could not be made or broke off.
    Line,
    /// The machines did not understand each other.
    Fax,
    /// The provider's own fault.
    Fatal,
    /// Whatever else, the account's funds among it.
    General,
}

impl ErrorType {
    /// Every type.
    pub const EVERY: [Self; 5] = [
        Self::DocumentConversion,
        Self::Line,
        Self::Fax,
        Self::Fatal,
        Self::General,
    ];

    /// The spelling on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DocumentConversion => "documentConversionError",
            Self::Line => "lineError",
            Self::Fax => "faxError",
            Self::Fatal => "fatalError",
            Self::General => "generalError",
        }
    }

    /// Reads the spelling of the wire; none for a type that is not in the table.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::EVERY.into_iter().find(|kind| kind.as_str() == text)
    }

    /// The class of an error of this type whose id says no more.
    #[must_use]
    pub const fn class(self) -> FailureClass {
        match self {
            Self::DocumentConversion => FailureClass::Document,
            Self::Line => FailureClass::Line,
            Self::Fax => FailureClass::Fax,
            Self::Fatal | Self::General => FailureClass::Other,
        }
    }
}

/// Ids of the errors that a fax ends with when it was cancelled: on request, and because a limit of time passed.
pub const CANCELLED: [i64; 2] = [CANCELLED_BY_USER.id, CANCELLED_BY_TIMEOUT.id];

/// Ids that say more than their type. Where sources differ the stricter one counts.
const KNOWN: [(ErrorType, FailureClass, &[i64]); 6] = [
    (ErrorType::Line, FailureClass::Busy, &[17, 35, 90, 118]),
    (
        ErrorType::Line,
        FailureClass::NoAnswer,
        &[16, 30, 39, 87, 94, 112],
    ),
    (
        ErrorType::Line,
        FailureClass::Number,
        &[
            32, 34, 47, 49, 50, 52, 71, 73, 85, 91, 92, 95, 107, 109, 115, 116, 123,
        ],
    ),
    // The account has no funds; the fax is complete.
    (ErrorType::Fax, FailureClass::Other, &[46, 79]),
    (ErrorType::Fax, FailureClass::Document, &[113]),
    (ErrorType::DocumentConversion, FailureClass::Fetch, &[54]),
];

/// What kind of failure an error is.
#[must_use]
pub fn class(error_type: ErrorType, id: Option<i64>) -> FailureClass {
    let of_type = error_type.class();
    let Some(id) = id else {
        return of_type;
    };
    if of_type != FailureClass::Other && CANCELLED.contains(&id) {
        return FailureClass::Cancelled;
    }
    KNOWN
        .iter()
        .find(|(within, _, ids)| *within == error_type && ids.contains(&id))
        .map_or(of_type, |(_, class, _)| *class)
}

/// An error with the provider's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownError {
    /// Class.
    pub error_type: ErrorType,
    /// Number.
    pub id: i64,
    /// The provider's words.
    pub message: &'static str,
}

const fn known(error_type: ErrorType, id: i64, message: &'static str) -> KnownError {
    KnownError {
        error_type,
        id,
        message,
    }
}

/// The called number was busy.
pub const BUSY: KnownError = known(ErrorType::Line, 17, "Busy");
/// Nobody answered.
pub const NO_ANSWER: KnownError = known(ErrorType::Line, 112, "No answer");
/// The number takes no calls.
pub const NOT_OPERATIONAL: KnownError = known(
    ErrorType::Line,
    49,
    "The Receiving Phone Number Is Not Operational",
);
/// Cancelled on request.
pub const CANCELLED_BY_USER: KnownError = known(ErrorType::Fax, 75, "Manually canceled by user");
/// Cancelled because `cancel_timeout` passed.
pub const CANCELLED_BY_TIMEOUT: KnownError = known(
    ErrorType::Fax,
    76,
    "Canceled automatically because timeout exceeded",
);
/// A reception without pages.
pub const NO_PAGES_RECEIVED: KnownError = known(ErrorType::Fax, 117, "No pages received");
/// No particular error.
pub const GENERAL: KnownError = known(ErrorType::General, 3, "General error.");
/// The document has too many pages, among others.
pub const MERGE_FAILED: KnownError = known(
    ErrorType::DocumentConversion,
    4,
    "There was a problem in converting and merging files to the output file format. Contact support.",
);
/// The document could not be converted.
pub const CONVERSION_FAILED: KnownError = known(
    ErrorType::DocumentConversion,
    69,
    "There was a problem in converting and merging files to the output file format.",
);
/// The content URL could not be read.
pub const URL_NOT_ACCESSIBLE: KnownError = known(
    ErrorType::DocumentConversion,
    54,
    "Could not access the url you provided.",
);
/// The content URL is none.
pub const URL_INVALID: KnownError = known(
    ErrorType::DocumentConversion,
    55,
    "The string_data URL you provided is invalid",
);
/// The document is of no type that can be told.
pub const TYPE_UNKNOWN: KnownError = known(
    ErrorType::DocumentConversion,
    128,
    "Could not determine mimetype for file.",
);
/// The document is of a type that is not taken.
pub const TYPE_NOT_SUPPORTED: KnownError =
    known(ErrorType::DocumentConversion, 129, "Mimetype not supported.");
/// The document is XML.
pub const XML_NOT_SUPPORTED: KnownError = known(
    ErrorType::DocumentConversion,
    130,
    "Mimetype not supported: application/xml",
);
/// The document is a PDF that cannot be read.
pub const PDF_BROKEN: KnownError = known(
    ErrorType::DocumentConversion,
    133,
    "Failed to normalize PDF document",
);

/// The error that a test account's fax ends with when `test_fail` names `error_type`.
#[must_use]
pub const fn simulated(error_type: ErrorType) -> KnownError {
    let (id, message) = match error_type {
        ErrorType::DocumentConversion => (122, "User simulated Document Conversion Error"),
        ErrorType::Line => (121, "User requested simulated lineError"),
        ErrorType::Fax => (119, "User requested simulated faxError"),
        ErrorType::Fatal => (126, "User requested simulated fatalError"),
        ErrorType::General => (120, "User requested generalError"),
    };
    known(error_type, id, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_read_back_and_a_new_one_is_none() {
        for kind in ErrorType::EVERY {
            assert_eq!(ErrorType::parse(kind.as_str()), Some(kind));
        }
        for text in ["", "LineError", "weatherError", "rejected"] {
            assert_eq!(ErrorType::parse(text), None, "{text}");
        }
    }

    #[test]
    fn every_failure_has_its_class() {
        use ErrorType::{DocumentConversion, Fatal, Fax, General, Line};
        for (error_type, id, expected) in [
            (Line, Some(17), FailureClass::Busy),
            (Line, Some(112), FailureClass::NoAnswer),
            (Line, Some(11), FailureClass::Line),
            (Line, Some(49), FailureClass::Number),
            (Line, Some(107), FailureClass::Number),
            (Line, Some(4711), FailureClass::Line),
            (Line, None, FailureClass::Line),
            (Line, Some(75), FailureClass::Cancelled),
            (Fax, Some(20), FailureClass::Fax),
            (Fax, Some(17), FailureClass::Fax),
            (Fax, Some(75), FailureClass::Cancelled),
            (Fax, Some(76), FailureClass::Cancelled),
            (Fax, Some(113), FailureClass::Document),
            (Fax, Some(46), FailureClass::Other),
            (DocumentConversion, Some(17), FailureClass::Document),
            (DocumentConversion, Some(54), FailureClass::Fetch),
            (General, Some(5), FailureClass::Other),
            (General, Some(75), FailureClass::Other),
            (Fatal, Some(126), FailureClass::Other),
        ] {
            assert_eq!(class(error_type, id), expected, "{error_type:?} {id:?}");
        }
    }
}
