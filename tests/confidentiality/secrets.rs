//! Nothing secret or personal in logs, metrics, the audit or stray files: canaries are searched for.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::json;

use faxgate_testkit::TestInstallation;
use faxgate_testkit::documents;
use faxgate_testkit::files;
use faxgate_testkit::service::client::Fax;
use faxgate_testkit::service::installation::{API_KEY, API_SECRET, BOOTSTRAP, CALLBACK_TOKEN, Setup};
use faxgate_testkit::wait;

const NUMBER: &str = "+12125557319";
const TEXT: &str = "CANARY-DIAGNOSIS-8861";
const FILE: &str = "canary-surname-4242.pdf";
const CANARIES: [&str; 10] = [
    NUMBER,
    "2125557319",
    "212-555-7319",
    "(212) 555-7319",
    TEXT,
    "canary-surname",
    BOOTSTRAP,
    API_KEY,
    API_SECRET,
    CALLBACK_TOKEN,
];

#[tokio::test(flavor = "multi_thread")]
async fn canaries_are_found_nowhere() {
    let mut setup = Setup::new();
    setup.set("log.level", "trace").set("inbound.enabled", true);
    let audit_file = setup.folder().join("audit.jsonl");
    setup.set("audit.file", audit_file.to_string_lossy().into_owned());
    let mut installation = setup.start().await;
    let token = installation
        .admin
        .make_key("clinic", &["fax:send", "fax:read"])
        .await;
    let (id, link_token) = live(&installation, &token).await;
    receive(&installation).await;

    let metrics = installation.admin.get("/metrics").await.text();
    let audit = installation.admin.get("/admin/audit?limit=500").await.text();
    let health = installation.admin.get("/admin/health-status").await.text();
    assert!(installation.server.terminate().await.success());
    let log = installation.server.log();
    assert!(audit.contains(&id), "the audit knows the job: {audit}");
    assert!(log.contains("/fax/{id}"), "the log knows the requests");
    let audit_file = std::fs::read_to_string(&audit_file).unwrap_or_default();
    let places = [
        ("log", &log),
        ("metrics", &metrics),
        ("audit", &audit),
        ("audit file", &audit_file),
        ("health", &health),
    ];
    let secret = token.rsplit('_').next().expect("secret");
    for canary in CANARIES.into_iter().chain([token.as_str(), secret, &link_token]) {
        for (place, content) in places {
            let hits: Vec<&str> = content
                .lines()
                .filter(|line| line.contains(canary))
                .take(3)
                .collect();
            assert!(hits.is_empty(), "{canary:?} in the {place}: {hits:#?}");
        }
    }
    // Neither keys nor link tokens are kept anywhere, not even by mistake in a file of the data folder.
    for (path, _) in files::below(&installation.data()) {
        if !path.is_file() {
            continue; // the control socket
        }
        let content = std::fs::read(&path).expect("file");
        for canary in [secret, &link_token, BOOTSTRAP, API_SECRET] {
            let found = content
                .windows(canary.len())
                .any(|window| window == canary.as_bytes());
            assert!(!found, "{canary:?} in {}", path.display());
        }
    }
}

/// Sends in every way, good and bad; answers a job's id and the token of its link.
async fn live(installation: &TestInstallation, token: &str) -> (String, String) {
    let client = installation.admin.with_key(token);
    let fax = Fax {
        file_name: FILE.to_owned(),
        ..Fax::pdf(NUMBER, documents::pdf(1, TEXT))
    };
    let id = client.accepted(&fax).await;
    client.reaches(&id, "SUCCESS").await;
    let text = client.accepted(&Fax::text(NUMBER, &format!("{TEXT}\n"))).await;
    client.reaches(&text, "SUCCESS").await;
    let seen = installation.provider.fax_of(&id).await;
    let link = seen["content_urls"][0].as_str().expect("link").to_owned();
    let link_token = link.split_once("token=").expect("token").1.to_owned();
    client.without_key().get(&link).await;
    // Refusals are logged too: each with something that must not be.
    client.without_key().get(&format!("{link}x")).await;
    client.with_key(&format!("{token}x")).get("/fax").await;
    let two_numbers = Fax {
        to: format!("{NUMBER},{NUMBER}"),
        ..fax.clone()
    };
    client.send(&two_numbers).await;
    let broken = Fax {
        document: format!("%PDF-1.4 {TEXT}").into_bytes(),
        ..fax
    };
    client.send(&broken).await;
    client
        .get(&format!("/fax?to={}", NUMBER.replace('+', "%2B")))
        .await;
    installation
        .provider
        .call_back(json!({ "fax": seen["id"], "scheme": "wrong" }))
        .await;
    client
        .post(&format!("/fax/{id}/resend"), &json!({ "to": "+12125559917" }))
        .await;
    let failed = client
        .accepted(&Fax::pdf("+12125559922", documents::pdf(1, TEXT)))
        .await;
    client.reaches(&failed, "FAILED").await;
    (id, link_token)
}

async fn receive(installation: &TestInstallation) {
    let pdf = BASE64.encode(documents::pdf(1, TEXT));
    let url = format!("{}/phaxio-inbound", installation.public_url());
    installation
        .provider
        .receive(json!({ "to": NUMBER, "from": NUMBER, "pdf": pdf, "callback_url": url }))
        .await;
    wait::until("the fax to be received", || async {
        let list = installation.admin.get("/inbound").await;
        (list.status == 200 && list.json()["items"].as_array()?.len() == 1).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_data_folder_is_nobody_elses() {
    use std::os::unix::fs::PermissionsExt;
    let installation = TestInstallation::start().await;
    installation
        .admin
        .accepted(&Fax::pdf("+12125550142", documents::pdf_of_size(1, "x", 100_000)))
        .await;
    let mode = |path: &std::path::Path| {
        std::fs::symlink_metadata(path)
            .expect("entry")
            .permissions()
            .mode()
            & 0o777
    };
    assert_eq!(mode(&installation.data()), 0o700);
    for (path, _) in installation.files() {
        if path.exists() {
            assert_eq!(mode(&path) & 0o077, 0, "{}", path.display());
        }
    }
}
