//! What a callback's signature covers, and how it is spelled.
//!
//! Two schemes share the header [`super::fields::SIGNATURE_HEADER`]; the number of digits tells them apart:
//!
//! | digits | scheme | key | message |
//! |---|---|---|---|
//! | 40 | Phaxio (<https://www.phaxio.com/docs/security/callbacks>), HMAC-SHA1 | callback token | address, fields, file digests |
//! | 64 | Faxbot, HMAC-SHA256 | API secret | raw body |
//!
//! Phaxio's message has no separators and nothing in it is encoded: the address byte for byte as it was given to the
//! provider, then each field sorted by name as name and value, then each file sorted by part name as part name and
//! lower-case hexadecimal SHA-1 of its bytes. Names that repeat keep the order they were sent in.

#[cfg(feature = "signing")]
mod signing;
#[cfg(any(test, feature = "test-vectors"))]
pub mod vectors;

#[cfg(feature = "signing")]
pub use signing::{file_digest, sign_body, sign_form, verify};

/// How a callback is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureScheme {
    /// Phaxio's: HMAC-SHA1 with the callback token over [`form_message`].
    Form,
    /// Faxbot's: HMAC-SHA256 with the API secret over the body as it is on the wire.
    Body,
}

/// Why a text is no signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureTextError {
    /// There is a character that is no digit from `0` to `f`, or an odd number of digits.
    NotHexadecimal,
    /// It has digits in upper case. Both schemes write lower case, and one proof has one spelling.
    UpperCase,
    /// It has neither 40 nor 64 digits.
    Length,
}

/// A signature as bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// The scheme that a signature of this length belongs to.
    pub scheme: SignatureScheme,
    /// The code.
    pub code: Vec<u8>,
}

impl SignatureScheme {
    /// Bytes of a code.
    #[must_use]
    pub const fn code_len(self) -> usize {
        match self {
            Self::Form => 20,
            Self::Body => 32,
        }
    }
}

impl Signature {
    /// Reads the value of the header.
    ///
    /// # Errors
    /// [`SignatureTextError`]
    pub fn parse(text: &str) -> Result<Self, SignatureTextError> {
        let code = bytes(text)?;
        let scheme = [SignatureScheme::Form, SignatureScheme::Body]
            .into_iter()
            .find(|scheme| scheme.code_len() == code.len())
            .ok_or(SignatureTextError::Length)?;
        if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(SignatureTextError::UpperCase);
        }
        Ok(Self { scheme, code })
    }
}

/// What Phaxio signs after the address: `fields` are names and values, `files` part names and lower-case hexadecimal
/// SHA-1 digests.
#[must_use]
pub fn form_message<'a>(
    fields: impl IntoIterator<Item = (&'a str, &'a str)>,
    files: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> String {
    let sorted = |pairs: &mut Vec<(&'a str, &'a str)>| pairs.sort_by_key(|(name, _)| *name);
    let mut fields: Vec<_> = fields.into_iter().collect();
    sorted(&mut fields);
    let mut files: Vec<_> = files.into_iter().collect();
    sorted(&mut files);
    let pairs = fields.into_iter().chain(files);
    pairs.flat_map(|(name, value)| [name, value]).collect()
}

/// The bytes of hexadecimal text in either case.
fn bytes(text: &str) -> Result<Vec<u8>, SignatureTextError> {
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return Err(SignatureTextError::NotHexadecimal);
    }
    pairs
        .iter()
        .map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?))
        .collect::<Option<Vec<u8>>>()
        .ok_or(SignatureTextError::NotHexadecimal)
}

#[cfg(test)]
mod tests;
