//! Floor 6: the HTTP interface.
