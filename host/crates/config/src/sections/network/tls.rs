//! `[tls]`: certificates.

use std::cmp::Ordering;
use std::path::PathBuf;

use url::Url;

use crate::read::reader::Reader;

/// The authority asked for certificates when `tls.acme.directory_url` names none: Let's Encrypt.
pub const DEFAULT_DIRECTORY: &str = "https://acme-v02.api.letsencrypt.org/directory";

/// `[tls]`
#[derive(Debug, Clone, Default)]
pub struct TlsConfig {
    /// `cert_file` and `key_file`, one path or a list of each; the first pair answers clients that ask for no name
    /// that another one covers
    pub files: Vec<CertificateFiles>,
    /// `acme`
    pub acme: AcmeConfig,
}

/// A certificate and its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFiles {
    /// PEM chain, the server's own certificate first.
    pub cert: PathBuf,
    /// PEM key.
    pub key: PathBuf,
}

/// `[tls.acme]`
#[derive(Debug, Clone, Default)]
pub struct AcmeConfig {
    /// `domains`: empty switches it off
    pub domains: Vec<String>,
    /// `email` of the account
    pub email: Option<String>,
    /// `directory_url`, default [`DEFAULT_DIRECTORY`]
    pub directory_url: Option<Url>,
    /// `ca_file`: PEM of the authority of a private directory
    pub ca_file: Option<PathBuf>,
}

impl TlsConfig {
    pub(crate) fn read(from: &mut Reader<'_>) -> Self {
        Self {
            files: files(from),
            acme: AcmeConfig {
                domains: domains(from, "tls.acme.domains"),
                email: from.text("tls.acme.email"),
                directory_url: from.url("tls.acme.directory_url"),
                ca_file: from.path("tls.acme.ca_file"),
            },
        }
    }
}

/// The pairs; a list that is longer than the other names what is missing.
fn files(from: &mut Reader<'_>) -> Vec<CertificateFiles> {
    let (certs, keys) = (from.paths("tls.cert_file"), from.paths("tls.key_file"));
    match certs.len().cmp(&keys.len()) {
        Ordering::Equal => {}
        Ordering::Greater => from.problem(
            "tls.key_file",
            "is missing; give the key of each tls.cert_file, in the same order (TLS_KEY_FILE)",
        ),
        Ordering::Less => from.problem(
            "tls.cert_file",
            "is missing; give the certificate of each tls.key_file, in the same order (TLS_CERT_FILE)",
        ),
    }
    let pairs = certs.into_iter().zip(keys);
    pairs.map(|(cert, key)| CertificateFiles { cert, key }).collect()
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
