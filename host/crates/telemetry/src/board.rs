//! What works and what doesn't: parts report by name, readiness and the operator read.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::RwLock;

/// A shared board of named conditions.
#[derive(Debug, Clone, Default)]
pub struct Board {
    conditions: Arc<RwLock<BTreeMap<&'static str, Result<(), String>>>>,
}

impl Board {
    /// Reports that `name` works. Says whether that is news.
    pub fn good(&self, name: &'static str) -> bool {
        self.conditions
            .write()
            .insert(name, Ok(()))
            .is_some_and(|before| before.is_err())
    }

    /// Reports that `name` doesn't work and why, in words without secrets. Says whether that is news, so that
    /// the reporter can log it once.
    pub fn bad(&self, name: &'static str, why: impl Into<String>) -> bool {
        let before = self.conditions.write().insert(name, Err(why.into()));
        !matches!(before, Some(Err(_)))
    }

    /// Every condition, sorted by name.
    #[must_use]
    pub fn all(&self) -> Vec<(&'static str, Result<(), String>)> {
        self.conditions
            .read()
            .iter()
            .map(|(name, condition)| (*name, condition.clone()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Board;

    #[test]
    fn a_change_is_news_once() {
        let board = Board::default();
        assert!(!board.good("provider"));
        assert!(board.bad("provider", "no"));
        assert!(!board.bad("provider", "no"));
        assert!(board.good("provider"));
    }
}
