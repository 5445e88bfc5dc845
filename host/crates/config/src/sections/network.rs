//! Sections about connections and requests: listeners, certificates, authentication, limits.

pub mod auth;
pub mod limits;
pub mod listen;
pub mod tls;
