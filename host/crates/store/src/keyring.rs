//! Keys that opened something lately, so that a request doesn't read and decode its key from the database.
//!
//! Only keys whose secret was proved are remembered, so guessing ids costs the same for known and unknown ones. A
//! change forgets its key after the commit and before it is answered: once somebody was told that a key is revoked,
//! it opens nothing.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::RwLock;

use faxgate_domain::access::ApiKey;
use faxgate_domain::ids::KeyId;

/// Keys remembered at most; one that is forgotten is only read once more.
const KEYS: usize = 10_000;

/// The keys. Clones share them.
#[derive(Clone, Default)]
pub(super) struct Keyring(Arc<RwLock<Ring>>);

#[derive(Default)]
struct Ring {
    changes: u64,
    keys: HashMap<KeyId, Arc<ApiKey>>,
}

/// The number of changes so far. What was read before a change must not be remembered after it.
#[derive(Clone, Copy)]
pub(super) struct Stamp(u64);

/// Forgets a key when dropped: travels with the answer of the command that changes it, which is dropped after the
/// commit even when nobody waits for it any more.
pub(super) struct Forget {
    ring: Keyring,
    id: KeyId,
}

impl Keyring {
    pub(super) fn get(&self, id: KeyId) -> Option<Arc<ApiKey>> {
        self.0.read().keys.get(&id).cloned()
    }

    /// To be taken before a key is read that is to be remembered.
    pub(super) fn stamp(&self) -> Stamp {
        Stamp(self.0.read().changes)
    }

    /// Remembers a key, unless some key changed since the stamp was taken.
    pub(super) fn remember(&self, stamp: Stamp, key: Arc<ApiKey>) {
        let mut ring = self.0.write();
        if ring.changes != stamp.0 {
            return;
        }
        if ring.keys.len() >= KEYS {
            ring.keys.clear();
        }
        ring.keys.insert(key.id, key);
    }

    pub(super) fn forget_when_dropped(&self, id: KeyId) -> Forget {
        let ring = self.clone();
        Forget { ring, id }
    }
}

impl Drop for Forget {
    fn drop(&mut self) {
        let mut ring = self.ring.0.write();
        ring.changes += 1;
        ring.keys.remove(&self.id);
    }
}
