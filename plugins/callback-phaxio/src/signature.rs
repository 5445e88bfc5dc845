//! Which proof a callback claims, and whether it holds.
//!
//! Two schemes share the header `x-phaxio-signature`; its length tells them apart:
//!
//! | digits | scheme | secret | message |
//! |---|---|---|---|
//! | 40 | Phaxio (<https://www.phaxio.com/docs/security/callbacks>), HMAC-SHA1 | `callback-token` | address, fields, file digests |
//! | 64 | Faxbot, HMAC-SHA256 | `api-secret` | raw body |

use crate::delivery::{Delivery, FilePart, MacAlgorithm, MacError, Pair, Segment, has_json_body, header};

/// Header that carries the code.
const HEADER: &str = "x-phaxio-signature";

/// What a proof covers, beyond the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// The address too: its query names the job for certain, or the operator asks for no proof at all.
    Address,
    /// Only the body: the same body may have been sent to the address of another job.
    Body,
}

/// Whether the callback may be believed and what the proof covers; the error is the reason for the operator's
/// log.
pub fn check(delivery: &impl Delivery) -> Result<Proof, &'static str> {
    if delivery.vouched().is_some() {
        // Another policy's proof; nothing says that it covers the address.
        return Ok(Proof::Body);
    }
    if !delivery.proof_required() {
        return Ok(Proof::Address);
    }
    let headers = delivery.headers();
    let mut claims = header(&headers, HEADER);
    let claim = claims
        .next()
        .filter(|claim| !claim.is_empty())
        .ok_or("there is no x-phaxio-signature header")?;
    if claims.next().is_some() {
        return Err("there is more than one x-phaxio-signature header");
    }
    let code = hex(claim).ok_or("the signature is not lower-case hexadecimal")?;
    match code.len() {
        // Phaxio's scheme covers address, fields and files: nothing of a body that is no form.
        20 if has_json_body(&headers) => Err("a signature of 40 digits does not cover a JSON body"),
        20 => form_proof(delivery, &code).map(|()| Proof::Address),
        32 => body_proof(delivery, &code).map(|()| Proof::Body),
        _ => Err("the signature has neither 40 nor 64 digits"),
    }
}

/// Phaxio's own scheme.
fn form_proof(delivery: &impl Delivery, code: &[u8]) -> Result<(), &'static str> {
    let (url, fields, files) = (delivery.public_url(), delivery.fields(), delivery.files());
    if may_be_recut(&url, &fields) {
        return Err("the signed text could be cut into address and fields in another way");
    }
    let tail = form_message(&fields, &files);
    for url in spellings(&url) {
        let message = [Segment::Text(url), Segment::Text(tail.clone())];
        let held = delivery
            .verify_mac("callback-token", MacAlgorithm::HmacSha1, &message, code)
            .map_err(|error| unanswered(error, "no callback token is configured"))?;
        if held {
            return Ok(());
        }
    }
    Err("the signature of 40 digits does not fit address, fields, files and callback token")
}

/// Faxbot's scheme.
fn body_proof(delivery: &impl Delivery, code: &[u8]) -> Result<(), &'static str> {
    let held = delivery
        .verify_mac("api-secret", MacAlgorithm::HmacSha256, &[Segment::Body], code)
        .map_err(|error| unanswered(error, "no API secret is configured"))?;
    if held {
        Ok(())
    } else {
        Err("the signature of 64 digits does not fit body and API secret")
    }
}

/// Everything Phaxio signs after the address: fields sorted by name, then files sorted by part name. Repeated
/// names keep the order they were sent in.
fn form_message(fields: &[Pair], files: &[FilePart]) -> String {
    let mut fields: Vec<&Pair> = fields.iter().collect();
    fields.sort_by(|a, b| a.0.cmp(&b.0));
    let mut files: Vec<&FilePart> = files.iter().collect();
    files.sort_by(|a, b| a.name.cmp(&b.name));
    let fields = fields
        .into_iter()
        .flat_map(|(name, value)| [name.as_str(), value.as_str()]);
    let files = files
        .into_iter()
        .flat_map(|file| [file.name.as_str(), file.sha1.as_str()]);
    fields.chain(files).collect()
}

/// Whether the same signed text could be had by moving the borders between address, names and values.
///
/// Phaxio's scheme puts no separators, so that somebody who holds one genuine callback could move its JSON into
/// the query string and post what he likes as a body, or cut fields out of text that a customer chose (a tag).
/// Both need JSON outside of the one field it belongs to.
fn may_be_recut(url: &str, fields: &[Pair]) -> bool {
    let has_json = |text: &str| text.contains(['{', '"']);
    let flattened = !fields.iter().any(|(name, _)| name == "fax");
    has_json(url)
        || fields
            .iter()
            .any(|(name, value)| has_json(name) || (flattened && value.contains("{\"")))
}

/// The address as configured, and without `user:password@` when it has that: it is not known which of the two
/// Phaxio signs.
fn spellings(url: &str) -> impl Iterator<Item = String> {
    let bare = url.split_once("://").and_then(|(scheme, rest)| {
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(end)?;
        let (_, host) = authority.rsplit_once('@')?;
        Some(format!("{scheme}://{host}{path}"))
    });
    std::iter::once(url.to_owned()).chain(bare)
}

/// The bytes of lower-case hexadecimal text.
///
/// Both schemes send lower case; taking upper case too would only give one proof several spellings.
fn hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs
        .iter()
        .map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?))
        .collect()
}

fn unanswered(error: MacError, not_configured: &'static str) -> &'static str {
    match error {
        MacError::NotConfigured => not_configured,
        MacError::NotGranted => "the secret of the claimed scheme is not granted to this plugin",
        MacError::TooMany => "too many checks in one call",
    }
}

#[cfg(test)]
mod tests;
