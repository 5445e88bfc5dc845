//! Floor 7: signals, reload and drain.
