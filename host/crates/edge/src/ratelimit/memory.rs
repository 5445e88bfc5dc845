//! The state of a limiter for each key, in bounded memory.
//!
//! There are two generations. Keys that are used are in the young one; when it is full, the old one is dropped and the
//! young one becomes the old one. A key that is used again moves to the young one, so that a limited key stays limited
//! until as many other keys were used as a generation holds. Keys are distributed over shards with a lock each.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hash, Hasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use governor::nanos::Nanos;
use governor::state::StateStore;
use parking_lot::Mutex;

/// Shards; a power of two.
const SHARDS: usize = 16;

/// The state of every key.
#[derive(Debug)]
pub(super) struct Memory<K> {
    shards: Vec<Mutex<Shard<K>>>,
    /// Most keys in the young generation of one shard.
    capacity: usize,
    hasher: RandomState,
}

/// A handle to it, for each limiter.
#[derive(Debug)]
pub(super) struct Shared<K>(pub(super) Arc<Memory<K>>);

#[derive(Debug)]
struct Shard<K> {
    young: HashMap<K, Nanos>,
    old: HashMap<K, Nanos>,
}

/// A key of a request; receives the time at which its whole quota is available again.
#[derive(Debug)]
pub(super) struct TrackedKey<K> {
    key: K,
    /// In nanoseconds since the start of the limiter.
    full_at: AtomicU64,
    /// Nothing is counted.
    peek: bool,
}

impl<K> TrackedKey<K> {
    pub(super) const fn new(key: K) -> Self {
        Self {
            key,
            full_at: AtomicU64::new(0),
            peek: false,
        }
    }

    /// A key that is only looked up.
    pub(super) fn peek(key: K) -> Self {
        Self {
            peek: true,
            ..Self::new(key)
        }
    }

    /// When the whole quota is available again, after the last allowed request.
    pub(super) fn full_at(&self) -> u64 {
        self.full_at.load(Ordering::Relaxed)
    }
}

impl<K: Clone> Clone for TrackedKey<K> {
    fn clone(&self) -> Self {
        Self {
            peek: self.peek,
            ..Self::new(self.key.clone())
        }
    }
}

impl<K: PartialEq> PartialEq for TrackedKey<K> {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl<K: Eq> Eq for TrackedKey<K> {}

impl<K: Hash> Hash for TrackedKey<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key.hash(state);
    }
}

impl<K: Hash + Eq + Clone> Memory<K> {
    /// Remembers about `keys` keys at most, and at least half as many.
    pub(super) fn new(keys: usize) -> Self {
        let shard = || Shard {
            young: HashMap::new(),
            old: HashMap::new(),
        };
        Self {
            shards: (0..SHARDS).map(|_| Mutex::new(shard())).collect(),
            capacity: (keys / SHARDS / 2).max(1),
            hasher: RandomState::new(),
        }
    }

    /// Keys remembered at the moment.
    pub(super) fn len(&self) -> usize {
        let count = |shard: &Mutex<Shard<K>>| {
            let shard = shard.lock();
            shard.young.len() + shard.old.len()
        };
        self.shards.iter().map(count).sum()
    }
}

impl<K: Hash + Eq + Clone> Shard<K> {
    fn keep(&mut self, key: &K, value: Nanos, capacity: usize) {
        if let Some(known) = self.young.get_mut(key) {
            *known = value;
            return;
        }
        self.old.remove(key);
        if self.young.len() >= capacity {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key.clone(), value);
    }
}

impl<K: Hash + Eq + Clone> StateStore for Shared<K> {
    type Key = TrackedKey<K>;

    fn measure_and_replace<T, F, E>(&self, key: &TrackedKey<K>, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let memory = &*self.0;
        let number = memory.hasher.hash_one(&key.key) % SHARDS as u64;
        let shard = usize::try_from(number)
            .ok()
            .and_then(|number| memory.shards.get(number));
        let Some(shard) = shard else {
            // Not reached: the number is less than the number of shards.
            return decide(None).map(|(answer, _)| answer);
        };
        let mut shard = shard.lock();
        let known = shard.young.get(&key.key).or_else(|| shard.old.get(&key.key));
        let known = known.copied();
        if key.peek {
            return decide(known).map(|(answer, _)| answer);
        }
        match decide(known) {
            Ok((answer, next)) => {
                key.full_at.store(next.as_u64(), Ordering::Relaxed);
                shard.keep(&key.key, next, memory.capacity);
                Ok(answer)
            }
            Err(refusal) => {
                // A refused key stays in the young generation, or other keys could displace it.
                if let Some(known) = known {
                    shard.keep(&key.key, known, memory.capacity);
                }
                Err(refusal)
            }
        }
    }
}

#[cfg(test)]
mod tests;
