//! `Content-Transfer-Encoding` of a part (RFC 2045, section 6): base64 and quoted-printable are decoded as they arrive.
//!
//! RFC 7578 tells senders not to use it, but mail libraries do, and `curl -F 'file=@…;encoder=base64'`.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;

/// Some encoders leave the padding out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// How the bytes of a part are encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TransferEncoding {
    /// Not at all: `7bit`, `8bit`, `binary`, or nothing said.
    Identity,
    /// `base64`
    Base64,
    /// `quoted-printable`
    QuotedPrintable,
}

/// Bytes that are not encoded as their part says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// Decodes the bytes of one part, piece by piece.
#[derive(Debug)]
pub(super) struct Decoder {
    encoding: TransferEncoding,
    /// Encoded bytes that need what follows them.
    pending: Vec<u8>,
    /// The padding of base64 was read: only white space may follow.
    padded: bool,
}

impl TransferEncoding {
    /// The encoding of this name; none when it is unknown.
    pub(super) fn of(name: &[u8]) -> Option<Self> {
        let name = name.trim_ascii();
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        if name.is_empty() || is("7bit") || is("8bit") || is("binary") {
            return Some(Self::Identity);
        }
        if is("base64") {
            return Some(Self::Base64);
        }
        is("quoted-printable").then_some(Self::QuotedPrintable)
    }
}

impl Decoder {
    /// A decoder for one part.
    pub(super) const fn new(encoding: TransferEncoding) -> Self {
        Self {
            encoding,
            pending: Vec::new(),
            padded: false,
        }
    }

    /// Decodes the next bytes.
    ///
    /// # Errors
    /// When they are not encoded as the part says.
    pub(super) fn decode(&mut self, chunk: Bytes) -> Result<Bytes, Malformed> {
        match self.encoding {
            TransferEncoding::Identity => Ok(chunk),
            TransferEncoding::Base64 => self.base64(&chunk),
            TransferEncoding::QuotedPrintable => self.quoted_printable(&chunk),
        }
    }

    /// Decodes what is left at the end of the part.
    ///
    /// # Errors
    /// When the part ends within a group of base64 or within an escape sequence.
    pub(super) fn finish(self) -> Result<Bytes, Malformed> {
        match self.encoding {
            TransferEncoding::Identity => Ok(Bytes::new()),
            TransferEncoding::Base64 if self.padded && !self.pending.is_empty() => Err(Malformed),
            TransferEncoding::Base64 => decode_groups(&self.pending),
            // A soft line break at the very end.
            TransferEncoding::QuotedPrintable if matches!(self.pending.as_slice(), b"" | b"=" | b"=\r") => {
                Ok(Bytes::new())
            }
            TransferEncoding::QuotedPrintable => Err(Malformed),
        }
    }

    fn base64(&mut self, chunk: &[u8]) -> Result<Bytes, Malformed> {
        let significant = chunk.iter().filter(|byte| !byte.is_ascii_whitespace());
        self.pending.extend(significant);
        if self.padded && !self.pending.is_empty() {
            return Err(Malformed);
        }
        let whole = self.pending.len() - self.pending.len() % 4;
        let rest = self.pending.split_off(whole);
        let groups = std::mem::replace(&mut self.pending, rest);
        self.padded |= groups.last() == Some(&b'=');
        decode_groups(&groups)
    }

    fn quoted_printable(&mut self, chunk: &[u8]) -> Result<Bytes, Malformed> {
        let mut decoded = Vec::with_capacity(chunk.len());
        for &byte in chunk {
            match (self.pending.as_slice(), byte) {
                (b"", b'=') | (b"=", b'\r') => self.pending.push(byte),
                (b"", _) => decoded.push(byte),
                // A soft line break.
                (b"=" | b"=\r", b'\n') => self.pending.clear(),
                (b"=", _) if byte.is_ascii_hexdigit() => self.pending.push(byte),
                (&[b'=', high], low) if high != b'\r' => {
                    let digit = |byte: u8| char::from(byte).to_digit(16).ok_or(Malformed);
                    let value = digit(high)? * 16 + digit(low)?;
                    decoded.push(u8::try_from(value).map_err(|_| Malformed)?);
                    self.pending.clear();
                }
                _ => return Err(Malformed),
            }
        }
        Ok(decoded.into())
    }
}

fn decode_groups(groups: &[u8]) -> Result<Bytes, Malformed> {
    BASE64.decode(groups).map(Bytes::from).map_err(|_| Malformed)
}

#[cfg(test)]
mod tests;
