//! Automatic certificates: ACME (RFC 8555) with the challenge TLS-ALPN-01 (RFC 8737).
//!
//! One certificate covers all configured names. It is renewed when two thirds of its life are over; until a new one
//! is issued, the last good one serves, and before the very first a self-signed one.

pub(super) mod client;
pub(super) mod error;
mod order;
mod storage;
