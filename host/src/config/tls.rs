//! `[tls]`: certificates.

use std::path::PathBuf;

use url::Url;

/// `[tls]`
#[derive(Debug, Clone, Default)]
pub struct TlsConfig {
    /// `cert_file`: PEM chain
    pub cert_file: Option<PathBuf>,
    /// `key_file`: PEM key
    pub key_file: Option<PathBuf>,
    /// `acme`
    pub acme: AcmeConfig,
}

/// `[tls.acme]`
#[derive(Debug, Clone, Default)]
pub struct AcmeConfig {
    /// `domains`: empty switches it off
    pub domains: Vec<String>,
    /// `email` of the account
    pub email: Option<String>,
    /// `directory_url`, default Let's Encrypt
    pub directory_url: Option<Url>,
    /// `ca_file`: PEM of the authority of a private directory
    pub ca_file: Option<PathBuf>,
}
