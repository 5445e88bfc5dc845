//! Certificates and TLS of the HTTPS listener.
//!
//! [`ServerTls`] holds the certificates in use behind one `rustls` configuration. [`ServerTls::reload`] reads the
//! files again and swaps the certificates under the running listener; when one that it reads is bad, the last good
//! one stays. Certificates come from files, from an authority ([`ServerTls::renew`]), or, without either, one is
//! made once and kept in the data folder.

mod acme;
mod error;
mod files;
mod private_files;
mod provider;
mod renewal;
mod resolver;
mod self_signed;
mod server_tls;
mod validity;

pub use error::TlsError;
pub use self_signed::{SelfSigned, self_signed};
pub use server_tls::{ALPN, Expiry, Reloaded, ServerTls};
