//! Floor 5: sending jobs and following them.
