//! Files of an authority.

use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::tls::provider::provider;
use crate::tls::self_signed;

fn issued(names: &[&str]) -> Issued {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let made = self_signed(&names).expect("certificate");
    Issued {
        chain: made.cert_pem,
        key: zeroize::Zeroizing::new(made.key_pem.reveal().to_owned()),
    }
}

#[test]
fn certificates_are_private_and_of_one_authority() {
    let folder = tempfile::tempdir().expect("folder");
    let storage = |directory| AcmeStorage::new(folder.path().join("acme"), directory);
    let one = storage("https://one.example/directory");
    let made = issued(&["fax.example.org"]);
    one.store_certificate(&made, &provider()).expect("kept");
    assert_eq!(one.certificate(&provider()).expect("certificate").cert.len(), 1);
    let mode = std::fs::metadata(one.0.join("certificate.pem"))
        .expect("file")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(
        storage("https://two.example/directory")
            .certificate(&provider())
            .is_err()
    );
}

#[test]
fn a_key_of_another_certificate_is_not_kept() {
    let folder = tempfile::tempdir().expect("folder");
    let storage = AcmeStorage::new(folder.path().join("acme"), "x");
    let mixed = Issued {
        chain: issued(&["fax.example.org"]).chain,
        key: issued(&["fax.example.org"]).key,
    };
    assert!(matches!(
        storage.store_certificate(&mixed, &provider()),
        Err(TlsError::Mismatch { .. })
    ));
    assert!(storage.certificate(&provider()).is_err());
}
