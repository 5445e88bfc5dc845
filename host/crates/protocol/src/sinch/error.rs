//! Error types, codes and their failure classes.
//!
//! Codes are Phaxio's ids, regrouped, and three new ones. A code counts together with its type: 133 stands under two.

use crate::failure::FailureClass;
use crate::phaxio;

/// The provider's class of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorType {
    /// The document could not be fetched or converted.
    DocumentConversion,
    /// There was no connection to a fax machine.
    Call,
    /// The line broke off.
    Line,
    /// The machines did not understand each other.
    Fax,
    /// The provider's own fault.
    Fatal,
    /// Whatever else.
    General,
}

impl ErrorType {
    /// Every type.
    pub const EVERY: [Self; 6] = [
        Self::DocumentConversion,
        Self::Call,
        Self::Line,
        Self::Fax,
        Self::Fatal,
        Self::General,
    ];

    /// The spelling on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DocumentConversion => "DOCUMENT_CONVERSION_ERROR",
            Self::Call => "CALL_ERROR",
            Self::Line => "LINE_ERROR",
            Self::Fax => "FAX_ERROR",
            Self::Fatal => "FATAL_ERROR",
            Self::General => "GENERAL_ERROR",
        }
    }

    /// Reads the spelling of the wire; none for a type that is not in the table.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::EVERY
            .into_iter()
            .find(|kind| kind.as_str().eq_ignore_ascii_case(text.trim()))
    }

    /// The type in the words that faxgate's own API shows, whatever the provider: Phaxio's.
    #[must_use]
    pub const fn common(self) -> phaxio::ErrorType {
        match self {
            Self::DocumentConversion => phaxio::ErrorType::DocumentConversion,
            Self::Call | Self::Line => phaxio::ErrorType::Line,
            Self::Fax => phaxio::ErrorType::Fax,
            Self::Fatal => phaxio::ErrorType::Fatal,
            Self::General => phaxio::ErrorType::General,
        }
    }
}

/// What kind of failure an error is.
///
/// The codes 75 and 76 speak of a cancellation, which this API has not: they are [`FailureClass::Other`].
#[must_use]
pub fn class(error_type: Option<ErrorType>, code: Option<i64>) -> FailureClass {
    let Some(error_type) = error_type else {
        return FailureClass::Other;
    };
    match (error_type, code) {
        (_, Some(75 | 76)) => FailureClass::Other,
        // Incomplete transmission; no fax tone, so that no machine was there; number not allowed.
        (ErrorType::Fax, Some(131)) => FailureClass::Fax,
        (ErrorType::Fax, Some(132)) => FailureClass::NoAnswer,
        (ErrorType::Fax, Some(133)) => FailureClass::Number,
        _ => phaxio::error::class(error_type.common(), code),
    }
}

/// Whether faxgate may make another fax after this failure. After others paper may have come out, whatever the page
/// counts say; calls are repeated by the provider itself.
#[must_use]
pub const fn may_repeat(error_type: ErrorType, pages_sent: Option<u32>) -> bool {
    let none_sent = matches!(pages_sent, None | Some(0));
    none_sent && matches!(error_type, ErrorType::Call | ErrorType::DocumentConversion)
}

/// The provider's words without addresses: error 54 repeats the content URL, which holds a token.
#[must_use]
pub fn without_urls(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at_checked(at).unwrap_or((rest, ""));
        let scheme = before
            .char_indices()
            .rev()
            .find(|(_, c)| !c.is_ascii_alphanumeric())
            .map_or(0, |(index, c)| index.saturating_add(c.len_utf8()));
        kept.push_str(before.get(..scheme).unwrap_or_default());
        kept.push_str("(address left out)");
        let end = after.find(char::is_whitespace).unwrap_or(after.len());
        rest = after.get(end..).unwrap_or_default();
    }
    kept.push_str(rest);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_read_back_and_a_new_one_is_none() {
        for kind in ErrorType::EVERY {
            assert_eq!(ErrorType::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(ErrorType::parse("WEATHER_ERROR"), None);
        assert_eq!(ErrorType::parse("lineError"), None);
    }

    #[test]
    fn every_failure_has_its_class() {
        use ErrorType::{Call, DocumentConversion, Fatal, Fax, General, Line};
        for (error_type, code, expected) in [
            (Call, Some(17), FailureClass::Busy),
            (Call, Some(16), FailureClass::NoAnswer),
            (Call, Some(30), FailureClass::NoAnswer),
            (Call, Some(32), FailureClass::Number),
            (Call, Some(34), FailureClass::Number),
            (Call, Some(49), FailureClass::Number),
            (Call, Some(11), FailureClass::Line),
            (Call, Some(43), FailureClass::Line),
            (Call, None, FailureClass::Line),
            (Line, Some(89), FailureClass::Line),
            (Fax, Some(6), FailureClass::Fax),
            (Fax, Some(46), FailureClass::Other),
            (Fax, Some(75), FailureClass::Other),
            (Fax, Some(76), FailureClass::Other),
            (Fax, Some(79), FailureClass::Other),
            (Fax, Some(113), FailureClass::Document),
            (Fax, Some(131), FailureClass::Fax),
            (Fax, Some(132), FailureClass::NoAnswer),
            (Fax, Some(133), FailureClass::Number),
            (DocumentConversion, Some(54), FailureClass::Fetch),
            (DocumentConversion, Some(133), FailureClass::Document),
            (DocumentConversion, None, FailureClass::Document),
            (Fatal, Some(9), FailureClass::Other),
            (General, None, FailureClass::Other),
        ] {
            assert_eq!(class(Some(error_type), code), expected, "{error_type:?} {code:?}");
        }
        assert_eq!(class(None, Some(17)), FailureClass::Other);
    }

    #[test]
    fn only_what_left_no_paper_may_be_repeated() {
        for kind in ErrorType::EVERY {
            let expected = matches!(kind, ErrorType::Call | ErrorType::DocumentConversion);
            assert_eq!(may_repeat(kind, Some(0)), expected, "{kind:?}");
            assert_eq!(may_repeat(kind, None), expected, "{kind:?}");
            assert!(!may_repeat(kind, Some(1)), "{kind:?}");
        }
    }

    #[test]
    fn addresses_are_left_out() {
        for (text, expected) in [
            (
                "cannot read https://h/fax/a/pdf?token=TF",
                "cannot read (address left out)",
            ),
            (
                "at (https://h/x?t=1) twice http://h/y end",
                "at ((address left out) twice (address left out) end",
            ),
            ("\u{fc}https://h", "\u{fc}(address left out)"),
            ("://", "(address left out)"),
            ("Busy", "Busy"),
            ("", ""),
        ] {
            assert_eq!(without_urls(text), expected);
        }
    }
}
