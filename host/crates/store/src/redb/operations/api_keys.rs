//! Reading and writing API keys.

use std::sync::Arc;

use redb::ReadableTable as _;

use crate::Store;
use crate::decide;
use crate::decide::api_keys::KeyChange;
use crate::error::StoreError;
use crate::format::cursor::{Cursor, Scope};
use crate::format::record::decode;
use crate::format::table_key::{FIRST, LAST};
use crate::lists::{PageOf, PageRequest};
use crate::redb::tables::{KEYS, KEYS_BY_AGE, Tables, get};
use crate::redb::writer::DiskBudget;
use faxgate_domain::access::ApiKey;
use faxgate_domain::audit::AuditEntry;
use faxgate_domain::ids::KeyId;

impl Store {
    /// One key.
    ///
    /// # Errors
    /// When the database or the record can't be read.
    pub async fn key(&self, id: KeyId) -> Result<Option<ApiKey>, StoreError> {
        get(&self.shared.db.read()?.open_table(KEYS)?, &id.0, decode)
    }

    /// One key, if `proves` says that its secret was shown; asked with no key for an unknown id, so that it can
    /// take its time all the same.
    ///
    /// # Errors
    /// When the database or the record can't be read.
    pub async fn proved_key(
        &self,
        id: KeyId,
        proves: impl Fn(Option<&ApiKey>) -> bool,
    ) -> Result<Option<Arc<ApiKey>>, StoreError> {
        let keyring = &self.shared.key_cache;
        if let Some(key) = keyring.get(id).filter(|key| proves(Some(key))) {
            return Ok(Some(key));
        }
        let count = keyring.count();
        let key = self.key(id).await?;
        let proved = proves(key.as_ref());
        let Some(key) = key.filter(|_| proved).map(Arc::new) else {
            return Ok(None);
        };
        keyring.remember(count, Arc::clone(&key));
        Ok(Some(key))
    }

    /// A page of keys, newest first.
    ///
    /// # Errors
    /// [`StoreError::BadCursor`], or when the database can't be read.
    pub async fn keys(&self, page: &PageRequest) -> Result<PageOf<ApiKey>, StoreError> {
        let page = *page;
        self.scan(move |store| store.find_keys(&page)).await
    }

    fn find_keys(&self, page: &PageRequest) -> Result<PageOf<ApiKey>, StoreError> {
        let snapshot = self.shared.db.read()?;
        let keys = snapshot.open_table(KEYS)?;
        let ages = snapshot.open_table(KEYS_BY_AGE)?;
        let scope = Scope::new(3, &[]);
        let cursor_key = self.shared.secrets.cursor_key();
        let after = match &page.cursor {
            Some(cursor) => cursor.place(cursor_key, scope)?,
            None => LAST,
        };
        let limit = page.limit.clamp(1, 1000);
        let mut items = Vec::new();
        let mut last = None;
        for row in ages.range::<&[u8; 16]>(&FIRST..&after)?.rev() {
            if items.len() == limit {
                let next = last.map(|last| Cursor::new(cursor_key, scope, last));
                return Ok(PageOf { items, next });
            }
            let age = *row?.0.value();
            let [.., a, b, c, d, e, f, _, _] = age;
            let key = get(&keys, &[a, b, c, d, e, f], decode)?;
            items.extend(key.map(|key| self.shared.last_uses.lock().laid_over(key)));
            last = Some(age);
        }
        Ok(PageOf { items, next: None })
    }

    /// Keeps a new key.
    ///
    /// # Errors
    /// [`StoreError::Exists`] for an id taken before, [`StoreError::Full`], and whatever the disk says.
    pub async fn put_key(&self, key: ApiKey, audit: AuditEntry) -> Result<(), StoreError> {
        self.write(DiskBudget::Grow(0), move |tables| {
            let is_taken = tables.keys.get(&key.id.0)?.is_some();
            tables.apply(decide::api_keys::create(&key, is_taken, &audit)?)
        })
        .await
    }

    /// Changes a key. The key as it is then, or none for an unknown id.
    ///
    /// # Errors
    /// [`StoreError::KeyRevoked`] for rotating a revoked key, and whatever the disk says.
    pub async fn update_key(
        &self,
        id: KeyId,
        change: KeyChange,
        audit: AuditEntry,
    ) -> Result<Option<ApiKey>, StoreError> {
        let keyring = self.shared.key_cache.clone();
        let (key, _forget) = self
            .write(DiskBudget::Finish, move |tables| {
                // Made first, so that it goes after the commit however this ends.
                let forget = keyring.forget_when_dropped(id);
                Ok((update(tables, id, &change, &audit)?, forget))
            })
            .await?;
        Ok(key.map(|key| self.shared.last_uses.lock().laid_over(key)))
    }
}

fn update(
    tables: &mut Tables<'_>,
    id: KeyId,
    change: &KeyChange,
    audit: &AuditEntry,
) -> Result<Option<ApiKey>, StoreError> {
    let Some(key) = get(&tables.keys, &id.0, decode)? else {
        tables.unchanged();
        return Ok(None);
    };
    tables
        .apply(decide::api_keys::update(key, change, audit)?)
        .map(Some)
}
