//! Floor 4: certificates and the TLS side of the HTTPS listener.
//!
//! [`ServerTls`] holds the certificates in use behind one `rustls` configuration. [`ServerTls::reload`] reads the
//! files again and swaps the certificates under the running listener; when what it reads is bad, the last good
//! ones stay. Without files, a self-signed certificate is made once and kept in the data folder.

mod files;
mod resolver;
mod selfsigned;
mod validity;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::ServerSessionMemoryCache;

use crate::config::tls::TlsConfig;

pub use selfsigned::{SelfSigned, self_signed};

use resolver::Certificates;

/// The application protocols offered, the preferred one first (RFC 7301).
pub const ALPN: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// Sessions of TLS 1.2 clients without tickets that are remembered for resumption.
const REMEMBERED_SESSIONS: usize = 4096;

/// The certificates of the HTTPS listener. Clones share them.
#[derive(Clone, Debug)]
pub struct ServerTls {
    source: Source,
    certificates: Arc<Certificates>,
    config: Arc<ServerConfig>,
}

/// Where the certificate comes from.
#[derive(Clone, Debug)]
enum Source {
    /// Files that somebody else renews.
    Files { cert: PathBuf, key: PathBuf },
    /// Made here, kept in this folder, for these names.
    SelfSigned { folder: PathBuf, names: Vec<String> },
}

/// What a reload did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReloadOutcome {
    /// The files hold what is served already.
    Unchanged,
    /// Another certificate is served from now on.
    Replaced {
        /// When it ends.
        not_after: Option<Timestamp>,
    },
}

/// Why there is no certificate to serve.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file can't be read.
    #[error("cannot read {}: {source}; check tls.cert_file and tls.key_file and who may read them", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file can't be written.
    #[error("cannot write {}: {source}; check that data_dir is writable", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Not a PEM certificate.
    #[error("{} holds no usable certificate ({problem}); tls.cert_file is a PEM chain, the server's own certificate first", path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// Not a PEM key.
    #[error("{} holds no usable private key ({problem}); tls.key_file is an unencrypted PEM key (PKCS#8, PKCS#1 or SEC1)", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// Certificate and key belong to different pairs.
    #[error("the key in {} does not belong to the certificate in {}; give the two files of one pair", key.display(), cert.display())]
    Mismatch {
        /// The certificate's file.
        cert: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// Only one of the two files is configured.
    #[error("tls.cert_file and tls.key_file go together: only one of them is set")]
    HalfConfigured,
    /// A self-signed certificate can't be made.
    #[error("cannot make a self-signed certificate: {0}")]
    SelfSign(String),
    /// The library refuses the settings.
    #[error("cannot set up TLS: {0}")]
    Setup(#[from] rustls::Error),
}

impl ServerTls {
    /// Reads the certificate that `config` names, or makes a self-signed one for `host`, loopback included, and
    /// keeps it in `data_dir/tls`.
    ///
    /// # Errors
    /// When there is no usable certificate, each with the file and the remedy.
    pub fn open(config: &TlsConfig, data_dir: &Path, host: &str) -> Result<Self, TlsError> {
        let source = Source::choose(config, data_dir, host)?;
        let first = source.load()?;
        let certificates = Arc::new(Certificates::new(vec![Arc::new(first)]));
        let config = Arc::new(server_config(Arc::clone(&certificates))?);
        Ok(Self {
            source,
            certificates,
            config,
        })
    }

    /// What a TLS acceptor needs. The certificates in it follow every reload.
    #[must_use]
    pub fn acceptor_config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }

    /// Reads the certificate again.
    ///
    /// # Errors
    /// When the new one is unusable; the one in use stays.
    pub fn reload(&self) -> Result<ReloadOutcome, TlsError> {
        let fresh = self.source.load()?;
        if self.certificates.serves(&fresh.cert) {
            return Ok(ReloadOutcome::Unchanged);
        }
        let not_after = validity::not_after(&fresh.cert);
        self.certificates.replace(vec![Arc::new(fresh)]);
        Ok(ReloadOutcome::Replaced { not_after })
    }

    /// Looks at the files every `every` and takes up what changed. Never ends; a bad file is reported once.
    pub async fn watch(self, every: Duration) {
        let mut told = String::new();
        loop {
            tokio::time::sleep(every).await;
            match self.reload() {
                Ok(ReloadOutcome::Unchanged) => told.clear(),
                Ok(ReloadOutcome::Replaced { not_after }) => {
                    told.clear();
                    tracing::info!(
                        not_after = not_after.map(tracing::field::display),
                        "certificate replaced"
                    );
                }
                Err(error) => {
                    let text = error.to_string();
                    if text != told {
                        tracing::error!(%error, "certificate not replaced, the last good one stays");
                        told = text;
                    }
                }
            }
        }
    }

    /// When the certificate in use ends; none when it doesn't say so in a way we read.
    #[must_use]
    pub fn not_after(&self) -> Option<Timestamp> {
        self.certificates.not_after()
    }
}

impl Source {
    fn choose(config: &TlsConfig, data_dir: &Path, host: &str) -> Result<Self, TlsError> {
        match (&config.cert_file, &config.key_file) {
            (Some(cert), Some(key)) => Ok(Self::Files {
                cert: cert.clone(),
                key: key.clone(),
            }),
            (None, None) => Ok(Self::SelfSigned {
                folder: data_dir.join("tls"),
                names: selfsigned::names_for(host),
            }),
            _ => Err(TlsError::HalfConfigured),
        }
    }

    fn load(&self) -> Result<rustls::sign::CertifiedKey, TlsError> {
        match self {
            Self::Files { cert, key } => files::load(cert, key, &provider()),
            Self::SelfSigned { folder, names } => selfsigned::load_or_make(folder, names, &provider()),
        }
    }
}

/// The one cryptography provider of the process, named so that a second one in the build can't be picked instead.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

fn server_config(certificates: Arc<Certificates>) -> Result<ServerConfig, TlsError> {
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
        .with_no_client_auth()
        .with_cert_resolver(certificates);
    config.alpn_protocols = ALPN.iter().map(|name| name.to_vec()).collect();
    config.ticketer = aws_lc_rs::Ticketer::new()?;
    config.session_storage = ServerSessionMemoryCache::new(REMEMBERED_SESSIONS);
    // No early data: a replayed request could send a fax twice (RFC 8446, section 8).
    config.max_early_data_size = 0;
    Ok(config)
}

#[cfg(test)]
#[path = "tls/tests.rs"]
mod tests;
