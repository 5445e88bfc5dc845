//! Links to documents: a token that proves purpose, object and expiry, so that nothing has to be stored.
//!
//! `token = base64url(expiry in seconds, 8 bytes) "." base64url(HMAC-SHA256(key, purpose, id, expiry))`

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use hmac::{Hmac, Mac};
use jiff::Timestamp;
use sha2::Sha256;

/// What a link opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkPurpose {
    /// The document of a fax that is sent.
    FaxPdf,
    /// The document of a fax that was received.
    InboundPdf,
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
        let expiry = expires.as_second().to_be_bytes();
        let tag = self.mac(purpose, id, expiry).finalize().into_bytes();
        format!("{}.{}", BASE64.encode(expiry), BASE64.encode(tag))
    }

    /// Whether `token` opens `id` at `now`. Wrong and expired tokens are not told apart, and the compare takes
    /// constant time.
    #[must_use]
    pub fn verify(&self, purpose: LinkPurpose, id: &str, token: &str, now: Timestamp) -> bool {
        let Some((expiry, tag)) = token.split_once('.') else {
            return false;
        };
        let Ok(expiry) = BASE64.decode(expiry) else {
            return false;
        };
        let Ok(expiry) = <[u8; 8]>::try_from(expiry.as_slice()) else {
            return false;
        };
        let Ok(tag) = BASE64.decode(tag) else { return false };
        let genuine = self.mac(purpose, id, expiry).verify_slice(&tag).is_ok();
        genuine && now.as_second() < i64::from_be_bytes(expiry)
    }

    fn mac(&self, purpose: LinkPurpose, id: &str, expiry: [u8; 8]) -> Hmac<Sha256> {
        let purpose: &[u8] = match purpose {
            LinkPurpose::FaxPdf => b"fax-pdf\0",
            LinkPurpose::InboundPdf => b"inbound-pdf\0",
        };
        // HMAC takes keys of every length, so this never falls back; an empty tag would open nothing.
        let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(&self.0)
            .unwrap_or_else(|_| <Hmac<Sha256> as Mac>::new(&hmac::digest::Key::<Hmac<Sha256>>::default()));
        mac.update(purpose);
        mac.update(&expiry);
        mac.update(id.as_bytes());
        mac
    }
}

impl std::fmt::Debug for LinkKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LinkKey(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_only_what_it_was_made_for_and_only_in_time() {
        let key = LinkKey::new([7; 32]);
        let at = |s| Timestamp::from_second(s).expect("time");
        let token = key.sign(LinkPurpose::FaxPdf, "abc", at(100));
        assert!(key.verify(LinkPurpose::FaxPdf, "abc", &token, at(99)));
        assert!(!key.verify(LinkPurpose::FaxPdf, "abc", &token, at(100)));
        assert!(!key.verify(LinkPurpose::InboundPdf, "abc", &token, at(99)));
        assert!(!key.verify(LinkPurpose::FaxPdf, "abd", &token, at(99)));
        assert!(!LinkKey::new([8; 32]).verify(LinkPurpose::FaxPdf, "abc", &token, at(99)));
    }

    #[test]
    fn every_single_character_counts() {
        let key = LinkKey::new([7; 32]);
        let now = Timestamp::from_second(1).expect("time");
        let token = key.sign(
            LinkPurpose::FaxPdf,
            "abc",
            Timestamp::from_second(100).expect("time"),
        );
        for i in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[i] = if bytes[i] == b'A' { b'B' } else { b'A' };
            let forged = String::from_utf8(bytes).expect("ascii");
            assert!(!key.verify(LinkPurpose::FaxPdf, "abc", &forged, now), "{forged}");
        }
        for garbage in ["", ".", "a.b", "..", "💥.💥"] {
            assert!(!key.verify(LinkPurpose::FaxPdf, "abc", garbage, now));
        }
    }
}
