//! API keys, and who is asking.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::KeyId;
use super::scope::{Scope, Scopes};

/// Owner of the jobs that the bootstrap key makes.
pub const BOOTSTRAP_OWNER: &str = "bootstrap";
/// Owner of the jobs made without a key where none is required.
pub const ANONYMOUS_OWNER: &str = "anonymous";

/// An API key as it is kept: never the secret, only its hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    /// Public half.
    pub id: KeyId,
    /// SHA-256 of the secret half. The secret is random, so a slow hash would buy nothing.
    #[serde(with = "hex::serde")]
    pub secret_sha256: [u8; 32],
    /// The secret before a rotation with overlap, and until when it still works.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<PreviousSecret>,
    /// What people call it.
    pub name: String,
    /// Whose faxes it sees.
    pub owner: String,
    /// What it may do.
    pub scopes: Scopes,
    /// Free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Requests per minute, instead of the configured default; 0 is no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<u32>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
    /// When the secret was last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotated_at: Option<Timestamp>,
    /// When it was last used, to the minute or so: written lazily.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Timestamp>,
}

/// The secret that a rotation replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviousSecret {
    /// SHA-256 of it.
    #[serde(with = "hex::serde")]
    pub sha256: [u8; 32],
    /// When it stops working.
    pub until: Timestamp,
}

/// Who is asking, as far as a rule needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// Which key, for limits and the audit.
    pub credential: Credential,
    /// Whose jobs it makes and sees.
    pub owner: String,
    /// What it may do.
    pub scopes: Scopes,
    /// Requests per minute of this key, instead of the configured default.
    pub requests_per_minute: Option<u32>,
}

/// What a request proved itself with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Credential {
    /// A key of the database.
    Key(KeyId),
    /// The bootstrap key of the configuration.
    Bootstrap,
    /// Nothing, where no key is required.
    Anonymous,
    /// The local control socket or command line.
    Operator,
}

impl ApiKey {
    /// Whether it works at `now`.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }

    /// Who asks with this key.
    #[must_use]
    pub fn principal(&self) -> Principal {
        Principal {
            credential: Credential::Key(self.id),
            owner: self.owner.clone(),
            scopes: self.scopes.clone(),
            requests_per_minute: self.requests_per_minute,
        }
    }
}

impl Principal {
    /// The holder of the bootstrap key: may do everything.
    #[must_use]
    pub fn bootstrap() -> Self {
        Self {
            credential: Credential::Bootstrap,
            owner: BOOTSTRAP_OWNER.to_owned(),
            scopes: Scopes::new([Scope::All]),
            requests_per_minute: None,
        }
    }

    /// Somebody without a key where none is required: everything but administration.
    #[must_use]
    pub fn anonymous() -> Self {
        Self {
            credential: Credential::Anonymous,
            owner: ANONYMOUS_OWNER.to_owned(),
            scopes: Scopes::new([
                Scope::FaxSend,
                Scope::FaxResolve,
                Scope::FaxRead,
                Scope::FaxReadAll,
                Scope::InboundList,
                Scope::InboundRead,
            ]),
            requests_per_minute: None,
        }
    }

    /// The person at the machine.
    #[must_use]
    pub fn operator() -> Self {
        Self {
            credential: Credential::Operator,
            ..Self::bootstrap()
        }
    }

    /// Whether it may change what belongs to `owner`: who may read everything may not act for everybody.
    #[must_use]
    pub fn acts_for(&self, owner: &str) -> bool {
        self.owner == owner || self.scopes.allow(Scope::All)
    }

    /// Whether it may see what belongs to `owner`.
    #[must_use]
    pub fn sees(&self, owner: &str) -> bool {
        self.owner == owner || self.scopes.allow(Scope::FaxReadAll)
    }
}

impl Credential {
    /// How the audit names it: the public half of a key or a word.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Key(id) => id.to_string(),
            Self::Bootstrap => "bootstrap".to_owned(),
            Self::Anonymous => "anonymous".to_owned(),
            Self::Operator => "operator".to_owned(),
        }
    }
}
