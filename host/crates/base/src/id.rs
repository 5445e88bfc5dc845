//! Sortable identifiers: ULIDs, written in lower case.

use std::sync::Arc;

use jiff::Timestamp;
use parking_lot::Mutex;
use ulid::Ulid;

/// Random bytes of one identifier: a ULID has 80 random bits.
const RANDOM: usize = 10;
/// Identifiers whose random bytes are asked for at once: every request has an identifier, and asking the kernel
/// for each would cost more than making it.
const AT_ONCE: usize = 64;

/// Makes identifiers that sort in the order they were made, also within one millisecond and when the clock
/// is set back. Identifiers are no secrets: nothing opens by knowing one.
#[derive(Clone, Debug, Default)]
pub struct IdSource {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    last: Ulid,
    random: Vec<[u8; RANDOM]>,
}

impl IdSource {
    /// The next identifier; its time part is `now` unless an earlier call had a later time.
    pub fn next(&self, now: Timestamp) -> Ulid {
        let millis = u64::try_from(now.as_millisecond()).unwrap_or(0);
        let mut state = self.state.lock();
        let fresh = Ulid::from_parts(millis, state.random());
        let next = if fresh > state.last {
            fresh
        } else {
            state.last.increment().unwrap_or(fresh)
        };
        state.last = next;
        next
    }
}

impl State {
    fn random(&mut self) -> u128 {
        if self.random.is_empty() {
            let mut fresh = [[0; RANDOM]; AT_ONCE];
            // Without entropy the identifier is still unique in this process through the increment.
            let _ = getrandom::fill(fresh.as_flattened_mut());
            self.random.extend(fresh);
        }
        let bytes = self.random.pop().unwrap_or_default();
        bytes.iter().fold(0, |bits, byte| bits << 8 | u128::from(*byte))
    }
}

/// Reads an identifier as we write it: 26 lower-case characters of Crockford's base 32.
#[must_use]
pub fn parse(text: &str) -> Option<Ulid> {
    if text.len() != Ulid::default().to_string().len() || text.bytes().any(|b| b.is_ascii_uppercase()) {
        return None;
    }
    let id = Ulid::from_string(text).ok()?;
    // `i`, `l` and `o` are read as digits by some decoders: one id has one spelling here.
    (write(id) == text).then_some(id)
}

/// Writes an identifier.
#[must_use]
pub fn write(id: Ulid) -> String {
    let mut room = [0; ulid::ULID_LEN];
    let text = id.array_to_str(&mut room);
    text.make_ascii_lowercase();
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_in_order_of_making() {
        let source = IdSource::default();
        let now = Timestamp::from_second(1_700_000_000).expect("time");
        let ids: Vec<_> = (0..1000).map(|_| source.next(now)).collect();
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
        let back = source.next(Timestamp::from_second(1_600_000_000).expect("time"));
        assert!(back > ids[999]);
    }

    #[test]
    fn one_spelling_only() {
        let id = IdSource::default().next(Timestamp::from_second(1_700_000_000).expect("time"));
        let text = write(id);
        assert_eq!(parse(&text), Some(id));
        assert_eq!(parse(&text.to_ascii_uppercase()), None);
        for bad in ["", "x", "../../etc/passwd", "01jdz0000000000000000000i0"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
