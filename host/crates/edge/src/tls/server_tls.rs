//! The certificates of the HTTPS listener, their reload, and the TLS configuration around them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::server::ServerSessionMemoryCache;
use rustls::sign::CertifiedKey;

use faxgate_config::tls::{AcmeConfig, CertificateFiles, TlsConfig};

use super::acme::client::Acme;
use super::error::TlsError;
use super::provider::provider;
use super::resolver::{ACME_TLS, Certificates, Challenges};
use super::{files, self_signed, validity};

/// The application protocols offered, the preferred one first (RFC 7301).
pub const ALPN: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// Sessions of TLS 1.2 clients without tickets that are remembered for resumption.
const REMEMBERED_SESSIONS: usize = 4096;

/// The certificates of the HTTPS listener. Clones share them.
#[derive(Clone, Debug)]
pub struct ServerTls {
    pub(super) source: Source,
    certificates: Arc<Certificates>,
    config: Arc<ServerConfig>,
}

/// Where certificates come from.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// Files that the operator renews.
    Files(Vec<CertificateFiles>),
    /// A certificate authority; a self-signed certificate in `data_dir` serves until its first one.
    Acme { acme: Arc<Acme>, data_dir: PathBuf },
    /// Self-signed, kept in this folder, for these names.
    SelfSigned { folder: PathBuf, names: Vec<String> },
}

/// What a reload did.
#[derive(Debug, Default)]
pub struct Reloaded {
    /// Other certificates than before are served from now on; when each ends.
    pub replaced: Vec<Expiry>,
    /// What could not be read: the last good ones of these stay.
    pub errors: Vec<TlsError>,
}

/// When a certificate ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expiry {
    /// The path of its file, `acme`, or `self-signed`.
    pub certificate: String,
    /// Its end; none when it can't be read.
    pub not_after: Option<Timestamp>,
}

impl ServerTls {
    /// Reads the certificates that `config` names or that an authority gave earlier, or makes a self-signed one for
    /// `host`, loopback included, and keeps it in `data_dir/tls`.
    ///
    /// # Errors
    /// When there is no usable certificate, each with the file and the remedy.
    pub fn open(config: &TlsConfig, data_dir: &Path, host: &str) -> Result<Self, TlsError> {
        let challenges = Arc::default();
        let source = Source::choose(config, data_dir, host, &challenges)?;
        let first: Result<Vec<_>, _> = source.load().into_iter().collect();
        let first = first?.into_iter().map(Arc::new).collect();
        let certificates = Arc::new(Certificates::new(first, challenges));
        let config = Arc::new(server_config(Arc::clone(&certificates), &source)?);
        Ok(Self {
            source,
            certificates,
            config,
        })
    }

    /// Whether automatic certificates can be set up; makes no request and changes nothing.
    ///
    /// # Errors
    /// When the root of the authority can't be used.
    pub fn check_acme(config: &AcmeConfig) -> Result<(), TlsError> {
        Acme::new(config, Path::new(""), Arc::default()).map(drop)
    }

    /// What a TLS acceptor needs. The certificates in it follow every reload.
    #[must_use]
    pub fn acceptor_config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }

    /// Reads the certificates again. Where the new one is unusable, the one in use stays.
    #[must_use]
    pub fn reload(&self) -> Reloaded {
        let mut report = Reloaded::default();
        let current = self.certificates.current();
        let mut serving = Vec::with_capacity(current.len());
        // The number of certificates of a source never changes.
        let loaded = self.source.load().into_iter().zip(self.source.labels());
        for ((fresh, certificate), old) in loaded.zip(current.iter()) {
            match fresh {
                Ok(fresh) if fresh.cert == old.cert => serving.push(Arc::clone(old)),
                Ok(fresh) => {
                    let not_after = validity::not_after(&fresh.cert);
                    report.replaced.push(Expiry {
                        certificate,
                        not_after,
                    });
                    serving.push(Arc::new(fresh));
                }
                Err(error) => {
                    report.errors.push(error);
                    serving.push(Arc::clone(old));
                }
            }
        }
        if !report.replaced.is_empty() {
            self.certificates.replace(serving);
        }
        report
    }

    /// Reads the files again after every `every` and serves what changed. Never ends; a bad file is reported once.
    pub async fn watch(self, every: Duration) {
        let mut reported = String::new();
        loop {
            tokio::time::sleep(every).await;
            let Reloaded { replaced, errors } = self.reload();
            for Expiry {
                certificate,
                not_after,
            } in replaced
            {
                let not_after = not_after.map(tracing::field::display);
                tracing::info!(certificate, not_after, "certificate replaced");
            }
            let text: Vec<String> = errors.iter().map(ToString::to_string).collect();
            let text = text.join("; ");
            if text != reported && !text.is_empty() {
                tracing::error!("certificate not replaced, the last good one stays: {text}");
            }
            reported = text;
        }
    }

    /// When the first of the certificates in use ends; none when no end can be read.
    #[must_use]
    pub fn not_after(&self) -> Option<Timestamp> {
        self.expiries()
            .into_iter()
            .filter_map(|expiry| expiry.not_after)
            .min()
    }

    /// When each of the certificates in use ends.
    #[must_use]
    pub fn expiries(&self) -> Vec<Expiry> {
        let current = self.certificates.current();
        let ends = current.iter().map(|key| validity::not_after(&key.cert));
        let labelled = self.source.labels().into_iter().zip(ends);
        labelled
            .map(|(certificate, not_after)| Expiry {
                certificate,
                not_after,
            })
            .collect()
    }
}

impl Source {
    fn choose(
        config: &TlsConfig,
        data_dir: &Path,
        host: &str,
        challenges: &Arc<Challenges>,
    ) -> Result<Self, TlsError> {
        if !config.acme.domains.is_empty() {
            return Ok(Self::Acme {
                acme: Arc::new(Acme::new(&config.acme, data_dir, Arc::clone(challenges))?),
                data_dir: data_dir.to_owned(),
            });
        }
        if !config.files.is_empty() {
            return Ok(Self::Files(config.files.clone()));
        }
        Ok(Self::SelfSigned {
            folder: data_dir.join("tls"),
            names: self_signed::names_for(host),
        })
    }

    /// Every certificate, or why it can't be served.
    fn load(&self) -> Vec<Result<CertifiedKey, TlsError>> {
        match self {
            Self::Files(pairs) => {
                let load = |pair: &CertificateFiles| files::load(&pair.cert, &pair.key, &provider());
                pairs.iter().map(load).collect()
            }
            Self::Acme { acme, data_dir } => {
                vec![acme.stored().map_or_else(|| acme.temporary(data_dir), Ok)]
            }
            Self::SelfSigned { folder, names } => {
                vec![self_signed::load_or_make(folder, names, &provider())]
            }
        }
    }

    /// What each certificate is called in metrics and logs: the same for as long as the service runs.
    fn labels(&self) -> Vec<String> {
        match self {
            Self::Files(pairs) => pairs.iter().map(|pair| pair.cert.display().to_string()).collect(),
            Self::Acme { .. } => vec!["acme".to_owned()],
            Self::SelfSigned { .. } => vec!["self-signed".to_owned()],
        }
    }
}

fn server_config(certificates: Arc<Certificates>, source: &Source) -> Result<ServerConfig, TlsError> {
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
        .with_no_client_auth()
        .with_cert_resolver(certificates);
    config.alpn_protocols = ALPN.iter().map(|name| name.to_vec()).collect();
    if let Source::Acme { .. } = source {
        config.alpn_protocols.push(ACME_TLS.to_vec());
    }
    config.ticketer = aws_lc_rs::Ticketer::new()?;
    config.session_storage = ServerSessionMemoryCache::new(REMEMBERED_SESSIONS);
    // All suites offered are strong; still, scanners and policies require that the server chooses.
    config.ignore_client_order = true;
    // No early data: a replayed request could send a fax twice (RFC 8446, section 8).
    config.max_early_data_size = 0;
    Ok(config)
}

#[cfg(test)]
mod tests;
