//! Whether a certificate is for the host of `public_url`.

use std::path::Path;

use rustls::client::verify_server_name;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::ParsedCertificate;

/// Whether the first certificate of this PEM file is valid for `host`. None when one of both cannot be understood,
/// which is reported elsewhere.
pub(super) fn covers(file: &Path, host: &str) -> Option<bool> {
    let certificate = CertificateDer::from_pem_file(file).ok()?;
    let parsed = ParsedCertificate::try_from(&certificate).ok()?;
    let host = ServerName::try_from(host.trim_start_matches('[').trim_end_matches(']')).ok()?;
    Some(verify_server_name(&parsed, &host).is_ok())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    #[test]
    fn names_and_addresses_are_compared() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("cert.pem");
        let names = ["fax.example.com".to_owned(), "127.0.0.1".to_owned()];
        let made = faxgate_edge::tls::self_signed(&names).unwrap();
        std::fs::write(&file, made.cert_pem).unwrap();
        let covers = |host| super::covers(&file, host);
        assert_eq!(covers("fax.example.com"), Some(true));
        assert_eq!(covers("FAX.example.com"), Some(true));
        assert_eq!(covers("127.0.0.1"), Some(true));
        assert_eq!(covers("example.com"), Some(false));
        assert_eq!(covers("[::1]"), Some(false));
        assert_eq!(super::covers(folder.path(), "fax.example.com"), None);
    }
}
