//! When each key was last noted as used, so that a busy key costs one write a minute.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use crate::domain::ids::KeyId;

/// Time between two notes of one key.
const PAUSE: SignedDuration = SignedDuration::from_mins(1);
/// Keys remembered at most; one that is forgotten is only noted once more.
const KEYS: usize = 10_000;

/// The last note of each key, in this process.
#[derive(Default)]
pub(super) struct Touches {
    last: HashMap<KeyId, Timestamp>,
}

impl Touches {
    /// Whether a use at `at` is to be noted. If so it counts as noted.
    pub(super) fn is_due(&mut self, id: KeyId, at: Timestamp) -> bool {
        if let Some(last) = self.last.get(&id) {
            let since = at.duration_since(*last);
            // A clock set back must not silence the notes.
            if since < PAUSE && since > -PAUSE {
                return false;
            }
        }
        if self.last.len() >= KEYS {
            self.last.clear();
        }
        self.last.insert(id, at);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn once_a_minute() {
        let mut touches = Touches::default();
        let start = Timestamp::from_second(1_700_000_000).expect("time");
        let id = KeyId([1; 6]);
        let noted = (0..180)
            .filter(|second| touches.is_due(id, start + SignedDuration::from_secs(*second)))
            .count();
        assert_eq!(noted, 3);
        assert!(touches.is_due(KeyId([2; 6]), start));
        assert!(
            touches.is_due(id, start - SignedDuration::from_hours(1)),
            "clock set back"
        );
    }
}
