//! Certificates over whole handshakes in memory.

//! Certificates that reload, protocols, and the self-signed first start.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::os::unix::fs::PermissionsExt as _;

use rustls::ClientConnection;
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};

use super::*;

fn write_pair(folder: &Path, names: &[&str]) -> (TlsConfig, SelfSigned) {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let made = self_signed(&names).unwrap();
    let (cert, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    std::fs::write(&cert, &made.cert_pem).unwrap();
    std::fs::write(&key, made.key_pem.reveal()).unwrap();
    let config = TlsConfig {
        cert_file: Some(cert),
        key_file: Some(key),
        ..TlsConfig::default()
    };
    (config, made)
}

/// A handshake in memory; answers what was agreed on.
fn handshake(
    tls: &ServerTls,
    trusted: &str,
    name: &str,
    version: &'static rustls::SupportedProtocolVersion,
) -> String {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(trusted.as_bytes()).unwrap())
        .unwrap();
    let mut config = rustls::ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec(), b"h2".to_vec()];
    let mut client =
        ClientConnection::new(Arc::new(config), ServerName::try_from(name.to_owned()).unwrap()).unwrap();
    let mut server = rustls::ServerConnection::new(tls.acceptor_config()).unwrap();
    while client.is_handshaking() || server.is_handshaking() {
        let mut wire = Vec::new();
        client.write_tls(&mut wire).unwrap();
        server.read_tls(&mut wire.as_slice()).unwrap();
        server.process_new_packets().unwrap();
        let mut wire = Vec::new();
        server.write_tls(&mut wire).unwrap();
        let mut unread = wire.as_slice();
        while !unread.is_empty() {
            client.read_tls(&mut unread).unwrap();
            if let Err(error) = client.process_new_packets() {
                return error.to_string();
            }
        }
    }
    format!(
        "{:?} {}",
        client.protocol_version().unwrap(),
        String::from_utf8_lossy(client.alpn_protocol().unwrap())
    )
}

#[test]
fn serves_both_versions_and_prefers_http2() {
    let folder = tempfile::tempdir().unwrap();
    let (config, made) = write_pair(folder.path(), &["fax.example.org"]);
    let tls = ServerTls::open(&config, folder.path(), "fax.example.org").unwrap();
    let agreed = |version| handshake(&tls, &made.cert_pem, "fax.example.org", version);
    assert_eq!(agreed(&rustls::version::TLS13), "TLSv1_3 h2");
    assert_eq!(agreed(&rustls::version::TLS12), "TLSv1_2 h2");
}

#[test]
fn a_new_certificate_is_served_after_reload() {
    let folder = tempfile::tempdir().unwrap();
    let (config, first) = write_pair(folder.path(), &["fax.example.org"]);
    let tls = ServerTls::open(&config, folder.path(), "fax.example.org").unwrap();
    assert_eq!(tls.reload().unwrap(), ReloadOutcome::Unchanged);
    let (_, second) = write_pair(folder.path(), &["fax.example.org"]);
    assert_eq!(
        tls.reload().unwrap(),
        ReloadOutcome::Replaced {
            not_after: tls.not_after()
        }
    );
    let agreed = |trusted| handshake(&tls, trusted, "fax.example.org", &rustls::version::TLS13);
    assert_eq!(agreed(&second.cert_pem), "TLSv1_3 h2");
    assert!(
        agreed(&first.cert_pem).contains("certificate"),
        "{}",
        agreed(&first.cert_pem)
    );
}

#[test]
fn the_last_good_certificate_stays_when_the_new_one_is_bad() {
    let folder = tempfile::tempdir().unwrap();
    let (config, made) = write_pair(folder.path(), &["fax.example.org"]);
    let tls = ServerTls::open(&config, folder.path(), "fax.example.org").unwrap();
    let cert = config.cert_file.clone().unwrap();

    let other = self_signed(&["fax.example.org".to_owned()]).unwrap();
    std::fs::write(&cert, &other.cert_pem).unwrap();
    assert!(matches!(tls.reload(), Err(TlsError::Mismatch { .. })));
    std::fs::write(&cert, "not a certificate").unwrap();
    assert!(matches!(tls.reload(), Err(TlsError::Certificate { .. })));
    std::fs::remove_file(&cert).unwrap();
    assert!(matches!(tls.reload(), Err(TlsError::Read { .. })));

    assert_eq!(
        handshake(&tls, &made.cert_pem, "fax.example.org", &rustls::version::TLS13),
        "TLSv1_3 h2"
    );
}

#[test]
fn errors_name_the_file_and_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let (mut config, _) = write_pair(folder.path(), &["fax.example.org"]);
    std::fs::write(config.key_file.as_ref().unwrap(), "nothing").unwrap();
    let text = ServerTls::open(&config, folder.path(), "x")
        .unwrap_err()
        .to_string();
    assert!(text.contains("key.pem") && text.contains("PEM key"), "{text}");
    config.key_file = None;
    let text = ServerTls::open(&config, folder.path(), "x")
        .unwrap_err()
        .to_string();
    assert!(text.contains("go together"), "{text}");
}

#[test]
fn a_self_signed_certificate_is_made_once_and_kept_private() {
    let folder = tempfile::tempdir().unwrap();
    let config = TlsConfig::default();
    let first = ServerTls::open(&config, folder.path(), "fax.example.org").unwrap();
    let second = ServerTls::open(&config, folder.path(), "fax.example.org").unwrap();
    let kept = std::fs::read_to_string(folder.path().join("tls/self-signed.crt")).unwrap();
    for (tls, name) in [
        (&first, "fax.example.org"),
        (&second, "localhost"),
        (&second, "127.0.0.1"),
    ] {
        assert_eq!(handshake(tls, &kept, name, &rustls::version::TLS13), "TLSv1_3 h2");
    }
    for file in ["tls/self-signed.crt", "tls/self-signed.key"] {
        let mode = std::fs::metadata(folder.path().join(file))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    // Another public name needs another certificate.
    let other = ServerTls::open(&config, folder.path(), "other.example.org").unwrap();
    let kept = std::fs::read_to_string(folder.path().join("tls/self-signed.crt")).unwrap();
    assert_eq!(
        handshake(&other, &kept, "other.example.org", &rustls::version::TLS13),
        "TLSv1_3 h2"
    );
}

#[test]
fn a_made_certificate_ends_in_two_years() {
    let folder = tempfile::tempdir().unwrap();
    let tls = ServerTls::open(&TlsConfig::default(), folder.path(), "localhost").unwrap();
    let days = tls
        .not_after()
        .unwrap()
        .duration_since(Timestamp::now())
        .as_hours()
        / 24;
    assert!((700..=731).contains(&days), "{days}");
}
