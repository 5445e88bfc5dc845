//! Floor 3: logs and metrics.

pub mod board;
