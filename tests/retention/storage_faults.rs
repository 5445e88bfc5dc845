//! Keeping and destroying when storage fails and when nothing is to be kept.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::Method;
use serde_json::{Value, json};

use faxgate_testkit::TestInstallation;
use faxgate_testkit::documents;
use faxgate_testkit::files;
use faxgate_testkit::service::client::Fax;
use faxgate_testkit::service::installation::{API_KEY, API_SECRET, CALLBACK_TOKEN, Setup};
use faxgate_testkit::storage::s3_server::{ACCESS_KEY, BUCKET, Fault, S3Server, SECRET_KEY};
use faxgate_testkit::wait;

/// Attempts of one operation.
const ATTEMPTS: usize = 3;

async fn in_a_bucket(more: impl FnOnce(&mut Setup)) -> (TestInstallation, S3Server) {
    let server = S3Server::start().await;
    let mut setup = Setup::new();
    setup
        .set("storage.backend", "s3")
        .set("storage.s3.bucket", BUCKET)
        .set("storage.s3.endpoint_url", server.url())
        .set("storage.s3.access_key_id", ACCESS_KEY)
        .set("storage.s3.secret_access_key", SECRET_KEY)
        .set("inbound.enabled", true)
        .set("limits.inbound_list_rpm", 0)
        .set("limits.inbound_get_rpm", 0);
    more(&mut setup);
    (setup.start().await, server)
}

/// A fax that arrives at the provider, and how its delivery is answered.
async fn arrive(installation: &TestInstallation, pdf: &[u8]) -> Value {
    let order = json!({ "pdf": BASE64.encode(pdf), "deliver": false });
    installation.provider.receive(order).await["id"].clone()
}

/// Delivers it once; the status of the answer, none when the provider lost its patience.
async fn deliver(installation: &TestInstallation, id: &Value) -> Option<u64> {
    let url = format!("{}/phaxio-inbound", installation.public_url());
    let answer = installation
        .provider
        .call_back(json!({ "fax": id, "url": url }))
        .await;
    answer["status"].as_u64()
}

async fn listed(installation: &TestInstallation) -> Vec<Value> {
    let list = installation.admin.get("/inbound").await.json();
    list["items"].as_array().cloned().expect("items")
}

fn puts(server: &S3Server) -> usize {
    let seen = server.take_seen();
    seen.iter().filter(|seen| seen.method == Method::PUT).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_received_fax_waits_for_the_bucket_and_is_never_half_there() {
    // No look at the provider's list: only a repeated delivery helps.
    let (installation, server) = in_a_bucket(|setup| _ = setup.set("disabled", true)).await;
    let pdf = documents::pdf_of_size(1, "through a bad bucket", 150_000);
    let fax = arrive(&installation, &pdf).await;
    for fault in [Fault::Status(500), Fault::LoseAnswer, Fault::Status(403)] {
        server.take_seen();
        server.always(Some(fault));
        let status = deliver(&installation, &fax).await;
        assert!(status >= Some(500), "{fault:?}: {status:?}");
        server.always(None);
        let tries = puts(&server);
        assert!((1..=ATTEMPTS).contains(&tries), "{fault:?}: {tries} attempts");
        assert!(listed(&installation).await.is_empty(), "{fault:?}");
    }
    // A bucket slower than the provider's patience: one of its later tries finds the fax kept.
    server.script([Fault::Hang, Fault::Status(500)]);
    wait::until_equal("a delivery to succeed", Some(200), || {
        deliver(&installation, &fax)
    })
    .await;
    assert_eq!(deliver(&installation, &fax).await, Some(200), "a repeat");
    let items = listed(&installation).await;
    assert_eq!(items.len(), 1, "{items:#?}");
    let path = format!("/inbound/{}/pdf", items[0]["id"].as_str().expect("id"));
    for fault in [Fault::Truncate, Fault::Corrupt] {
        server.always(Some(fault));
        let request = installation.admin.request(Method::GET, &path);
        let answer = installation.admin.try_ask(request).await;
        let good = answer.is_ok_and(|answer| answer.status == 200);
        assert!(!good, "{fault:?}: a damaged document looked complete");
    }
    server.always(Some(Fault::Status(500)));
    installation.admin.get(&path).await.problem(503);
    server.always(None);
    assert!(installation.admin.get(&path).await.body == pdf);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missed_fax_is_looked_for_until_it_can_be_kept() {
    let (installation, server) = in_a_bucket(|setup| _ = setup.set("dispatch.poll_after_seconds", 0.2)).await;
    server.always(Some(Fault::Status(500)));
    let pdf = documents::pdf(1, "never delivered");
    arrive(&installation, &pdf).await;
    // Longer than the time that is looked back over when all is well.
    wait::until("several looks in vain", || async {
        let log = installation.server.log();
        (log.matches("could not be fetched yet").count() >= 4).then_some(())
    })
    .await;
    assert!(listed(&installation).await.is_empty());
    server.always(None);
    let id = wait::until("the fax", || async {
        let items = listed(&installation).await;
        items.first()?["id"].as_str().map(str::to_owned)
    })
    .await;
    let kept = installation.admin.get(&format!("/inbound/{id}/pdf")).await;
    assert!(kept.body == pdf);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_accepted_fax_waits_for_a_bucket_that_went_away() {
    let (installation, server) = in_a_bucket(|_| {}).await;
    installation.provider.credentials(json!({ "valid": false })).await;
    let pdf = documents::pdf(1, "accepted, then the bucket went");
    let id = installation
        .admin
        .accepted(&Fax::pdf("+12125550142", pdf.clone()))
        .await;
    wait::until("the queue to be held", || async {
        let ready = installation.admin.get("/health/ready").await;
        (ready.status == 503).then_some(())
    })
    .await;
    server.always(Some(Fault::Status(503)));
    installation.provider.credentials(json!({ "valid": true })).await;
    installation.server.signal(rustix::process::Signal::HUP);
    wait::until("the fax to wait for its document", || async {
        let events = installation.admin.events(&id).await;
        let told = events.iter().any(|event| event.to_string().contains("storage"));
        told.then_some(())
    })
    .await;
    assert_eq!(installation.admin.job(&id).await["error"], Value::Null);
    assert!(
        installation.provider.faxes_of(&id).await.is_empty(),
        "nothing was announced"
    );
    server.always(None);
    installation.admin.reaches(&id, "SUCCESS").await;
    let fax = installation.provider.fax_of(&id).await;
    assert!(installation.provider.content(&fax["id"].to_string()).await == pdf);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_kept_beyond_the_end_when_so_configured() {
    let mut setup = Setup::new();
    // The interval stays at a day: documents don't wait for a sweep.
    setup.set("retention.destroy_at_end", true);
    let mut installation = setup.start().await;
    let mut ids = Vec::new();
    for (to, end, bytes) in [
        ("+12125550142", "SUCCESS", 10),
        ("+12125550143", "SUCCESS", 300_000),
        ("+12125559917", "FAILED", 10),
        ("+12125559922", "FAILED", 300_000),
    ] {
        let pdf = documents::pdf_of_size(1, "not kept", bytes);
        let id = installation.admin.accepted(&Fax::pdf(to, pdf)).await;
        ids.push((id, end));
    }
    for (id, end) in &ids {
        let job = installation.admin.ends(id).await;
        assert_eq!(job["status"], *end, "{job}");
        gone(&installation, id).await;
    }
    assert!(files::below(&installation.data().join("artifacts")).is_empty());
    installation.kill();
    installation.revive().await;
    for (id, end) in &ids {
        assert_eq!(
            installation.admin.job(id).await["status"],
            *end,
            "the record stays"
        );
        installation
            .admin
            .get(&format!("/fax/{id}/pdf"))
            .await
            .problem(410);
        let again = installation
            .admin
            .post(&format!("/fax/{id}/resend"), &json!({}))
            .await;
        again.problem(410);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_destroyed_at_the_end_goes_after_the_next_start() {
    let (mut installation, server) = in_a_bucket(|setup| {
        setup.set("retention.destroy_at_end", true);
        setup.provider.completion = std::time::Duration::from_secs(20);
    })
    .await;
    let id = installation
        .admin
        .accepted(&Fax::pdf("+12125550142", documents::pdf(1, "stuck")))
        .await;
    wait::until("the provider to have fetched the document", || async {
        let fax = installation.provider.faxes_of(&id).await.pop()?;
        (fax["content_bytes"].as_u64()? > 0).then_some(())
    })
    .await;
    server.always(Some(Fault::Status(500)));
    installation.admin.reaches(&id, "SUCCESS").await;
    installation.server.says("could not be destroyed yet").await;
    installation.kill();
    assert_eq!(server.count_of(".pdf"), 1);
    server.always(None);
    installation.revive().await;
    gone(&installation, &id).await;
    assert_eq!(server.count_of(".pdf"), 0);
}

async fn gone(installation: &TestInstallation, id: &str) {
    wait::until_equal("the document to go", 410, || async {
        installation
            .admin
            .get(&format!("/fax/{id}/pdf"))
            .await
            .status
            .as_u16()
    })
    .await;
    // The bytes go first, the record follows.
    wait::until("the record to say so", || async {
        let timeline = installation.admin.timeline(id).await;
        timeline.contains(&"purged".to_owned()).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_fax_delivered_by_many_at_once_leaves_one_record_and_one_document() {
    let (installation, server) = in_a_bucket(|setup| _ = setup.set("disabled", true)).await;
    let pdf = documents::pdf_of_size(1, "all at once", 200_000);
    let fax = arrive(&installation, &pdf).await;
    let answers = futures_util::future::join_all((0..12).map(|_| deliver(&installation, &fax))).await;
    assert_eq!(answers, [Some(200); 12]);
    assert_eq!(listed(&installation).await.len(), 1);
    assert_eq!(server.count_of(".pdf"), 1, "{:?}", server.objects());
    assert!(files::below(&installation.data().join("spool")).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_arrives_elsewhere_is_not_everybodys_once_numbers_have_owners() {
    let (installation, _server) = in_a_bucket(|setup| {
        let routes = toml::Table::from_iter([("+12125550101".to_owned(), "clinic".into())]);
        setup.set("inbound.routes", routes);
    })
    .await;
    let order = json!({ "to": "+12125550109", "pages": 1, "deliver": false });
    let fax = installation.provider.receive(order).await["id"].clone();
    assert_eq!(deliver(&installation, &fax).await, Some(200));
    let id = listed(&installation).await[0]["id"]
        .as_str()
        .expect("id")
        .to_owned();
    for (owner, sees) in [("clinic", false), ("inbound", true)] {
        let token = installation
            .admin
            .make_key(owner, &["inbound:list", "inbound:read"])
            .await;
        let client = installation.admin.with_key(&token);
        let items = client.get("/inbound").await.json();
        assert_eq!(items["items"].as_array().map(Vec::len), Some(usize::from(sees)));
        let status = client.get(&format!("/inbound/{id}")).await.status;
        assert_eq!(status == 200, sees, "{owner}: {status}");
    }
}

/// Searched for in everything that is said.
const CANARY_NUMBER: &str = "+12125557319";
const CANARY_TEXT: &str = "CANARY-FINDING-7702";

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_bucket_and_bad_deliveries_tell_no_secrets() {
    let mut audit_file = None;
    let (mut installation, server) = in_a_bucket(|setup| {
        let file = setup.folder().join("audit.jsonl");
        setup
            .set("log.level", "trace")
            .set("audit.file", file.to_string_lossy().into_owned());
        audit_file = Some(file);
    })
    .await;
    let mut told = everything_goes_wrong(&installation, &server).await;
    let id = listed(&installation).await[0]["id"]
        .as_str()
        .expect("id")
        .to_owned();
    let link = installation
        .admin
        .post(&format!("/inbound/{id}/link"), &json!({}))
        .await;
    let link = link.json()["url"].as_str().expect("url").to_owned();
    let token = link.split_once("token=").expect("token").1.to_owned();
    let stranger = installation.admin.without_key();
    assert_eq!(stranger.get(&link).await.status, 200);
    let wrong = stranger.get(&format!("/inbound/{id}/pdf?token=x{token}")).await;
    told.push_str(&wrong.text());
    let metrics = installation.admin.get("/metrics").await.text();
    let audit = wait::until("the audit to know it all", || async {
        let audit = installation.admin.get("/admin/audit?limit=500").await.text();
        let all = [
            "inbound.received",
            "inbound.link",
            "inbound.document.read",
            "callback",
        ];
        all.iter().all(|what| audit.contains(what)).then_some(audit)
    })
    .await;
    assert!(installation.server.terminate().await.success());
    let export = installation
        .server
        .command(&["audit", "export"])
        .output()
        .expect("export");
    let export = String::from_utf8_lossy(&export.stdout).into_owned();
    assert!(export.lines().count() > 5, "{export}");
    let file = std::fs::read_to_string(audit_file.expect("file")).expect("audit file");
    let places = [
        ("log", installation.server.log()),
        ("metrics", metrics),
        ("audit", audit),
        ("audit file", file),
        ("audit export", export),
        ("answers", told),
    ];
    for canary in [
        CANARY_NUMBER,
        "2125557319",
        CANARY_TEXT,
        SECRET_KEY,
        API_KEY,
        API_SECRET,
        CALLBACK_TOKEN,
        &token,
    ] {
        for (place, content) in &places {
            let mut hits = content.lines().filter(|line| line.contains(canary));
            assert_eq!(hits.next(), None, "{canary:?} in the {place}");
        }
    }
}

/// Receives and sends with a good bucket and a bad one, with proof and without; what clients were told.
async fn everything_goes_wrong(installation: &TestInstallation, server: &S3Server) -> String {
    let pdf = documents::pdf(1, CANARY_TEXT);
    let url = format!("{}/phaxio-inbound", installation.public_url());
    let mut told = String::new();
    for (with_file, fault) in [(true, None), (false, None), (true, Some(Fault::Status(500)))] {
        server.always(fault);
        let order = json!({
            "to": CANARY_NUMBER, "from": CANARY_NUMBER, "pdf": BASE64.encode(&pdf), "with_file": with_file,
            "callback_url": url,
        });
        let id = installation.provider.receive(order).await["id"].clone();
        for scheme in ["sha1", "sha256", "wrong", "none"] {
            let order = json!({ "fax": id, "url": url, "scheme": scheme });
            told.push_str(&installation.provider.call_back(order).await.to_string());
        }
        let sent = installation
            .admin
            .send(&Fax::pdf(CANARY_NUMBER, pdf.clone()))
            .await;
        // An accepted one is told its own number, of course.
        if sent.status != 202 {
            told.push_str(&sent.text());
        }
        told.push_str(&installation.admin.get("/health/ready").await.text());
    }
    server.always(None);
    told
}
