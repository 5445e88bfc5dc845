//! Clients that write bytes as they like, a proxy with faults, and a certificate authority.

pub mod chaos_proxy;
pub mod http1;
pub mod http2;
pub mod pebble;
