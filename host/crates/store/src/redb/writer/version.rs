//! Versions of the database: whether anything was written between two reads.

use std::sync::atomic::{AtomicU64, Ordering};

/// A state of the database between two transactions, of those since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Version(pub(super) u64);

impl Version {
    /// Never 0.
    pub(crate) fn number(self) -> u64 {
        self.0
    }
}

/// A transaction under way.
pub(super) struct Changing<'a>(&'a AtomicU64);

impl<'a> Changing<'a> {
    /// Begins; the transaction ends when this is dropped.
    pub(super) fn begin(version: &'a AtomicU64) -> Self {
        version.fetch_add(1, Ordering::SeqCst);
        Self(version)
    }
}

impl Drop for Changing<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}
