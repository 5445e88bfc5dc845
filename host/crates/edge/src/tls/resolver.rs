//! Which certificate a client gets.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use rustls::pki_types::ServerName;
use rustls::server::{ClientHello, ParsedCertificate, ResolvesServerCert};
use rustls::sign::CertifiedKey;

/// The protocol over which a certificate authority looks at a proof (RFC 8737).
pub(super) const ACME_TLS: &[u8] = b"acme-tls/1";

/// The certificates in use; the first answers clients that name no host or one that none covers.
#[derive(Debug)]
pub(super) struct Certificates {
    keys: ArcSwap<Vec<Arc<CertifiedKey>>>,
    challenges: Arc<Challenges>,
}

/// The proofs that are up for a certificate authority, by name.
#[derive(Debug, Default)]
pub(super) struct Challenges(Mutex<HashMap<String, Arc<CertifiedKey>>>);

impl Certificates {
    pub(super) fn new(keys: Vec<Arc<CertifiedKey>>, challenges: Arc<Challenges>) -> Self {
        Self {
            keys: ArcSwap::from_pointee(keys),
            challenges,
        }
    }

    /// Serves `keys` from the next handshake on.
    pub(super) fn replace(&self, keys: Vec<Arc<CertifiedKey>>) {
        self.keys.store(Arc::new(keys));
    }

    /// What is served.
    pub(super) fn current(&self) -> Arc<Vec<Arc<CertifiedKey>>> {
        self.keys.load_full()
    }

    /// The certificate for `name`. With one certificate there is nothing to choose.
    fn choose(&self, name: Option<&str>) -> Option<Arc<CertifiedKey>> {
        let keys = self.keys.load();
        let fitting = match (
            keys.as_slice(),
            name.and_then(|name| ServerName::try_from(name).ok()),
        ) {
            ([_, _, ..], Some(name)) => keys.iter().find(|key| covers(key, &name)),
            _ => None,
        };
        fitting.or(keys.first()).cloned()
    }
}

impl Challenges {
    /// Shows `proof` to whoever asks for `name` over the protocol of authorities.
    pub(super) fn offer(&self, name: &str, proof: Arc<CertifiedKey>) {
        self.0.lock().insert(name.to_ascii_lowercase(), proof);
    }

    /// Takes every proof down.
    pub(super) fn clear(&self) {
        self.0.lock().clear();
    }

    fn proof(&self, name: &str) -> Option<Arc<CertifiedKey>> {
        self.0.lock().get(&name.to_ascii_lowercase()).cloned()
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let offered = hello.alpn().map(|mut names| (names.next(), names.next()));
        // An authority offers this protocol alone; without a proof for the name there is nothing to show it.
        if let Some((Some(ACME_TLS), None)) = offered {
            return self.challenges.proof(hello.server_name()?);
        }
        self.choose(hello.server_name())
    }
}

fn covers(key: &CertifiedKey, name: &ServerName<'_>) -> bool {
    key.end_entity_cert()
        .ok()
        .and_then(|cert| ParsedCertificate::try_from(cert).ok())
        .is_some_and(|cert| rustls::client::verify_server_name(&cert, name).is_ok())
}

#[cfg(test)]
mod tests;
