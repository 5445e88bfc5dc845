//! Destinations.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A number in E.164 form (ITU-T E.164): a plus sign, then 2 to 15 digits, the first not 0.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct E164(String);

/// A text that is not E.164.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an E.164 number: a plus sign and 2 to 15 digits, the first not 0")]
pub struct NotE164;

/// What a normalizer made of a dialled string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number {
    /// The number to dial.
    pub e164: E164,
    /// ISO 3166-1 alpha-2 code, where the number belongs to one country.
    pub region: Option<String>,
    /// Whether it is assigned, not only possible.
    pub valid: bool,
}

/// Why a dialled string was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct NumberError {
    /// The class.
    pub kind: NumberErrorKind,
    /// One sentence for the sender.
    pub message: String,
}

/// Classes of refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumberErrorKind {
    /// Nothing that could be a number.
    NotANumber,
    /// A country calling code that doesn't exist.
    UnknownCountry,
    /// Too few digits.
    TooShort,
    /// Too many digits.
    TooLong,
    /// Has an extension, which a fax can't dial.
    Extension,
    /// Possible but not assigned, and strict numbers are asked for.
    NotAssigned,
    /// A rule of the operator forbids it.
    Refused,
}

impl E164 {
    /// Checks the form. Policies are not believed blindly: what a plugin answers goes through here as well.
    ///
    /// # Errors
    /// When it is not a plus sign and 2 to 15 ASCII digits, the first not 0.
    pub fn new(text: &str) -> Result<Self, NotE164> {
        let digits = text.strip_prefix('+').ok_or(NotE164)?;
        let fits = (2..=15).contains(&digits.len())
            && digits.bytes().all(|b| b.is_ascii_digit())
            && !digits.starts_with('0');
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotE164)
        }
    }

    /// The text, with the plus sign.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for E164 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Debug output ends in logs.
        f.write_str(&faxgate_base::redact::number(&self.0))
    }
}

impl TryFrom<String> for E164 {
    type Error = NotE164;

    fn try_from(text: String) -> Result<Self, NotE164> {
        Self::new(&text)
    }
}

impl From<E164> for String {
    fn from(number: E164) -> Self {
        number.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_e164_passes() {
        for good in ["+12125550100", "+4930123456", "+12"] {
            assert!(E164::new(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "+",
            "+0",
            "+012",
            "12125550100",
            "+1212555010a",
            "+1234567890123456",
            "+１２",
            "+12\n",
        ] {
            assert_eq!(E164::new(bad), Err(NotE164), "{bad:?}");
        }
    }
}
