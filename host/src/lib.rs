//! faxgate
