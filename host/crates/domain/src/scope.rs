//! What an API key may do.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One permission (product contract, "Keys").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Scope {
    /// Send, cancel and resend faxes, destroy their documents.
    #[serde(rename = "fax:send")]
    FaxSend,
    /// Say what became of a fax that nobody could find out about.
    #[serde(rename = "fax:resolve")]
    FaxResolve,
    /// Read the faxes of the key's own owner.
    #[serde(rename = "fax:read")]
    FaxRead,
    /// Read the faxes of every owner.
    #[serde(rename = "fax:read_all")]
    FaxReadAll,
    /// List received faxes.
    #[serde(rename = "inbound:list")]
    InboundList,
    /// Read received faxes and their documents.
    #[serde(rename = "inbound:read")]
    InboundRead,
    /// Create, rotate and revoke keys, reload plugins.
    #[serde(rename = "keys:manage")]
    KeysManage,
    /// Read configuration, plugins, audit log and metrics.
    #[serde(rename = "admin:read")]
    AdminRead,
    /// Everything.
    #[serde(rename = "*")]
    All,
}

/// A scope that doesn't exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown scope: use some of {}", Scope::names())]
pub struct UnknownScope;

/// The permissions of one key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scopes(Vec<Scope>);

impl Scope {
    /// Every scope.
    pub const EVERY: [Self; 9] = [
        Self::FaxSend,
        Self::FaxResolve,
        Self::FaxRead,
        Self::FaxReadAll,
        Self::InboundList,
        Self::InboundRead,
        Self::KeysManage,
        Self::AdminRead,
        Self::All,
    ];

    /// The scope as it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FaxSend => "fax:send",
            Self::FaxResolve => "fax:resolve",
            Self::FaxRead => "fax:read",
            Self::FaxReadAll => "fax:read_all",
            Self::InboundList => "inbound:list",
            Self::InboundRead => "inbound:read",
            Self::KeysManage => "keys:manage",
            Self::AdminRead => "admin:read",
            Self::All => "*",
        }
    }

    fn names() -> String {
        Self::EVERY.map(Self::as_str).join(", ")
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        Self::EVERY
            .into_iter()
            .find(|scope| scope.as_str() == text)
            .ok_or(UnknownScope)
    }
}

impl Scopes {
    /// These scopes, sorted, each once.
    #[must_use]
    pub fn new(scopes: impl IntoIterator<Item = Scope>) -> Self {
        let mut scopes: Vec<_> = scopes.into_iter().collect();
        scopes.sort_unstable();
        scopes.dedup();
        Self(scopes)
    }

    /// Whether an act that needs `needed` is allowed: `*` allows all, and who may read every fax may read one.
    #[must_use]
    pub fn allow(&self, needed: Scope) -> bool {
        self.0.iter().any(|&held| {
            held == needed || held == Scope::All || (held == Scope::FaxReadAll && needed == Scope::FaxRead)
        })
    }

    /// The scopes, sorted.
    #[must_use]
    pub fn as_slice(&self) -> &[Scope] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn star_allows_everything_and_others_only_their_own() {
        let all = Scopes::new([Scope::All]);
        let send = Scopes::new([Scope::FaxSend]);
        for needed in Scope::EVERY {
            assert!(all.allow(needed));
            assert_eq!(send.allow(needed), needed == Scope::FaxSend);
        }
        assert!(Scopes::new([Scope::FaxReadAll]).allow(Scope::FaxRead));
        assert!(!Scopes::new([Scope::FaxRead]).allow(Scope::FaxReadAll));
    }

    #[test]
    fn written_and_read_back() {
        for scope in Scope::EVERY {
            assert_eq!(scope.as_str().parse(), Ok(scope));
            assert_eq!(serde_json::to_value(scope).expect("json"), scope.as_str());
        }
        assert_eq!("fax".parse::<Scope>(), Err(UnknownScope));
    }
}
