//! Keys of the tables. All are fixed bytes that sort as what they stand for.

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use faxgate_domain::ids::{JobId, KeyId};
use faxgate_domain::inbound::InboundStatus;
use faxgate_domain::job::{PublicStatus, Queue};

/// Lowest and highest of the 16 bytes of an id.
pub(crate) const FIRST: [u8; 16] = [0; 16];
pub(crate) const LAST: [u8; 16] = [0xff; 16];

/// Puts `left` before `right`. `N` must be the sum of their lengths.
pub(crate) fn join<const N: usize>(left: &[u8], right: &[u8]) -> [u8; N] {
    debug_assert_eq!(left.len() + right.len(), N, "key length");
    let mut key = [0; N];
    for (to, from) in key.iter_mut().zip(left.iter().chain(right)) {
        *to = *from;
    }
    key
}

/// The last `N` bytes of a key.
pub(crate) fn tail<const N: usize>(key: &[u8]) -> [u8; N] {
    key.last_chunk().copied().unwrap_or([0; N])
}

/// What a filter value is filed under: texts of every length get keys of one length, and numbers of people
/// stay out of the index.
pub(crate) fn digest(text: &str) -> [u8; 16] {
    let full: [u8; 32] = Sha256::digest(text.as_bytes()).into();
    let mut half = [0; 16];
    half.copy_from_slice(full.first_chunk::<16>().unwrap_or(&FIRST));
    half
}

/// What a status is filed under.
pub(crate) const fn status(status: PublicStatus) -> [u8; 16] {
    u128::to_be_bytes(status_code(status) as u128)
}

/// The number of a status in keys and counters. Never renumber.
pub(crate) const fn status_code(status: PublicStatus) -> u8 {
    match status {
        PublicStatus::Queued => 0,
        PublicStatus::InProgress => 1,
        PublicStatus::Success => 2,
        PublicStatus::Failed => 3,
        PublicStatus::Disabled => 4,
    }
}

/// What the status of a received fax is filed under.
pub(crate) const fn inbound_status(status: InboundStatus) -> [u8; 16] {
    u128::to_be_bytes(match status {
        InboundStatus::Received => 0,
        InboundStatus::Failed => 1,
    })
}

/// A time not before `at`, in whole milliseconds: nothing is due before its time.
pub(crate) fn time(at: Timestamp) -> [u8; 8] {
    let millis = at.as_nanosecond().saturating_add(999_999).div_euclid(1_000_000);
    millis_key(millis)
}

/// A time not after `at`, in whole milliseconds, for the end of a range.
pub(crate) fn time_floor(at: Timestamp) -> [u8; 8] {
    millis_key(at.as_nanosecond().div_euclid(1_000_000))
}

fn millis_key(millis: i128) -> [u8; 8] {
    let millis = i64::try_from(millis).unwrap_or(i64::MAX);
    // With the sign bit turned over, times before 1970 sort before those after.
    (millis.cast_unsigned() ^ (1 << 63)).to_be_bytes()
}

/// Reads a time back.
pub(crate) fn time_of(bytes: [u8; 8]) -> Timestamp {
    let millis = (u64::from_be_bytes(bytes) ^ (1 << 63)).cast_signed();
    Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX)
}

/// The number of a queue in keys. Never renumber.
pub(crate) const fn queue_number(queue: Queue) -> u8 {
    match queue {
        Queue::Dispatch => 0,
        Queue::Follow => 1,
    }
}

/// Place of a job in the queue of waiting ones.
pub(crate) fn due(of: Queue, at: [u8; 8], id: [u8; 16]) -> [u8; 25] {
    join(&[queue_number(of)], &join::<24>(&at, &id))
}

/// Reads a place in the queue back.
pub(crate) fn due_of(key: &[u8; 25]) -> (Timestamp, JobId) {
    let [_queue, rest @ ..] = key;
    time_and_id(rest)
}

/// Reads a time and an id back.
pub(crate) fn time_and_id(key: &[u8; 24]) -> (Timestamp, JobId) {
    let time = key.first_chunk::<8>().copied().unwrap_or_default();
    (time_of(time), JobId::from_bytes(tail(key)))
}

/// Place of a line in the timeline of a job.
pub(crate) fn event(id: JobId, number: u32) -> [u8; 20] {
    join(&id.to_bytes(), &number.to_be_bytes())
}

/// Place of an API key in the order of making.
pub(crate) fn key_age(created: Timestamp, id: KeyId) -> [u8; 16] {
    join(&join::<14>(&time(created), &id.0), &[0, 0])
}

/// What an idempotency key is filed under.
pub(crate) fn idempotency(who: &str, key: &str) -> [u8; 32] {
    let mut hash = Sha256::new();
    // The length keeps ("a", "bc") and ("ab", "c") apart.
    hash.update((who.len() as u64).to_be_bytes());
    hash.update(who.as_bytes());
    hash.update(key.as_bytes());
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_sort_and_come_back() {
        let times = [-5_000_i64, -1, 0, 1, 1_700_000_000_123];
        let keys: Vec<_> = times
            .iter()
            .map(|&ms| time(Timestamp::from_millisecond(ms).expect("time")))
            .collect();
        assert!(keys.is_sorted());
        for (key, ms) in keys.iter().zip(times) {
            assert_eq!(time_of(*key).as_millisecond(), ms);
        }
    }

    #[test]
    fn nothing_is_due_early() {
        let at = Timestamp::from_nanosecond(1_700_000_000_000_000_001).expect("time");
        assert!(time_of(time(at)) > at);
        assert!(time_of(time_floor(at)) < at);
    }

    #[test]
    fn who_and_key_are_kept_apart() {
        assert_ne!(idempotency("a", "bc"), idempotency("ab", "c"));
    }
}
