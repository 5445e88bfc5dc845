//! Which certificate is chosen.

use super::*;

fn key(name: &str) -> Arc<CertifiedKey> {
    let folder = tempfile::tempdir().expect("folder");
    let names = [name.to_owned()];
    Arc::new(
        crate::tls::self_signed::load_or_make(folder.path(), &names, &crate::tls::provider::provider())
            .expect("certificate"),
    )
}

#[test]
fn a_client_gets_the_certificate_of_the_name_it_asks_for() {
    let (first, second) = (key("fax.example.org"), key("*.example.net"));
    let certificates = Certificates::new(vec![Arc::clone(&first), Arc::clone(&second)], Arc::default());
    let chosen = |name: Option<&str>| certificates.choose(name).expect("certificate").cert.clone();
    assert_eq!(chosen(Some("fax.example.org")), first.cert);
    assert_eq!(chosen(Some("a.example.net")), second.cert);
    assert_eq!(chosen(Some("other.example.com")), first.cert);
    assert_eq!(chosen(None), first.cert);
}

#[test]
fn proofs_are_found_by_name_until_they_are_taken_down() {
    let challenges = Challenges::default();
    let proof = key("fax.example.org");
    challenges.offer("Fax.Example.org", Arc::clone(&proof));
    assert_eq!(
        challenges.proof("fax.example.ORG").expect("proof").cert,
        proof.cert
    );
    assert!(challenges.proof("example.org").is_none());
    challenges.clear();
    assert!(challenges.proof("fax.example.org").is_none());
}
