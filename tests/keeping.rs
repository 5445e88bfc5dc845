//! Keeping and destroying when storage fails and when nothing is to be kept.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::Method;
use serde_json::{Value, json};

use crate::harness::client::Fax;
use crate::harness::s3::{ACCESS_KEY, BUCKET, Fault, S3Server, SECRET_KEY};
use crate::harness::world::{API_KEY, API_SECRET, CALLBACK_TOKEN, Setup};
use crate::harness::{World, documents, gate, wait};

/// Attempts of one operation.
const ATTEMPTS: usize = 3;

async fn in_a_bucket(more: impl FnOnce(&mut Setup)) -> (World, S3Server) {
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
async fn arrive(world: &World, pdf: &[u8]) -> Value {
    let order = json!({ "pdf": BASE64.encode(pdf), "deliver": false });
    world.provider.receive(order).await["id"].clone()
}

/// Delivers it once; the status of the answer, none when the provider lost its patience.
async fn deliver(world: &World, id: &Value) -> Option<u64> {
    let url = format!("{}/phaxio-inbound", world.public_url());
    let answer = world.provider.call_back(json!({ "fax": id, "url": url })).await;
    answer["status"].as_u64()
}

async fn listed(world: &World) -> Vec<Value> {
    let list = world.admin.get("/inbound").await.json();
    list["items"].as_array().cloned().expect("items")
}

fn puts(server: &S3Server) -> usize {
    let seen = server.take_seen();
    seen.iter().filter(|seen| seen.method == Method::PUT).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_received_fax_waits_for_the_bucket_and_is_never_half_there() {
    // No look at the provider's list: only a repeated delivery helps.
    let (world, server) = in_a_bucket(|setup| _ = setup.set("disabled", true)).await;
    let pdf = documents::pdf_of_size(1, "through a bad bucket", 150_000);
    let fax = arrive(&world, &pdf).await;
    for fault in [Fault::Status(500), Fault::LoseAnswer, Fault::Status(403)] {
        server.take_seen();
        server.always(Some(fault));
        let status = deliver(&world, &fax).await;
        assert!(status >= Some(500), "{fault:?}: {status:?}");
        server.always(None);
        let tries = puts(&server);
        assert!((1..=ATTEMPTS).contains(&tries), "{fault:?}: {tries} attempts");
        assert!(listed(&world).await.is_empty(), "{fault:?}");
    }
    // A bucket slower than the provider's patience: one of its later tries finds the fax kept.
    server.script([Fault::Hang, Fault::Status(500)]);
    wait::until_equal("a delivery to succeed", Some(200), || deliver(&world, &fax)).await;
    assert_eq!(deliver(&world, &fax).await, Some(200), "a repeat");
    let items = listed(&world).await;
    assert_eq!(items.len(), 1, "{items:#?}");
    let path = format!("/inbound/{}/pdf", items[0]["id"].as_str().expect("id"));
    for fault in [Fault::Truncate, Fault::Corrupt] {
        server.always(Some(fault));
        let request = world.admin.request(Method::GET, &path);
        let answer = world.admin.try_ask(request).await;
        let good = answer.is_ok_and(|answer| answer.status == 200);
        assert!(!good, "{fault:?}: a damaged document looked complete");
    }
    server.always(Some(Fault::Status(500)));
    world.admin.get(&path).await.problem(503);
    server.always(None);
    assert!(world.admin.get(&path).await.body == pdf);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_accepted_fax_waits_for_a_bucket_that_went_away() {
    let (world, server) = in_a_bucket(|_| {}).await;
    world.provider.credentials(json!({ "valid": false })).await;
    let pdf = documents::pdf(1, "accepted, then the bucket went");
    let id = world.admin.accepted(&Fax::pdf("+12125550142", pdf.clone())).await;
    wait::until("the queue to be held", || async {
        let ready = world.admin.get("/health/ready").await;
        (ready.status == 503).then_some(())
    })
    .await;
    server.always(Some(Fault::Status(503)));
    world.provider.credentials(json!({ "valid": true })).await;
    world.gate.signal(rustix::process::Signal::HUP);
    wait::until("the fax to wait for its document", || async {
        let events = world.admin.events(&id).await;
        let told = events.iter().any(|event| event.to_string().contains("storage"));
        told.then_some(())
    })
    .await;
    assert_eq!(world.admin.job(&id).await["error"], Value::Null);
    assert!(
        world.provider.faxes_of(&id).await.is_empty(),
        "nothing was announced"
    );
    server.always(None);
    world.admin.reaches(&id, "SUCCESS").await;
    let fax = world.provider.fax_of(&id).await;
    assert!(world.provider.content(&fax["id"].to_string()).await == pdf);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_kept_beyond_the_end_when_so_configured() {
    let mut setup = Setup::new();
    // The interval stays at a day: documents don't wait for a sweep.
    setup.set("retention.destroy_at_end", true);
    let mut world = setup.start().await;
    let mut ids = Vec::new();
    for (to, end, bytes) in [
        ("+12125550142", "SUCCESS", 10),
        ("+12125550143", "SUCCESS", 300_000),
        ("+12125559917", "FAILED", 10),
        ("+12125559922", "FAILED", 300_000),
    ] {
        let pdf = documents::pdf_of_size(1, "not kept", bytes);
        let id = world.admin.accepted(&Fax::pdf(to, pdf)).await;
        ids.push((id, end));
    }
    for (id, end) in &ids {
        let job = world.admin.ends(id).await;
        assert_eq!(job["status"], *end, "{job}");
        gone(&world, id).await;
    }
    assert!(gate::files(&world.data().join("artifacts")).is_empty());
    world.kill();
    world.revive().await;
    for (id, end) in &ids {
        assert_eq!(world.admin.job(id).await["status"], *end, "the record stays");
        world.admin.get(&format!("/fax/{id}/pdf")).await.problem(410);
        let again = world.admin.post(&format!("/fax/{id}/resend"), &json!({})).await;
        again.problem(410);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_destroyed_at_the_end_goes_after_the_next_start() {
    let (mut world, server) = in_a_bucket(|setup| {
        setup.set("retention.destroy_at_end", true);
        setup.provider.completion = std::time::Duration::from_secs(20);
    })
    .await;
    let id = world
        .admin
        .accepted(&Fax::pdf("+12125550142", documents::pdf(1, "stuck")))
        .await;
    wait::until("the provider to have fetched the document", || async {
        let fax = world.provider.faxes_of(&id).await.pop()?;
        (fax["content_bytes"].as_u64()? > 0).then_some(())
    })
    .await;
    server.always(Some(Fault::Status(500)));
    world.admin.reaches(&id, "SUCCESS").await;
    world.gate.says("could not be destroyed yet").await;
    world.kill();
    assert_eq!(server.count_of(".pdf"), 1);
    server.always(None);
    world.revive().await;
    gone(&world, &id).await;
    assert_eq!(server.count_of(".pdf"), 0);
}

async fn gone(world: &World, id: &str) {
    wait::until_equal("the document to go", 410, || async {
        world.admin.get(&format!("/fax/{id}/pdf")).await.status.as_u16()
    })
    .await;
    // The bytes go first, the record follows.
    wait::until("the record to say so", || async {
        let timeline = world.admin.timeline(id).await;
        timeline.contains(&"purged".to_owned()).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_fax_delivered_by_many_at_once_leaves_one_record_and_one_document() {
    let (world, server) = in_a_bucket(|setup| _ = setup.set("disabled", true)).await;
    let pdf = documents::pdf_of_size(1, "all at once", 200_000);
    let fax = arrive(&world, &pdf).await;
    let answers = futures_util::future::join_all((0..12).map(|_| deliver(&world, &fax))).await;
    assert_eq!(answers, [Some(200); 12]);
    assert_eq!(listed(&world).await.len(), 1);
    assert_eq!(server.count_of(".pdf"), 1, "{:?}", server.objects());
    assert!(gate::files(&world.data().join("spool")).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_arrives_elsewhere_is_not_everybodys_once_numbers_have_owners() {
    let (world, _server) = in_a_bucket(|setup| {
        let routes = toml::Table::from_iter([("+12125550101".to_owned(), "clinic".into())]);
        setup.set("inbound.routes", routes);
    })
    .await;
    let order = json!({ "to": "+12125550109", "pages": 1, "deliver": false });
    let fax = world.provider.receive(order).await["id"].clone();
    assert_eq!(deliver(&world, &fax).await, Some(200));
    let id = listed(&world).await[0]["id"].as_str().expect("id").to_owned();
    for (owner, sees) in [("clinic", false), ("inbound", true)] {
        let token = world
            .admin
            .make_key(owner, &["inbound:list", "inbound:read"])
            .await;
        let client = world.admin.with_key(&token);
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
    let (mut world, server) = in_a_bucket(|setup| {
        let file = setup.folder().join("audit.jsonl");
        setup
            .set("log.level", "trace")
            .set("audit.file", file.to_string_lossy().into_owned());
        audit_file = Some(file);
    })
    .await;
    let mut told = everything_goes_wrong(&world, &server).await;
    let id = listed(&world).await[0]["id"].as_str().expect("id").to_owned();
    let link = world.admin.post(&format!("/inbound/{id}/link"), &json!({})).await;
    let link = link.json()["url"].as_str().expect("url").to_owned();
    let token = link.split_once("token=").expect("token").1.to_owned();
    let stranger = world.admin.without_key();
    assert_eq!(stranger.get(&link).await.status, 200);
    let wrong = stranger.get(&format!("/inbound/{id}/pdf?token=x{token}")).await;
    told.push_str(&wrong.text());
    let metrics = world.admin.get("/metrics").await.text();
    let audit = wait::until("the audit to know it all", || async {
        let audit = world.admin.get("/admin/audit?limit=500").await.text();
        let all = [
            "inbound.received",
            "inbound.link",
            "inbound.document.read",
            "callback",
        ];
        all.iter().all(|what| audit.contains(what)).then_some(audit)
    })
    .await;
    assert!(world.gate.terminate().await.success());
    let export = world.gate.command(&["audit", "export"]).output().expect("export");
    let export = String::from_utf8_lossy(&export.stdout).into_owned();
    assert!(export.lines().count() > 5, "{export}");
    let file = std::fs::read_to_string(audit_file.expect("file")).expect("audit file");
    let places = [
        ("log", world.gate.log()),
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
async fn everything_goes_wrong(world: &World, server: &S3Server) -> String {
    let pdf = documents::pdf(1, CANARY_TEXT);
    let url = format!("{}/phaxio-inbound", world.public_url());
    let mut told = String::new();
    for (with_file, fault) in [(true, None), (false, None), (true, Some(Fault::Status(500)))] {
        server.always(fault);
        let order = json!({
            "to": CANARY_NUMBER, "from": CANARY_NUMBER, "pdf": BASE64.encode(&pdf), "with_file": with_file,
            "callback_url": url,
        });
        let id = world.provider.receive(order).await["id"].clone();
        for scheme in ["sha1", "sha256", "wrong", "none"] {
            let order = json!({ "fax": id, "url": url, "scheme": scheme });
            told.push_str(&world.provider.call_back(order).await.to_string());
        }
        let sent = world.admin.send(&Fax::pdf(CANARY_NUMBER, pdf.clone())).await;
        // An accepted one is told its own number, of course.
        if sent.status != 202 {
            told.push_str(&sent.text());
        }
        told.push_str(&world.admin.get("/health/ready").await.text());
    }
    server.always(None);
    told
}
