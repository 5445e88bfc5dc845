//! Floor 5: the use cases.
