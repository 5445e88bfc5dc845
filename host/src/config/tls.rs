//! `[tls]`: certificates.

use std::path::PathBuf;

use url::Url;

use super::check::Reader;

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

impl TlsConfig {
    pub(super) fn read(from: &mut Reader<'_>) -> Self {
        Self {
            cert_file: from.path("tls.cert_file"),
            key_file: from.path("tls.key_file"),
            acme: AcmeConfig {
                domains: domains(from, "tls.acme.domains"),
                email: from.text("tls.acme.email"),
                directory_url: from.url("tls.acme.directory_url", None),
                ca_file: from.path("tls.acme.ca_file"),
            },
        }
    }
}

fn domains(from: &mut Reader<'_>, key: &str) -> Vec<String> {
    let domains = from.list(key);
    for domain in &domains {
        let is_name = matches!(url::Host::parse(domain), Ok(url::Host::Domain(name)) if !name.is_empty());
        if domain.contains('*') || !is_name {
            from.problem(
                key,
                format!("has {domain:?}; give plain host names such as fax.example.com"),
            );
        }
    }
    domains
}
