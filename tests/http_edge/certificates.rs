//! Certificates from files over the real listener: one for each name, taken up when the files change, the last good one
//! otherwise.

use std::path::{Path, PathBuf};

use faxgate_testkit::TestInstallation;
use faxgate_testkit::service::installation::Setup;
use faxgate_testkit::wait;

/// Writes a new pair for a name into a folder; answers the certificate.
fn write(folder: &Path, name: &str) -> String {
    let made = faxgate_edge::tls::self_signed(&[name.to_owned()]).expect("certificate");
    let [cert, key] = paths(folder, name);
    std::fs::write(cert, &made.cert_pem).expect("certificate file");
    std::fs::write(key, made.key_pem.reveal()).expect("key file");
    made.cert_pem
}

fn paths(folder: &Path, name: &str) -> [PathBuf; 2] {
    [
        folder.join(format!("{name}.pem")),
        folder.join(format!("{name}.key")),
    ]
}

/// Whether a client that trusts this certificate alone is served under this name.
async fn is_served(installation: &TestInstallation, name: &str, trusted: &str) -> bool {
    let certificate = reqwest::Certificate::from_pem(trusted.as_bytes()).expect("certificate");
    let client = reqwest::Client::builder()
        .tls_certs_only([certificate])
        .resolve(name, installation.https)
        .build()
        .expect("client");
    let url = format!("https://{name}:{}/health", installation.https.port());
    client
        .get(url)
        .send()
        .await
        .is_ok_and(|answer| answer.status() == 200)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_name_has_its_certificate_and_changes_are_taken_up() {
    let mut setup = Setup::new();
    let folder = setup.folder();
    let first = write(&folder, "fax.example.test");
    let second = write(&folder, "api.example.test");
    // The installation's own certificate, for localhost, comes first.
    let own = [folder.join("cert.pem"), folder.join("key.pem")];
    let all = [
        own,
        paths(&folder, "fax.example.test"),
        paths(&folder, "api.example.test"),
    ];
    let list =
        |index: usize| -> Vec<String> { all.iter().map(|pair| pair[index].display().to_string()).collect() };
    setup
        .set("tls.cert_file", list(0))
        .set("tls.key_file", list(1))
        .set("disabled", true);
    let installation = setup.start().await;
    assert!(is_served(&installation, "fax.example.test", &first).await);
    assert!(is_served(&installation, "api.example.test", &second).await);
    assert!(!is_served(&installation, "api.example.test", &first).await);
    let metrics = installation.admin.get("/metrics").await.text();
    for path in list(0) {
        let line = format!("faxgate_certificate_expiry_timestamp_seconds{{certificate=\"{path}\"}}");
        assert!(metrics.contains(&line), "{line}: {metrics}");
    }

    // One is renewed while another is spoilt.
    std::fs::write(&paths(&folder, "fax.example.test")[0], "spoilt").expect("file");
    let renewed = write(&folder, "api.example.test");
    wait::until("the renewed certificate", || async {
        is_served(&installation, "api.example.test", &renewed)
            .await
            .then_some(())
    })
    .await;
    assert!(
        is_served(&installation, "fax.example.test", &first).await,
        "the last good one stays"
    );
    installation.server.says("the last good one stays: ").await;
    assert!(!is_served(&installation, "api.example.test", &second).await);
}
