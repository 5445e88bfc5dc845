//! Which proof a callback claims, and whether it holds. What the two schemes sign:
//! [`faxgate_protocol::phaxio::signature`].

use crate::delivery::{Delivery, MacAlgorithm, MacError, Pair, Segment, has_json_body, header};
use faxgate_protocol::phaxio::fields::SIGNATURE_HEADER;
use faxgate_protocol::phaxio::signature::{Signature, SignatureScheme, SignatureTextError, form_message};

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
    let mut claims = header(&headers, SIGNATURE_HEADER);
    let claim = claims
        .next()
        .filter(|claim| !claim.is_empty())
        .ok_or("there is no x-phaxio-signature header")?;
    if claims.next().is_some() {
        return Err("there is more than one x-phaxio-signature header");
    }
    let signature = Signature::parse(claim).map_err(|error| match error {
        SignatureTextError::NotHexadecimal | SignatureTextError::UpperCase => {
            "the signature is not lower-case hexadecimal"
        }
        SignatureTextError::Length => "the signature has neither 40 nor 64 digits",
    })?;
    match signature.scheme {
        // Phaxio's scheme covers address, fields and files: nothing of a body that is no form.
        SignatureScheme::Form if has_json_body(&headers) => {
            Err("a signature of 40 digits does not cover a JSON body")
        }
        SignatureScheme::Form => form_proof(delivery, &signature.code).map(|()| Proof::Address),
        SignatureScheme::Body => body_proof(delivery, &signature.code).map(|()| Proof::Body),
    }
}

/// Phaxio's own scheme.
fn form_proof(delivery: &impl Delivery, code: &[u8]) -> Result<(), &'static str> {
    let (url, fields, files) = (delivery.public_url(), delivery.fields(), delivery.files());
    if is_ambiguous(&url, &fields) {
        return Err("the signed text could be cut into address and fields in another way");
    }
    let tail = form_message(
        fields.iter().map(|(name, value)| (name.as_str(), value.as_str())),
        files.iter().map(|file| (file.name.as_str(), file.sha1.as_str())),
    );
    for url in signed_urls(&url) {
        let message = [Segment::Text(url), Segment::Text(tail.clone())];
        let held = delivery
            .verify_mac("callback-token", MacAlgorithm::HmacSha1, &message, code)
            .map_err(|error| mac_reason(error, "no callback token is configured"))?;
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
        .map_err(|error| mac_reason(error, "no API secret is configured"))?;
    if held {
        Ok(())
    } else {
        Err("the signature of 64 digits does not fit body and API secret")
    }
}

/// Whether the same signed text could be had by moving the borders between address, names and values.
///
/// Phaxio's scheme puts no separators. Whoever holds one genuine callback could move its JSON into the query string
/// and post anything as a body, or cut fields out of text that a customer chose (a tag). Both need JSON outside of
/// the one field it belongs to.
fn is_ambiguous(url: &str, fields: &[Pair]) -> bool {
    let has_json = |text: &str| text.contains(['{', '"']);
    let flattened = !fields.iter().any(|(name, _)| name == "fax");
    has_json(url)
        || fields
            .iter()
            .any(|(name, value)| has_json(name) || (flattened && value.contains("{\"")))
}

/// The address as configured, and without `user:password@` when it has that: it is not documented which of the two
/// Phaxio signs.
fn signed_urls(url: &str) -> impl Iterator<Item = String> {
    let bare = url.split_once("://").and_then(|(scheme, rest)| {
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(end)?;
        let (_, host) = authority.rsplit_once('@')?;
        Some(format!("{scheme}://{host}{path}"))
    });
    std::iter::once(url.to_owned()).chain(bare)
}

fn mac_reason(error: MacError, not_configured: &'static str) -> &'static str {
    match error {
        MacError::NotConfigured => not_configured,
        MacError::NotGranted => "the secret of the claimed scheme is not granted to this plugin",
        MacError::TooMany => "too many checks in one call",
    }
}

#[cfg(test)]
mod tests;
