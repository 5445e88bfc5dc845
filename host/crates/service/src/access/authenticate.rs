//! Who is asking: tokens of API keys.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use crate::{App, Error};
use faxgate_base::secret::Secret;
use faxgate_domain::access::{ApiKey, Principal};
use faxgate_domain::audit::AuditEntry;
use faxgate_domain::ids::{JobId, KeyId};

const PREFIX: &str = "fbk_live_";

/// A hash that no secret has, for keys that don't exist: an unknown key costs what a wrong one costs.
const NO_HASH: [u8; 32] = [0; 32];

impl App {
    /// Who presents this token; none when it is unknown, wrong, expired or revoked. The bootstrap key is compared only
    /// with `bootstrap_allowed`: an address that has guessed too often must not find it.
    ///
    /// # Errors
    /// [`faxgate_domain::code::Code::Unavailable`] when the database can't be read: that says nothing about the token.
    pub async fn authenticate(
        &self,
        token: &str,
        bootstrap_allowed: bool,
    ) -> Result<Option<Principal>, Error> {
        let config = self.parts.config.load();
        let parsed = parse(token);
        // Where only one of them is written like a key of ours, they differ, and their digests need not be made.
        let bootstrap = bootstrap_allowed
            && config.auth.bootstrap_key.as_ref().is_some_and(|key| {
                parse(key.reveal()).is_some() == parsed.is_some() && same_digest(key, token)
            });
        let id = parsed.map_or(KeyId([0; 6]), |(id, _)| id);
        let digest: [u8; 32] = Sha256::digest(parsed.map_or("", |(_, secret)| secret)).into();
        let now = self.parts.clock.now();
        if bootstrap {
            return Ok(Some(Principal::bootstrap()));
        }
        let store = &self.parts.store;
        let proved = store.proved_key(id, |key| holds(key, &digest, now)).await?;
        Ok(proved.filter(|key| key.is_live(now)).map(|key| {
            store.note_key_use(key.id, now);
            key.principal()
        }))
    }

    /// Who asks without a key; none where one is required.
    #[must_use]
    pub fn anonymous(&self) -> Option<Principal> {
        (!self.parts.config.load().auth.require_api_key).then(Principal::anonymous)
    }

    /// Records that somebody came with a link that doesn't open the document it names. What is no id of ours is not
    /// repeated.
    pub fn link_refused(&self, object: &str, address: std::net::IpAddr) {
        let object = object
            .parse::<JobId>()
            .map_or_else(|_| String::new(), |id| id.to_string());
        let entry = AuditEntry::new(self.parts.clock.now(), "link", "link.refused", object)
            .from(Some(address.to_string()))
            .outcome("denied");
        self.parts.store.record_later(entry);
    }

    /// Records that a callback was refused because nothing proves that it comes from the provider.
    pub fn callback_refused(&self, address: std::net::IpAddr) {
        let entry = AuditEntry::new(self.parts.clock.now(), "provider", "callback", "")
            .from(Some(address.to_string()))
            .outcome("denied");
        self.parts.store.record_later(entry);
    }

    /// Records how many refusals were not recorded one by one, since there were too many.
    pub fn refusals_omitted(&self, count: u64) {
        let entry = AuditEntry::new(self.parts.clock.now(), "system", "refusals.omitted", "")
            .outcome("denied")
            .fact("count", count);
        self.parts.store.record_later(entry);
    }

    /// Records that a key crossed the wire in clear: whoever listened has it now.
    pub fn key_exposed(&self, principal: &Principal, address: std::net::IpAddr) {
        let now = self.parts.clock.now();
        let name = principal.credential.name();
        tracing::warn!(key = name, "an API key was sent in clear: replace it");
        let entry = AuditEntry::new(now, name.as_str(), "key.exposed", &name)
            .from(Some(address.to_string()))
            .outcome("denied");
        self.parts.store.record_later(entry);
    }
}

/// Whether the digest is that of the key's secret, or of the one before it while both work.
fn holds(key: Option<&ApiKey>, digest: &[u8; 32], now: jiff::Timestamp) -> bool {
    let current = key.map_or(&NO_HASH, |key| &key.secret_sha256);
    let previous = key
        .and_then(|key| key.previous.as_ref())
        .filter(|previous| now < previous.until);
    let previous_hash = previous.map_or(&NO_HASH, |previous| &previous.sha256);
    let holds: Choice = current.ct_eq(digest) | previous_hash.ct_eq(digest);
    holds.into()
}

/// Compares by digest, so that the time says nothing about the length either.
fn same_digest(key: &Secret, token: &str) -> bool {
    let (a, b) = (Sha256::digest(key.reveal()), Sha256::digest(token));
    a.as_slice().ct_eq(b.as_slice()).into()
}

fn parse(token: &str) -> Option<(KeyId, &str)> {
    let (id, secret) = token.strip_prefix(PREFIX)?.split_once('_')?;
    Some((id.parse().ok()?, secret))
}

/// A new secret: 256 random bits, base64url, and its SHA-256.
///
/// # Errors
/// When the machine has no randomness to give.
pub(super) fn new_secret() -> Result<(String, [u8; 32]), getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    let secret = BASE64.encode(bytes);
    let digest = Sha256::digest(&secret).into();
    Ok((secret, digest))
}

/// The whole token, shown once.
pub(super) fn token(id: KeyId, secret: &str) -> String {
    format!("{PREFIX}{id}_{secret}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_read_as_they_are_written() {
        let (secret, digest) = new_secret().expect("randomness");
        let text = token(KeyId([1, 2, 3, 4, 5, 6]), &secret);
        assert!(text.starts_with("fbk_live_010203040506_"));
        let (id, read) = parse(&text).expect("token");
        assert_eq!(id, KeyId([1, 2, 3, 4, 5, 6]));
        assert_eq!(<[u8; 32]>::from(Sha256::digest(read)), digest);
        for bad in [
            "",
            "fbk_live_",
            "fbk_live_0102_x",
            "fbk_live_0102030405AA_x",
            "fbk_test_010203040506_x",
        ] {
            assert!(parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn no_key_holds_nothing() {
        assert!(!holds(None, &[1; 32], jiff::Timestamp::UNIX_EPOCH));
    }
}
