//! Certificate and key from PEM files.

use std::path::Path;
use std::sync::Arc;

use rustls::Error as RustlsError;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use super::error::TlsError;

/// Reads a pair and checks that its halves belong together.
pub(super) fn load(
    cert: &Path,
    key: &Path,
    provider: &Arc<CryptoProvider>,
) -> Result<CertifiedKey, TlsError> {
    let (chain, private) = (read(cert)?, zeroize::Zeroizing::new(read(key)?));
    parse(&chain, cert, &private, key, provider)
}

/// The same from what was read of two paths, which errors name.
pub(super) fn parse(
    chain: &[u8],
    cert: &Path,
    private: &[u8],
    key: &Path,
    provider: &Arc<CryptoProvider>,
) -> Result<CertifiedKey, TlsError> {
    let chain = parse_chain(chain, cert)?;
    let private = PrivateKeyDer::from_pem_slice(private).map_err(|error| TlsError::Key {
        path: key.to_owned(),
        problem: error.to_string(),
    })?;
    CertifiedKey::from_der(chain, private, provider).map_err(|error| match error {
        RustlsError::InconsistentKeys(_) => TlsError::Mismatch {
            cert: cert.to_owned(),
            key: key.to_owned(),
        },
        RustlsError::InvalidCertificate(problem) => TlsError::Certificate {
            path: cert.to_owned(),
            problem: problem.to_string(),
        },
        other => TlsError::Key {
            path: key.to_owned(),
            problem: other.to_string(),
        },
    })
}

fn parse_chain(bytes: &[u8], path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let bad = |problem: String| TlsError::Certificate {
        path: path.to_owned(),
        problem,
    };
    let chain = CertificateDer::pem_slice_iter(bytes)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| bad(error.to_string()))?;
    match chain.first() {
        // A chain whose first member can't be read would fail every handshake.
        Some(first) => rustls::server::ParsedCertificate::try_from(first)
            .map(|_| ())
            .map_err(|error| bad(error.to_string()))?,
        None => return Err(bad("no CERTIFICATE section".to_owned())),
    }
    Ok(chain)
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(path).map_err(|source| TlsError::Read {
        path: path.to_owned(),
        source,
    })
}
