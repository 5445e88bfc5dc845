//! How bytes become requests: listeners, TLS and ACME, the PROXY protocol, admission, rate limits and time-outs.
//!
//! Nothing here knows what a fax is.

pub mod ratelimit;
pub mod tls;
