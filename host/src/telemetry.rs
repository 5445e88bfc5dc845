//! Floor 3: logs and metrics.
