//! Why a string can't be dialled, with the sentences for the sender.

use rlibphonenumber::{NotANumberError, ParseError};

/// Why a string can't be dialled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// Nothing that could be a number.
    NotANumber,
    /// A country calling code that doesn't exist, or none and no region to take it from.
    UnknownCountry,
    /// Too few digits.
    TooShort,
    /// Too many digits.
    TooLong,
    /// Has an extension.
    Extension,
    /// Possible but not assigned.
    NotAssigned,
}

/// A refusal with a sentence for the sender, which never repeats the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failure {
    /// The class.
    pub kind: FailureKind,
    /// The sentence.
    pub message: &'static str,
}

pub(super) const WORDS_BEFORE: &str = "There are words before the number: send the number alone.";
pub(super) const WORDS_AFTER: &str =
    "There are letters or words after the number: send the number alone. A fax cannot dial an extension.";
pub(super) const LETTERS_AMONG_DIGITS: &str = "There are letters among the digits of the number: write it in digits alone; the letters O and I are \
     not the digits zero and one.";
pub(super) const INCOMPLETE_VANITY: &str = "The letters at the end are not a word that completes a number of its country: write the number in \
     digits.";
pub(super) const WRONG_CHARACTERS: &str = "There are characters that are not part of a number: write one number, as + and country code, then \
     digits.";
pub(super) const SERVICE_CODE: &str =
    "There is a service code (* or #) in the number, which a fax cannot dial: send the number alone.";
pub(super) const SECOND_NUMBER: &str =
    "This looks like more than one number: send one fax for each number, and write each in full.";
pub(super) const PARAMETERS: &str = "The number has parameters that a fax cannot dial: send the number alone, as + and country code, then \
     digits.";
pub(super) const TRUNK_ZERO: &str = "There is a zero after the country code that may or may not be dialled: write the number as it is \
     dialled from abroad.";

/// The failure of a class with its usual sentence.
pub(super) fn failure(kind: FailureKind) -> Failure {
    let message = match kind {
        FailureKind::NotANumber => {
            "This is not a fax number: write one number, for example as + and country code, then the number."
        }
        FailureKind::UnknownCountry => {
            "The country calling code does not exist, or is missing: write the number with + and country code."
        }
        FailureKind::TooShort => "The number has too few digits for its country.",
        FailureKind::TooLong => "The number has too many digits for its country.",
        FailureKind::Extension => {
            "The number has an extension, which a fax cannot dial: give the direct number of the fax machine."
        }
        FailureKind::NotAssigned => "The number is possible but not assigned in its numbering plan.",
    };
    Failure { kind, message }
}

/// What is written is no number, for the reason that the sentence gives.
pub(super) fn not_a_number(message: &'static str) -> Failure {
    Failure {
        kind: FailureKind::NotANumber,
        message,
    }
}

/// The failure for an error of libphonenumber.
pub(super) fn parse_failure(error: &ParseError) -> Failure {
    failure(match error {
        ParseError::InvalidCountryCode => FailureKind::UnknownCountry,
        ParseError::NotANumber(NotANumberError::FailedToParseNumberAsInt(_)) | ParseError::TooLongNsn => {
            FailureKind::TooLong
        }
        ParseError::NotANumber(_) => FailureKind::NotANumber,
        ParseError::TooShortAfterIdd | ParseError::TooShortNsn => FailureKind::TooShort,
    })
}
