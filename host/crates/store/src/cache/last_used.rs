//! When each key was last used: noted in memory with every use, written for all keys together now and then, so that
//! a busy key costs no write of its own.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::Store;
use crate::error::StoreError;
use crate::format::record::{decode, encode};
use crate::redb::tables::get;
use faxgate_domain::access::ApiKey;
use faxgate_domain::ids::KeyId;

/// Uses that are not written yet. As many as there are keys at most: only genuine ones are noted.
#[derive(Debug, Default)]
pub(crate) struct LastUses(HashMap<KeyId, Timestamp>);

impl LastUses {
    /// The later of what is kept and what is noted.
    pub(crate) fn laid_over(&self, mut key: ApiKey) -> ApiKey {
        key.last_used_at = key.last_used_at.max(self.0.get(&key.id).copied());
        key
    }
}

impl Store {
    /// Notes that a key was used. [`Store::write_last_uses`] writes it.
    pub fn note_key_use(&self, id: KeyId, at: Timestamp) {
        let mut touches = self.shared.last_uses.lock();
        let last = touches.0.entry(id).or_insert(at);
        *last = at.max(*last);
    }

    /// Writes what was noted since the last time, in one commit; nothing when nothing was.
    ///
    /// # Errors
    /// Whatever the disk says. What could not be written is lost: the next use is noted again.
    pub async fn write_last_uses(&self) -> Result<(), StoreError> {
        let touches = std::mem::take(&mut self.shared.last_uses.lock().0);
        if touches.is_empty() {
            return Ok(());
        }
        self.write(crate::redb::writer::DiskBudget::Finish, move |tables| {
            let mut changed = false;
            for (id, at) in &touches {
                let Some(mut key) = get(&tables.keys, &id.0, decode::<ApiKey>)? else {
                    continue;
                };
                if key.last_used_at < Some(*at) {
                    key.last_used_at = Some(*at);
                    tables.keys.insert(&id.0, encode(&key)?.as_slice())?;
                    changed = true;
                }
            }
            if !changed {
                tables.unchanged();
            }
            Ok(())
        })
        .await
    }
}
