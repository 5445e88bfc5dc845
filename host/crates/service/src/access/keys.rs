//! API keys: create, list, revoke, rotate.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::authenticate::{new_secret, token};
use crate::{Actor, App, Error, Page};
use faxgate_base::clock::{Clock, after, read_time};
use faxgate_domain::access::ApiKey;
use faxgate_domain::code::Code;
use faxgate_domain::ids::KeyId;
use faxgate_domain::scope::{Scope, Scopes};
use faxgate_store::{KeyChange, Store, StoreError};

/// Longest name, owner or note in characters.
const MAX_TEXT: usize = 200;
/// Longest overlap of a rotation: a week.
const MAX_OVERLAP_MINUTES: u64 = 7 * 24 * 60;

/// What a new key is to be.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct NewKey {
    /// What people call it.
    pub name: Option<String>,
    /// Whose faxes it sees; the name when none.
    pub owner: Option<String>,
    /// What it may do; `fax:send` and `fax:read` when none.
    pub scopes: Option<Vec<String>>,
    /// When it ends, RFC 3339 with an offset.
    pub expires_at: Option<String>,
    /// Free text.
    pub note: Option<String>,
    /// Requests per minute, instead of the configured default; 0 is no limit.
    pub requests_per_minute: Option<u32>,
}

/// A key as people see it: never the secret.
#[derive(Debug, Clone, Serialize)]
pub struct KeyView {
    /// Public half.
    pub key_id: KeyId,
    /// Name.
    pub name: String,
    /// Owner.
    pub owner: String,
    /// Scopes.
    pub scopes: Vec<Scope>,
    /// Note.
    pub note: Option<String>,
    /// Requests per minute.
    pub requests_per_minute: Option<u32>,
    /// Made.
    pub created_at: Timestamp,
    /// Ends.
    pub expires_at: Option<Timestamp>,
    /// Revoked.
    pub revoked_at: Option<Timestamp>,
    /// Secret last changed.
    pub rotated_at: Option<Timestamp>,
    /// Last used, to the minute or so.
    pub last_used_at: Option<Timestamp>,
}

/// A key with its token, which is shown this once.
#[derive(Debug, Clone, Serialize)]
pub struct NewToken {
    /// The token.
    pub token: String,
    /// The key.
    #[serde(flatten)]
    pub key: KeyView,
}

/// The keys alone, for the command line when no service runs.
#[derive(Clone)]
pub struct Keys {
    store: Store,
    clock: Clock,
}

impl App {
    /// See [`Keys::create`].
    ///
    /// # Errors
    /// As there.
    pub async fn create_key(&self, actor: &Actor, new: NewKey) -> Result<NewToken, Error> {
        self.key_desk().create(actor, new).await
    }

    /// See [`Keys::list`].
    ///
    /// # Errors
    /// As there.
    pub async fn keys(&self, page: &Page) -> Result<(Vec<KeyView>, Option<String>), Error> {
        self.key_desk().list(page).await
    }

    /// See [`Keys::revoke`].
    ///
    /// # Errors
    /// As there.
    pub async fn revoke_key(&self, actor: &Actor, id: &str) -> Result<KeyView, Error> {
        self.key_desk().revoke(actor, id).await
    }

    /// See [`Keys::rotate`].
    ///
    /// # Errors
    /// As there.
    pub async fn rotate_key(&self, actor: &Actor, id: &str, overlap_minutes: u64) -> Result<NewToken, Error> {
        self.key_desk().rotate(actor, id, overlap_minutes).await
    }

    fn key_desk(&self) -> Keys {
        Keys::new(self.parts.store.clone(), self.parts.clock.clone())
    }
}

impl Keys {
    /// The keys of an open database.
    #[must_use]
    pub const fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock }
    }

    /// Makes a key.
    ///
    /// # Errors
    /// [`Code::Invalid`] for an unknown scope, an unreadable time or an overlong text.
    pub async fn create(&self, actor: &Actor, new: NewKey) -> Result<NewToken, Error> {
        let now = self.clock.now();
        let name = text("name", new.name)?.unwrap_or_else(|| "key".to_owned());
        let owner = text("owner", new.owner)?.unwrap_or_else(|| name.clone());
        let (secret, secret_sha256) = new_secret().map_err(Error::internal)?;
        let mut id = [0; 6];
        getrandom::fill(&mut id).map_err(Error::internal)?;
        let key = ApiKey {
            id: KeyId(id),
            secret_sha256,
            previous: None,
            name,
            owner,
            scopes: scopes(new.scopes)?,
            note: text("note", new.note)?,
            requests_per_minute: new.requests_per_minute,
            created_at: now,
            expires_at: new.expires_at.map(|text| expiry(&text, now)).transpose()?,
            revoked_at: None,
            rotated_at: None,
            last_used_at: None,
        };
        let entry = actor.did(now, "key.created", key.id);
        self.store.put_key(key.clone(), entry).await?;
        Ok(NewToken {
            token: token(key.id, &secret),
            key: KeyView::from(key),
        })
    }

    /// A page of keys, and the marker of the next one.
    ///
    /// # Errors
    /// [`Code::BadCursor`].
    pub async fn list(&self, page: &Page) -> Result<(Vec<KeyView>, Option<String>), Error> {
        let found = self.store.keys(&page.request()?).await?;
        let next = found.next.map(|cursor| cursor.to_string());
        Ok((found.items.into_iter().map(KeyView::from).collect(), next))
    }

    /// Ends a key now. Ending it again changes nothing.
    ///
    /// # Errors
    /// [`Code::NotFound`].
    pub async fn revoke(&self, actor: &Actor, id: &str) -> Result<KeyView, Error> {
        let now = self.clock.now();
        let id = key_id(id)?;
        let entry = actor.did(now, "key.revoked", id);
        let key = self
            .store
            .update_key(id, KeyChange::Revoke { at: now }, entry)
            .await?;
        key.map(KeyView::from).ok_or_else(|| Error::not_found("key"))
    }

    /// Gives a key a new secret; the old one works for `overlap_minutes` more.
    ///
    /// # Errors
    /// [`Code::NotFound`]; [`Code::Conflict`] for a revoked key; [`Code::Invalid`] for an overlap over a week.
    pub async fn rotate(&self, actor: &Actor, id: &str, overlap_minutes: u64) -> Result<NewToken, Error> {
        if overlap_minutes > MAX_OVERLAP_MINUTES {
            return Err(Error::new(
                Code::Invalid,
                format!("overlap_minutes goes from 0 to {MAX_OVERLAP_MINUTES}"),
            ));
        }
        let now = self.clock.now();
        let id = key_id(id)?;
        let (secret, sha256) = new_secret().map_err(Error::internal)?;
        let overlap = Duration::from_secs(overlap_minutes * 60);
        let previous_until = (overlap_minutes > 0).then(|| after(now, overlap));
        let change = KeyChange::Rotate {
            sha256,
            previous_until,
            at: now,
        };
        match self
            .store
            .update_key(id, change, actor.did(now, "key.rotated", id))
            .await
        {
            Ok(Some(key)) => Ok(NewToken {
                token: token(id, &secret),
                key: KeyView::from(key),
            }),
            Ok(None) => Err(Error::not_found("key")),
            Err(StoreError::KeyRevoked) => Err(Error::new(
                Code::Conflict,
                "the key was revoked: create a new one",
            )),
            Err(error) => Err(error.into()),
        }
    }
}

impl From<ApiKey> for KeyView {
    fn from(key: ApiKey) -> Self {
        Self {
            key_id: key.id,
            name: key.name,
            owner: key.owner,
            scopes: key.scopes.as_slice().to_vec(),
            note: key.note,
            requests_per_minute: key.requests_per_minute,
            created_at: key.created_at,
            expires_at: key.expires_at,
            revoked_at: key.revoked_at,
            rotated_at: key.rotated_at,
            last_used_at: key.last_used_at,
        }
    }
}

fn key_id(text: &str) -> Result<KeyId, Error> {
    text.parse().map_err(|_| Error::not_found("key"))
}

fn scopes(names: Option<Vec<String>>) -> Result<Scopes, Error> {
    let Some(names) = names else {
        return Ok(Scopes::new([Scope::FaxSend, Scope::FaxRead]));
    };
    let scopes: Result<Vec<Scope>, _> = names.iter().map(|name| name.trim().parse()).collect();
    let scopes = scopes
        .map_err(|error: faxgate_domain::scope::UnknownScope| Error::new(Code::Invalid, error.to_string()))?;
    if scopes.is_empty() {
        return Err(Error::new(
            Code::Invalid,
            "scopes is empty: a key without scopes could do nothing",
        ));
    }
    Ok(Scopes::new(scopes))
}

/// A time with its offset (RFC 3339); one without an offset could mean several.
fn expiry(text: &str, now: Timestamp) -> Result<Timestamp, Error> {
    let at = read_time(text.trim()).ok_or_else(|| {
        Error::new(
            Code::Invalid,
            "expires_at is a time with an offset, for example 2030-01-31T12:00:00+01:00",
        )
    })?;
    if at <= now {
        return Err(Error::new(Code::Invalid, "expires_at has passed already"));
    }
    Ok(at)
}

fn text(field: &str, value: Option<String>) -> Result<Option<String>, Error> {
    let Some(value) = value
        .map(|value| value.trim().to_owned())
        .filter(|value| !value.is_empty())
    else {
        return Ok(None);
    };
    if value.chars().count() > MAX_TEXT || value.chars().any(char::is_control) {
        return Err(Error::new(
            Code::Invalid,
            format!("{field} has at most {MAX_TEXT} characters and no control characters"),
        ));
    }
    Ok(Some(value))
}
