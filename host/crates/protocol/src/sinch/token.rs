//! OAuth2 access tokens (client credentials, RFC 6749 section 4.4).

use std::time::Duration;

use serde_json::Value;

use super::limits::{DEFAULT_TOKEN_LIFE, TOKEN_RENEWAL_MARGIN};
use crate::json;

/// Path of the token endpoint.
pub const PATH: &str = "oauth2/token";

/// Body of a token request, form-encoded.
pub const REQUEST: &str = "grant_type=client_credentials";

/// A token.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessToken {
    /// What stands after `Bearer`. A secret.
    pub value: String,
    /// How long it is good for.
    pub life: Duration,
}

impl AccessToken {
    /// Reads the answer of the token endpoint; none when there is no bearer token in it. A life that is not said is
    /// [`DEFAULT_TOKEN_LIFE`].
    #[must_use]
    pub fn parse(body: &[u8]) -> Option<Self> {
        let Ok(Value::Object(object)) = serde_json::from_slice(body) else {
            return None;
        };
        let kind = json::text(&object, "token_type").unwrap_or_else(|| "bearer".to_owned());
        let value = object.get("access_token")?.as_str()?.trim();
        let header_safe = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_graphic());
        if !header_safe || !kind.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let life = json::integer(&object, "expires_in").and_then(|seconds| u64::try_from(seconds).ok());
        Some(Self {
            value: value.to_owned(),
            life: life.map_or(DEFAULT_TOKEN_LIFE, Duration::from_secs),
        })
    }

    /// When it is to be renewed, counted from the answer: a minute before it expires, or at half its life if that is
    /// later.
    #[must_use]
    pub fn renew_after(&self) -> Duration {
        let early = self.life.saturating_sub(TOKEN_RENEWAL_MARGIN);
        early.max(self.life / 2)
    }
}

impl std::fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccessToken")
            .field("life", &self.life)
            .finish_non_exhaustive()
    }
}

/// Whether a 401 with this `WWW-Authenticate` says that the token expired: it was refused before any work, so that a
/// request may be repeated once with a new token.
#[must_use]
pub fn says_expired(www_authenticate: &str) -> bool {
    www_authenticate.to_ascii_lowercase().contains("expired")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_life_is_counted_from_the_answer() {
        for (life, renewal) in [(3599, 3539), (120, 60), (61, 30), (1, 0), (0, 0)] {
            let body = format!(r#"{{"access_token":"t","expires_in":{life}}}"#);
            let token = AccessToken::parse(body.as_bytes()).expect("a token");
            assert_eq!(token.renew_after().as_secs(), renewal, "{life}");
        }
        let silent = AccessToken::parse(br#"{"access_token":"t"}"#).expect("a token");
        assert_eq!(silent.life, DEFAULT_TOKEN_LIFE);
    }

    #[test]
    fn what_is_no_bearer_token_is_none() {
        for body in [
            "",
            "[]",
            "{}",
            r#"{"access_token":""}"#,
            r#"{"access_token":7}"#,
            r#"{"access_token":"a\r\nb"}"#,
            r#"{"access_token":"t","token_type":"mac"}"#,
        ] {
            assert_eq!(AccessToken::parse(body.as_bytes()), None, "{body}");
        }
    }

    #[test]
    fn a_token_is_not_printed() {
        let token = AccessToken::parse(br#"{"access_token":"s3cret"}"#).expect("a token");
        assert!(!format!("{token:?}").contains("s3cret"));
    }
}
