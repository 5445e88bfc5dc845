//! Cache of API keys whose secret was proved, so that a request doesn't read and decode its key from the database.
//!
//! Only keys whose secret was proved are remembered, so guessing ids costs the same for known and unknown ones. A
//! change forgets its key after the commit and before it is answered: once the revocation of a key is answered,
//! the key opens nothing.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::RwLock;

use faxgate_domain::access::ApiKey;
use faxgate_domain::ids::KeyId;

/// Keys remembered at most; one that is forgotten is only read once more.
const KEYS: usize = 10_000;

/// The keys. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct KeyCache(Arc<RwLock<Keys>>);

#[derive(Default)]
struct Keys {
    changes: u64,
    by_id: HashMap<KeyId, Arc<ApiKey>>,
}

/// The number of changes so far. What was read before a change must not be remembered after it.
#[derive(Clone, Copy)]
pub(crate) struct ChangeCount(u64);

/// Forgets a key when dropped: travels with the answer of the command that changes it, which is dropped after the
/// commit even when nobody waits for it any more.
pub(crate) struct Invalidation {
    cache: KeyCache,
    id: KeyId,
}

impl KeyCache {
    pub(crate) fn get(&self, id: KeyId) -> Option<Arc<ApiKey>> {
        self.0.read().by_id.get(&id).cloned()
    }

    /// To be taken before a key is read that is to be remembered.
    pub(crate) fn count(&self) -> ChangeCount {
        ChangeCount(self.0.read().changes)
    }

    /// Remembers a key, unless some key changed since the count was taken.
    pub(crate) fn remember(&self, count: ChangeCount, key: Arc<ApiKey>) {
        let mut keys = self.0.write();
        if keys.changes != count.0 {
            return;
        }
        if keys.by_id.len() >= KEYS {
            keys.by_id.clear();
        }
        keys.by_id.insert(key.id, key);
    }

    pub(crate) fn forget_when_dropped(&self, id: KeyId) -> Invalidation {
        let keys = self.clone();
        Invalidation { cache: keys, id }
    }
}

impl Drop for Invalidation {
    fn drop(&mut self) {
        let mut keys = self.cache.0.write();
        keys.changes += 1;
        keys.by_id.remove(&self.id);
    }
}
