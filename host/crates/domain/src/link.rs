//! Links to documents: a token that proves purpose, object and expiry, so that nothing has to be stored.
//!
//! `token = expiry "." mac` or `expiry "." ticket "." mac`, each part in base64url: the expiry in seconds (8 bytes), the
//! ticket of the request to the provider that the link belongs to (16 bytes), and an HMAC-SHA256 over purpose, expiry,
//! ticket and id. Links of two parts are those of received faxes and of jobs that have no ticket.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use hmac::{Hmac, Mac};
use jiff::Timestamp;
use sha2::Sha256;

use super::ticket::Ticket;

/// What a link opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkPurpose {
    /// The document of a fax that is sent.
    FaxPdf,
    /// The document of a fax that was received.
    InboundPdf,
}

/// A token that is genuine and has not expired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VerifiedLink {
    /// The request to the provider that it belongs to; none for a token of two parts.
    pub ticket: Option<Ticket>,
}

/// The key that links are made with. Its bytes never leave this type.
#[derive(Clone)]
pub struct LinkKey([u8; 32]);

impl LinkKey {
    /// Takes the key in.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A token that opens `id` until `expires`.
    #[must_use]
    pub fn sign(&self, purpose: LinkPurpose, id: &str, expires: Timestamp) -> String {
        self.token(purpose, id, expires, None)
    }

    /// A token that opens `id` until `expires`, while `ticket` is the current one of its job.
    #[must_use]
    pub fn sign_ticket(&self, purpose: LinkPurpose, id: &str, expires: Timestamp, ticket: Ticket) -> String {
        self.token(purpose, id, expires, Some(ticket))
    }

    /// What `token` says when it opens `id` at `now`; none when it doesn't. Wrong and expired tokens are not told
    /// apart, and the comparison takes constant time.
    #[must_use]
    pub fn verify(
        &self,
        purpose: LinkPurpose,
        id: &str,
        token: &str,
        now: Timestamp,
    ) -> Option<VerifiedLink> {
        let (expiry, rest) = token.split_once('.')?;
        let (ticket, mac) = match rest.split_once('.') {
            Some((ticket, mac)) => (Some(Ticket::new(decode(ticket)?)), mac),
            None => (None, rest),
        };
        let expiry = decode(expiry)?;
        let mac: [u8; 32] = decode(mac)?;
        self.mac(purpose, id, expiry, ticket).verify_slice(&mac).ok()?;
        (now.as_second() < i64::from_be_bytes(expiry)).then_some(VerifiedLink { ticket })
    }

    fn token(&self, purpose: LinkPurpose, id: &str, expires: Timestamp, ticket: Option<Ticket>) -> String {
        let expiry = expires.as_second().to_be_bytes();
        let mac = self.mac(purpose, id, expiry, ticket).finalize().into_bytes();
        let (expiry, mac) = (BASE64.encode(expiry), BASE64.encode(mac));
        match ticket {
            Some(ticket) => format!("{expiry}.{}.{mac}", BASE64.encode(ticket.to_bytes())),
            None => format!("{expiry}.{mac}"),
        }
    }

    fn mac(&self, purpose: LinkPurpose, id: &str, expiry: [u8; 8], ticket: Option<Ticket>) -> Hmac<Sha256> {
        let purpose: &[u8] = match (purpose, ticket) {
            (LinkPurpose::FaxPdf, None) => b"fax-pdf\0",
            (LinkPurpose::InboundPdf, None) => b"inbound-pdf\0",
            (LinkPurpose::FaxPdf, Some(_)) => b"fax-pdf-ticket\0",
            (LinkPurpose::InboundPdf, Some(_)) => b"inbound-pdf-ticket\0",
        };
        // HMAC takes keys of every length, so this never falls back; an empty tag would open nothing.
        let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(&self.0)
            .unwrap_or_else(|_| <Hmac<Sha256> as Mac>::new(&hmac::digest::Key::<Hmac<Sha256>>::default()));
        mac.update(purpose);
        mac.update(&expiry);
        if let Some(ticket) = ticket {
            mac.update(&ticket.to_bytes());
        }
        mac.update(id.as_bytes());
        mac
    }
}

impl std::fmt::Debug for LinkKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LinkKey(***)")
    }
}

/// Decodes a part of exactly `N` bytes.
fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    // The decoder would otherwise allocate for whatever length a stranger sends.
    if text.len() > 2 * N {
        return None;
    }
    BASE64.decode(text).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests;
