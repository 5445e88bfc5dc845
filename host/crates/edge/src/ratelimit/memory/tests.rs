//! The bounds of the memory.

use super::*;

fn shared(keys: usize) -> Shared<u32> {
    Shared(Arc::new(Memory::new(keys)))
}

fn touch(memory: &Shared<u32>, key: u32) -> Option<u64> {
    let seen = |known: Option<Nanos>| Ok::<_, ()>((known.map(Nanos::as_u64), Nanos::new(u64::from(key))));
    memory
        .measure_and_replace(&TrackedKey::new(key), seen)
        .expect("allowed")
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
    let refused = memory.measure_and_replace(&TrackedKey::new(1), |_| Err::<((), Nanos), _>("no"));
    assert_eq!(refused, Err("no"));
    assert_eq!(memory.0.len(), 0);
}
