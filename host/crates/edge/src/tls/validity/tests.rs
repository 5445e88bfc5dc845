//! Times and their encodings.

use super::*;

#[test]
fn both_forms_of_time() {
    let at = |tag, text: &str| time(tag, text.as_bytes()).map(|at| at.to_string());
    assert_eq!(
        at(UTC_TIME, "300102030405Z").as_deref(),
        Some("2030-01-02T03:04:05Z")
    );
    assert_eq!(
        at(UTC_TIME, "500102030405Z").as_deref(),
        Some("1950-01-02T03:04:05Z")
    );
    assert_eq!(
        at(GENERALIZED_TIME, "20510102030405Z").as_deref(),
        Some("2051-01-02T03:04:05Z")
    );
    assert_eq!(at(GENERALIZED_TIME, "soon"), None);
    assert_eq!(at(0x02, "300102030405Z"), None);
}

#[test]
fn cut_and_lying_certificates_have_no_end() {
    let made = crate::tls::self_signed(&["localhost".to_owned()]).expect("certificate");
    let der =
        <CertificateDer<'_> as rustls::pki_types::pem::PemObject>::from_pem_slice(made.cert_pem.as_bytes())
            .expect("pem");
    assert!(not_after(std::slice::from_ref(&der)).is_some());
    for cut in 0..der.len() {
        assert_eq!(
            not_after(&[CertificateDer::from(der[..cut].to_vec())]),
            None,
            "{cut}"
        );
    }
    assert_eq!(not_after(&[]), None);
    assert_eq!(
        not_after(&[CertificateDer::from(vec![0x30, 0x84, 0xff, 0xff, 0xff, 0xff])]),
        None
    );
}
