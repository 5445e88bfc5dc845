//! Automatic certificates, against a real authority (`pebble`): issuing, keeping, renewing, failing.

use std::net::SocketAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use faxgate_testkit::network::pebble::{self, Pebble};
use faxgate_testkit::ports;
use faxgate_testkit::service::server_process::ServerProcess;
use faxgate_testkit::wait;

const NAMES: [&str; 2] = ["fax.example.test", "api.example.test"];
const MONTHS: u64 = 90 * 24 * 3600;

/// A service with automatic certificates and its authority.
struct Place {
    server: ServerProcess,
    pebble: Pebble,
    http: SocketAddr,
    https: SocketAddr,
    folder: TempDir,
}

impl Place {
    /// None where there is no authority to be had. `proofs_at` is where it looks, when not at the service.
    async fn start(valid_seconds: u64, proofs_at: Option<u16>) -> Option<Self> {
        let folder = tempfile::Builder::new()
            .prefix("faxgate-acme-")
            .tempdir()
            .expect("folder");
        let (http, https) = (ports::reserve(), ports::reserve());
        let port = proofs_at.unwrap_or(https.port());
        let pebble = Pebble::start(folder.path(), port, valid_seconds).await?;
        let cache = faxgate_testkit::paths::scratch().join("policies");
        let config = toml::toml! {
            disabled = true
            [log]
            format = "json"
            level = "info,faxgate=debug"
        };
        let mut server = ServerProcess::new(folder.path(), &config, Vec::new());
        for (name, value) in [
            ("FAX_DATA_DIR", folder.path().join("data").display().to_string()),
            ("PLUGIN_CACHE_DIR", cache.display().to_string()),
            ("PUBLIC_API_URL", format!("https://{}", NAMES[0])),
            ("HTTP_LISTEN", http.to_string()),
            ("HTTPS_LISTEN", https.to_string()),
            ("ACME_DOMAINS", NAMES.join(",")),
            ("ACME_EMAIL", "ops@example.test".to_owned()),
            ("ACME_DIRECTORY_URL", pebble.directory()),
            ("ACME_CA_FILE", pebble.ca_file().display().to_string()),
        ] {
            server.env(name, &value);
        }
        let mut place = Self {
            server,
            pebble,
            http,
            https,
            folder,
        };
        place.begin().await;
        Some(place)
    }

    async fn begin(&mut self) {
        let url = format!("http://{}/health", self.http);
        self.server
            .start(|| async {
                reqwest::get(&url)
                    .await
                    .is_ok_and(|answer| answer.status() == 200)
            })
            .await;
    }

    /// The certificate that a client of this name is shown.
    async fn shown(&self, name: &str) -> CertificateDer<'static> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let seen = Arc::new(Seen::default());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .dangerous()
            .with_custom_certificate_verifier(Arc::clone(&seen) as Arc<_>)
            .with_no_client_auth();
        let stream = TcpStream::connect(self.https).await.expect("connect");
        let name = ServerName::try_from(name.to_owned()).expect("name");
        let connector = TlsConnector::from(Arc::new(config));
        connector.connect(name, stream).await.expect("handshake");
        seen.0.lock().clone().expect("a certificate")
    }

    /// Waits until a client that trusts the authority alone is served under this name.
    async fn is_trusted(&self, name: &str) {
        let root = self.pebble.root().await.expect("root");
        wait::until_or(
            "a certificate of the authority",
            std::time::Duration::from_secs(60),
            || async {
                let client = reqwest::Client::builder()
                    .tls_certs_only([reqwest::Certificate::from_pem(root.as_bytes()).expect("root")])
                    .resolve(name, self.https)
                    .build()
                    .expect("client");
                let url = format!("https://{name}:{}/health", self.https.port());
                let answer = client.get(url).send().await.ok()?;
                (answer.status() == 200).then_some(())
            },
            || async { self.pebble.log() },
        )
        .await;
    }

    async fn ask(&self, path: &str) -> (u16, String) {
        let answer = reqwest::get(format!("http://{}{path}", self.http))
            .await
            .expect("an answer");
        (answer.status().as_u16(), answer.text().await.expect("body"))
    }
}

/// Believes everything, and remembers what it was shown.
#[derive(Debug, Default)]
struct Seen(Mutex<Option<CertificateDer<'static>>>);

impl ServerCertVerifier for Seen {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        *self.0.lock() = Some(end_entity.clone().into_owned());
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        rustls::crypto::aws_lc_rs::default_provider()
            .signature_verification_algorithms
            .supported_schemes()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_got_kept_and_not_asked_for_again() {
    let Some(mut place) = Place::start(MONTHS, None).await else {
        return;
    };
    place.is_trusted(NAMES[0]).await;
    place.is_trusted(NAMES[1]).await;
    place.server.says("certificate received from the authority").await;
    assert_eq!(place.ask("/health/ready").await.0, 200);
    let metrics = place.ask("/metrics").await.1;
    assert!(
        metrics.contains("faxgate_certificate_expiry_timestamp_seconds{certificate=\"acme\"}"),
        "{metrics}"
    );
    assert!(
        metrics.contains("faxgate_certificate_renewals_total{outcome=\"ok\"} 1"),
        "{metrics}"
    );

    let kept = pebble::modes(&place.folder.path().join("data/acme"));
    let names: Vec<_> = kept
        .iter()
        .filter_map(|(path, _)| path.file_name()?.to_str())
        .collect();
    assert!(
        names.contains(&"account.json") && names.contains(&"certificate.pem"),
        "{kept:?}"
    );
    assert!(kept.iter().all(|(_, mode)| *mode == 0o600), "{kept:?}");

    // Without any authority, the same certificate serves after a restart.
    let first = place.shown(NAMES[0]).await;
    place.pebble.stop();
    assert!(place.server.terminate().await.success());
    place.begin().await;
    assert_eq!(place.shown(NAMES[0]).await, first);
    assert_eq!(place.ask("/health/ready").await.0, 200);
    let log = place.server.log();
    assert_eq!(
        log.matches("certificate received from the authority").count(),
        1,
        "one order"
    );
    assert!(!log.contains("no new certificate"), "nothing was asked again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_renewed_before_it_ends_by_the_same_account() {
    let Some(place) = Place::start(15, None).await else {
        return;
    };
    place.is_trusted(NAMES[0]).await;
    let first = place.shown(NAMES[0]).await;
    wait::until("another certificate", || async {
        (place.shown(NAMES[0]).await != first).then_some(())
    })
    .await;
    place.is_trusted(NAMES[0]).await;
    let log = place.server.log();
    assert_eq!(
        log.matches("account made at the certificate authority").count(),
        1,
        "{log}"
    );
    assert!(!log.contains("no new certificate"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_that_forgot_the_account_gets_a_new_one() {
    let Some(mut place) = Place::start(15, None).await else {
        return;
    };
    place.is_trusted(NAMES[0]).await;
    place.pebble.stop();
    place.pebble.begin().await;
    // Another root: what it trusts is new.
    place.is_trusted(NAMES[0]).await;
    let log = place.server.log();
    assert_eq!(
        log.matches("account made at the certificate authority").count(),
        2,
        "{log}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_keeps_a_certificate_away_is_told_and_a_reload_tries_again() {
    // The authority looks for proofs where nobody answers.
    let nobody = ports::reserve().port();
    let Some(place) = Place::start(MONTHS, Some(nobody)).await else {
        return;
    };
    place.server.says("no new certificate").await;
    let log = place.server.log();
    assert!(
        log.contains("the authority could not verify") && log.contains(".example.test"),
        "{log}"
    );
    // Everything else works meanwhile, over a certificate of our own.
    place.shown(NAMES[0]).await;
    let (status, ready) = place.ask("/health/ready").await;
    assert_eq!(status, 503);
    assert!(ready.contains("\"certificate\""), "{ready}");
    assert_eq!(place.ask("/health").await.0, 200);
    let tries = || place.server.log().matches("no new certificate").count();
    let before = tries();
    place.server.signal(rustix::process::Signal::HUP);
    wait::until("another attempt", || async { (tries() > before).then_some(()) }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_says_where_certificates_come_from() {
    let Some(place) = Place::start(MONTHS, None).await else {
        return;
    };
    place.is_trusted(NAMES[0]).await;
    let output = place.server.command(&["check"]).output().expect("check");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        said.contains(&place.pebble.directory()) && said.contains(NAMES[1]),
        "{said}"
    );
    assert!(
        !said.contains("not in force") && output.status.success(),
        "{said}"
    );
}
