//! What a limiter remembers of each key, in bounded space.
//!
//! Two generations: keys that are asked about live in the young one; when that is full, the old one is forgotten and
//! the young one takes its place. A key that keeps asking moves along, so that whoever is being limited stays so
//! until as many others have come as a generation holds. Keys are spread over shards, each with a lock of its own.

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
    /// Keys in the young generation of one shard at most.
    room: usize,
    hasher: RandomState,
}

/// A handle on it, for each limiter.
#[derive(Debug)]
pub(super) struct Shared<K>(pub(super) Arc<Memory<K>>);

#[derive(Debug)]
struct Shard<K> {
    young: HashMap<K, Nanos>,
    old: HashMap<K, Nanos>,
}

/// A key that is asked about; learns when its whole quota will be available again.
#[derive(Debug)]
pub(super) struct Ask<K> {
    key: K,
    /// In nanoseconds since the start of the limiter that asks.
    full_at: AtomicU64,
}

impl<K> Ask<K> {
    pub(super) const fn new(key: K) -> Self {
        Self {
            key,
            full_at: AtomicU64::new(0),
        }
    }

    /// When the whole quota will be available again, as the last permitted request left it.
    pub(super) fn full_at(&self) -> u64 {
        self.full_at.load(Ordering::Relaxed)
    }
}

impl<K: Clone> Clone for Ask<K> {
    fn clone(&self) -> Self {
        Self::new(self.key.clone())
    }
}

impl<K: PartialEq> PartialEq for Ask<K> {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl<K: Eq> Eq for Ask<K> {}

impl<K: Hash> Hash for Ask<K> {
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
            room: (keys / SHARDS / 2).max(1),
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
    fn keep(&mut self, key: &K, value: Nanos, room: usize) {
        if let Some(known) = self.young.get_mut(key) {
            *known = value;
            return;
        }
        self.old.remove(key);
        if self.young.len() >= room {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key.clone(), value);
    }
}

impl<K: Hash + Eq + Clone> StateStore for Shared<K> {
    type Key = Ask<K>;

    fn measure_and_replace<T, F, E>(&self, ask: &Ask<K>, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let memory = &*self.0;
        let number = memory.hasher.hash_one(&ask.key) % SHARDS as u64;
        let shard = usize::try_from(number)
            .ok()
            .and_then(|number| memory.shards.get(number));
        let Some(shard) = shard else {
            // There are as many shards as the line above can name; without one nothing is remembered.
            return decide(None).map(|(answer, _)| answer);
        };
        let mut shard = shard.lock();
        let known = shard.young.get(&ask.key).or_else(|| shard.old.get(&ask.key));
        let known = known.copied();
        match decide(known) {
            Ok((answer, next)) => {
                ask.full_at.store(next.as_u64(), Ordering::Relaxed);
                shard.keep(&ask.key, next, memory.room);
                Ok(answer)
            }
            Err(refusal) => {
                // Who is refused keeps its place, or it could wait for others to push it out.
                if let Some(known) = known {
                    shard.keep(&ask.key, known, memory.room);
                }
                Err(refusal)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared(keys: usize) -> Shared<u32> {
        Shared(Arc::new(Memory::new(keys)))
    }

    fn touch(memory: &Shared<u32>, key: u32) -> Option<u64> {
        let seen = |known: Option<Nanos>| Ok::<_, ()>((known.map(Nanos::as_u64), Nanos::new(u64::from(key))));
        memory.measure_and_replace(&Ask::new(key), seen).expect("allowed")
    }

    #[test]
    fn who_keeps_asking_is_not_forgotten_and_others_are() {
        let memory = shared(64);
        assert_eq!(touch(&memory, 7), None);
        for other in 100..10_000 {
            touch(&memory, other);
            assert_eq!(touch(&memory, 7), Some(7), "after {other}");
            assert!(memory.0.len() <= 64);
        }
        assert_eq!(touch(&memory, 100), None, "long gone");
    }

    #[test]
    fn a_refusal_changes_nothing() {
        let memory = shared(64);
        let refused = memory.measure_and_replace(&Ask::new(1), |_| Err::<((), Nanos), _>("no"));
        assert_eq!(refused, Err("no"));
        assert_eq!(memory.0.len(), 0);
    }
}
