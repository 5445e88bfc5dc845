//! Certificates over whole handshakes in memory: which one, over which protocol, reloads, the first start.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::os::unix::fs::PermissionsExt as _;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, HandshakeKind, RootCertStore, SupportedProtocolVersion};

use super::*;
use crate::tls::SelfSigned;

fn write_pair(folder: &Path, names: &[&str]) -> (TlsConfig, SelfSigned) {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let made = self_signed(&names).unwrap();
    let pair = CertificateFiles {
        cert: folder.join("cert.pem"),
        key: folder.join("key.pem"),
    };
    std::fs::write(&pair.cert, &made.cert_pem).unwrap();
    std::fs::write(&pair.key, made.key_pem.reveal()).unwrap();
    let config = TlsConfig {
        files: vec![pair],
        ..TlsConfig::default()
    };
    (config, made)
}

/// What a client does: whom it trusts, which protocols it offers.
fn client_config(trusted: &str, version: &'static SupportedProtocolVersion, alpn: &[&[u8]]) -> ClientConfig {
    client_config_of((*provider()).clone(), trusted, version, alpn)
}

/// The same with the suites of another provider.
fn client_config_of(
    suites: CryptoProvider,
    trusted: &str,
    version: &'static SupportedProtocolVersion,
    alpn: &[&[u8]],
) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(trusted.as_bytes()).unwrap())
        .unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(suites))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    config
}

/// A handshake in memory, and what the server sends after it; answers the client's end, or its complaint.
fn connect(tls: &ServerTls, config: &Arc<ClientConfig>, name: &str) -> Result<ClientConnection, String> {
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut client = ClientConnection::new(Arc::clone(config), name).unwrap();
    let mut server = rustls::ServerConnection::new(tls.acceptor_config()).unwrap();
    while client.wants_write() || server.wants_write() {
        let mut wire = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut wire).unwrap();
        }
        let mut unread = wire.as_slice();
        while !unread.is_empty() {
            server.read_tls(&mut unread).unwrap();
            if let Err(error) = server.process_new_packets() {
                return Err(error.to_string());
            }
        }
        let mut wire = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut wire).unwrap();
        }
        let mut unread = wire.as_slice();
        while !unread.is_empty() {
            client.read_tls(&mut unread).unwrap();
            if let Err(error) = client.process_new_packets() {
                return Err(error.to_string());
            }
        }
    }
    Ok(client)
}

/// The same; answers what was agreed on.
fn handshake(
    tls: &ServerTls,
    trusted: &str,
    name: &str,
    version: &'static SupportedProtocolVersion,
) -> String {
    let config = client_config(trusted, version, &[b"http/1.1", b"h2"]);
    match connect(tls, &Arc::new(config), name) {
        Err(complaint) => complaint,
        Ok(client) => format!(
            "{:?} {}",
            client.protocol_version().unwrap(),
            String::from_utf8_lossy(client.alpn_protocol().unwrap())
        ),
    }
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
fn the_server_chooses_among_the_suites_a_client_offers() {
    let folder = tempfile::tempdir().unwrap();
    let (files, made) = write_pair(folder.path(), &["fax.example.org"]);
    let tls = ServerTls::open(&files, folder.path(), "fax.example.org").unwrap();
    for version in [&rustls::version::TLS13, &rustls::version::TLS12] {
        let agreed = |backwards: bool| {
            let mut offered = (*provider()).clone();
            if backwards {
                offered.cipher_suites.reverse();
            }
            let config = client_config_of(offered, &made.cert_pem, version, &[b"h2"]);
            let client = connect(&tls, &Arc::new(config), "fax.example.org").unwrap();
            client.negotiated_cipher_suite().unwrap().suite()
        };
        assert_eq!(agreed(true), agreed(false), "{version:?}");
    }
}

#[test]
fn a_new_certificate_is_served_after_reload() {
    let folder = tempfile::tempdir().unwrap();
    let (config, first) = write_pair(folder.path(), &["fax.example.org"]);
    let tls = ServerTls::open(&config, folder.path(), "fax.example.org").unwrap();
    assert!(tls.reload().replaced.is_empty());
    let (_, second) = write_pair(folder.path(), &["fax.example.org"]);
    assert_eq!(tls.reload().replaced, tls.expiries());
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
    let cert = config.files[0].cert.clone();
    let complaint = || tls.reload().errors.pop();

    let other = self_signed(&["fax.example.org".to_owned()]).unwrap();
    std::fs::write(&cert, &other.cert_pem).unwrap();
    assert!(matches!(complaint(), Some(TlsError::Mismatch { .. })));
    std::fs::write(&cert, "not a certificate").unwrap();
    assert!(matches!(complaint(), Some(TlsError::Certificate { .. })));
    std::fs::remove_file(&cert).unwrap();
    assert!(matches!(complaint(), Some(TlsError::Read { .. })));

    assert_eq!(
        handshake(&tls, &made.cert_pem, "fax.example.org", &rustls::version::TLS13),
        "TLSv1_3 h2"
    );
}

#[test]
fn errors_name_the_file_and_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let (config, _) = write_pair(folder.path(), &["fax.example.org"]);
    std::fs::write(&config.files[0].key, "nothing").unwrap();
    let text = ServerTls::open(&config, folder.path(), "x")
        .unwrap_err()
        .to_string();
    assert!(text.contains("key.pem") && text.contains("PEM key"), "{text}");
}

#[test]
fn each_name_has_its_certificate_and_a_bad_one_harms_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = TlsConfig::default();
    let mut made = Vec::new();
    for name in ["fax.example.org", "fax.example.net"] {
        let place = folder.path().join(name);
        std::fs::create_dir(&place).unwrap();
        let (one, certificate) = write_pair(&place, &[name]);
        config.files.extend(one.files);
        made.push(certificate);
    }
    let tls = ServerTls::open(&config, folder.path(), "fax.example.org").unwrap();
    let agreed = |index: usize, name| handshake(&tls, &made[index].cert_pem, name, &rustls::version::TLS13);
    assert_eq!(agreed(0, "fax.example.org"), "TLSv1_3 h2");
    assert_eq!(agreed(1, "fax.example.net"), "TLSv1_3 h2");
    assert!(agreed(1, "fax.example.org").contains("certificate"));
    let labels: Vec<_> = tls.expiries().into_iter().map(|one| one.certificate).collect();
    assert_eq!(
        labels,
        [&config.files[0], &config.files[1]].map(|pair| pair.cert.display().to_string())
    );

    std::fs::write(&config.files[0].cert, "not a certificate").unwrap();
    let (_, renewed) = write_pair(&folder.path().join("fax.example.net"), &["fax.example.net"]);
    let report = tls.reload();
    assert_eq!((report.replaced.len(), report.errors.len()), (1, 1));
    assert_eq!(agreed(0, "fax.example.org"), "TLSv1_3 h2");
    let agreed = handshake(
        &tls,
        &renewed.cert_pem,
        "fax.example.net",
        &rustls::version::TLS13,
    );
    assert_eq!(agreed, "TLSv1_3 h2");
}

#[test]
fn sessions_are_resumed_over_both_versions() {
    let folder = tempfile::tempdir().unwrap();
    let (files, made) = write_pair(folder.path(), &["fax.example.org"]);
    let tls = ServerTls::open(&files, folder.path(), "fax.example.org").unwrap();
    for version in [&rustls::version::TLS13, &rustls::version::TLS12] {
        let config = Arc::new(client_config(&made.cert_pem, version, &[b"h2"]));
        let kind = || {
            let client = connect(&tls, &config, "fax.example.org").unwrap();
            client.handshake_kind().unwrap()
        };
        assert_eq!(kind(), HandshakeKind::Full, "{version:?}");
        assert_eq!(kind(), HandshakeKind::Resumed, "{version:?}");
        // A renewed certificate does not end them.
        drop(tls.reload());
        assert_eq!(kind(), HandshakeKind::Resumed, "{version:?}");
    }
}

#[test]
fn an_authority_sees_a_proof_only_where_there_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let (files, made) = write_pair(folder.path(), &["fax.example.org"]);
    let plain = ServerTls::open(&files, folder.path(), "fax.example.org").unwrap();
    let config = TlsConfig {
        acme: AcmeConfig {
            domains: vec!["fax.example.org".to_owned()],
            ..AcmeConfig::default()
        },
        ..TlsConfig::default()
    };
    let automatic = ServerTls::open(&config, folder.path(), "fax.example.org").unwrap();
    let asking = Arc::new(client_config(
        &made.cert_pem,
        &rustls::version::TLS13,
        &[b"acme-tls/1"],
    ));
    for tls in [plain, automatic] {
        connect(&tls, &asking, "fax.example.org").expect_err("no proof is up");
    }
    // Until the authority gives one, a certificate of our own serves.
    let kept = std::fs::read_to_string(folder.path().join("tls/self-signed.crt")).unwrap();
    let tls = ServerTls::open(&config, folder.path(), "fax.example.org").unwrap();
    let agreed = handshake(&tls, &kept, "fax.example.org", &rustls::version::TLS13);
    assert_eq!(agreed, "TLSv1_3 h2");
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
