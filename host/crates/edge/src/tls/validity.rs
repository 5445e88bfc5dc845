//! From when and until when a certificate is valid: all that we need of it, read from its DER form.
//!
//! Layout (RFC 5280, section 4.1): `Certificate { tbs { [0] version?, serial, algorithm, issuer, validity {
//! notBefore, notAfter }, … } … }`.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use rustls::pki_types::CertificateDer;

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// When the first certificate of a chain ends.
pub(super) fn not_after(chain: &[CertificateDer<'_>]) -> Option<Timestamp> {
    Some(span(chain)?.1)
}

/// When the first certificate of a chain begins and ends.
pub(super) fn span(chain: &[CertificateDer<'_>]) -> Option<(Timestamp, Timestamp)> {
    let certificate = expect(chain.first()?.as_ref(), SEQUENCE)?.0;
    let mut rest = expect(certificate, SEQUENCE)?.0;
    if let Some((_, after_version)) = expect(rest, VERSION) {
        rest = after_version;
    }
    // Serial number, signature algorithm, issuer.
    for _ in 0..3 {
        rest = element(rest)?.2;
    }
    let validity = expect(rest, SEQUENCE)?.0;
    let (tag, value, rest) = element(validity)?;
    let not_before = time(tag, value)?;
    let (tag, value, _) = element(rest)?;
    Some((not_before, time(tag, value)?))
}

/// The contents of the first element if it has this tag, and what follows it.
fn expect(bytes: &[u8], wanted: u8) -> Option<(&[u8], &[u8])> {
    let (tag, value, rest) = element(bytes)?;
    (tag == wanted).then_some((value, rest))
}

/// Tag, contents and what follows of the first element (X.690, definite lengths only).
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, bytes) = bytes.split_first()?;
    let (&first, bytes) = bytes.split_first()?;
    let (length, bytes) = match first {
        0..=0x7f => (usize::from(first), bytes),
        0x81..=0x84 => {
            let (digits, bytes) = bytes.split_at_checked(usize::from(first & 0x7f))?;
            (
                digits
                    .iter()
                    .fold(0, |sum, &digit| (sum << 8) | usize::from(digit)),
                bytes,
            )
        }
        _ => return None,
    };
    let (value, rest) = bytes.split_at_checked(length)?;
    Some((tag, value, rest))
}

/// `YYMMDDHHMMSSZ` (1950 to 2049) or `YYYYMMDDHHMMSSZ` (RFC 5280, section 4.1.2.5).
fn time(tag: u8, value: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(value).ok()?;
    let text = match tag {
        UTC_TIME if text.get(..2)? < "50" => format!("20{text}"),
        UTC_TIME => format!("19{text}"),
        GENERALIZED_TIME => text.to_owned(),
        _ => return None,
    };
    let civil = DateTime::strptime("%Y%m%d%H%M%SZ", &text).ok()?;
    Some(civil.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

#[cfg(test)]
mod tests;
