//! The rules of API keys: they are made once, rotated while they work, and revoked for good.

use jiff::Timestamp;

use super::{Change, Decision, Effects};
use crate::error::StoreError;
use faxgate_domain::access::{ApiKey, PreviousSecret};
use faxgate_domain::audit::AuditEntry;

/// A change of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyChange {
    /// It stops working. A repeat keeps the first time.
    Revoke {
        /// When.
        at: Timestamp,
    },
    /// It gets a new secret.
    Rotate {
        /// SHA-256 of the new secret.
        sha256: [u8; 32],
        /// Until when the old secret works as well; none stops it now.
        previous_until: Option<Timestamp>,
        /// When.
        at: Timestamp,
    },
}

/// Keeps a new key.
pub(crate) fn create(key: &ApiKey, is_taken: bool, audit: &AuditEntry) -> Result<Decision<()>, StoreError> {
    if is_taken {
        return Err(StoreError::Exists("key"));
    }
    Ok(Decision {
        answer: (),
        effects: Effects {
            key: Some(Change {
                old: None,
                new: key.clone(),
            }),
            audit: vec![audit.clone()],
            ..Effects::default()
        },
    })
}

/// Changes a key.
pub(crate) fn update(
    old: ApiKey,
    change: &KeyChange,
    audit: &AuditEntry,
) -> Result<Decision<ApiKey>, StoreError> {
    let mut new = old.clone();
    match change {
        KeyChange::Revoke { .. } if old.revoked_at.is_some() => return Ok(Decision::unchanged(old)),
        KeyChange::Revoke { at } => new.revoked_at = Some(*at),
        KeyChange::Rotate { .. } if old.revoked_at.is_some() => return Err(StoreError::KeyRevoked),
        KeyChange::Rotate {
            sha256,
            previous_until,
            at,
        } => {
            new.secret_sha256 = *sha256;
            new.previous = previous_until.map(|until| PreviousSecret {
                sha256: old.secret_sha256,
                until,
            });
            new.rotated_at = Some(*at);
        }
    }
    Ok(Decision {
        answer: new.clone(),
        effects: Effects {
            key: Some(Change { old: Some(old), new }),
            audit: vec![audit.clone()],
            ..Effects::default()
        },
    })
}
