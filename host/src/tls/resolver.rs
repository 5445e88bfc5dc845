//! Which certificate a client gets.

use std::sync::Arc;

use arc_swap::ArcSwap;
use jiff::Timestamp;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::{ClientHello, ParsedCertificate, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::validity;

/// The certificates in use; the first answers clients that name no host or one that none covers.
#[derive(Debug)]
pub(super) struct Certificates(ArcSwap<Vec<Arc<CertifiedKey>>>);

impl Certificates {
    pub(super) fn new(keys: Vec<Arc<CertifiedKey>>) -> Self {
        Self(ArcSwap::from_pointee(keys))
    }

    /// Serves `keys` from the next handshake on.
    pub(super) fn replace(&self, keys: Vec<Arc<CertifiedKey>>) {
        self.0.store(Arc::new(keys));
    }

    /// Whether exactly this chain is served already.
    pub(super) fn serves(&self, chain: &[CertificateDer<'static>]) -> bool {
        matches!(self.0.load().as_slice(), [only] if only.cert == chain)
    }

    /// When the first of them ends.
    pub(super) fn not_after(&self) -> Option<Timestamp> {
        self.0
            .load()
            .iter()
            .filter_map(|key| validity::not_after(&key.cert))
            .min()
    }

    /// The certificate for `name`. With one certificate there is nothing to choose.
    fn choose(&self, name: Option<&str>) -> Option<Arc<CertifiedKey>> {
        let keys = self.0.load();
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

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
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
mod tests {
    use super::*;

    fn key(name: &str) -> Arc<CertifiedKey> {
        let folder = tempfile::tempdir().expect("folder");
        let names = [name.to_owned()];
        Arc::new(
            super::super::selfsigned::load_or_make(folder.path(), &names, &super::super::provider())
                .expect("certificate"),
        )
    }

    #[test]
    fn a_client_gets_the_certificate_of_the_name_it_asks_for() {
        let (first, second) = (key("fax.example.org"), key("*.example.net"));
        let certificates = Certificates::new(vec![Arc::clone(&first), Arc::clone(&second)]);
        let chosen = |name: Option<&str>| certificates.choose(name).expect("certificate").cert.clone();
        assert_eq!(chosen(Some("fax.example.org")), first.cert);
        assert_eq!(chosen(Some("a.example.net")), second.cert);
        assert_eq!(chosen(Some("other.example.com")), first.cert);
        assert_eq!(chosen(None), first.cert);
    }
}
