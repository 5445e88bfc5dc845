//! Faxes that arrive: every shape, once each, byte for byte, found again by their owners.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use futures_util::future::join_all;
use serde_json::{Value, json};

use faxgate_testkit::TestInstallation;
use faxgate_testkit::documents;
use faxgate_testkit::service::installation::Setup;
use faxgate_testkit::wait;

fn setup() -> Setup {
    let mut setup = Setup::new();
    setup.set("inbound.enabled", true);
    setup
        .set("limits.inbound_list_rpm", 0)
        .set("limits.inbound_get_rpm", 0);
    setup
}

fn url(installation: &TestInstallation) -> String {
    format!("{}/phaxio-inbound", installation.public_url())
}

async fn received(installation: &TestInstallation, count: usize) -> Vec<Value> {
    wait::until(&format!("{count} received faxes"), || async {
        let list = installation.admin.get("/inbound?limit=100").await;
        assert_eq!(list.status, 200, "{}", list.text());
        let items = list.json()["items"].as_array().cloned()?;
        assert!(items.len() <= count, "too many: {items:#?}");
        (items.len() == count).then_some(items)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_shape_is_kept_byte_for_byte() {
    let installation = setup().start().await;
    let mut sent = Vec::new();
    for (n, version) in ["v1", "v2", "v2.1"].into_iter().enumerate() {
        for with_file in [true, false] {
            for scheme in ["sha1", "sha256"] {
                let pdf = documents::pdf(n + 1, &format!("{version} {with_file} {scheme}"));
                let answer = installation
                    .provider
                    .receive(json!({
                        "to": "+12125550100", "from": "+12125550177", "pdf": BASE64.encode(&pdf), "version": version,
                        "with_file": with_file, "scheme": scheme, "callback_url": url(&installation),
                    }))
                    .await;
                sent.push((answer["id"].to_string(), pdf, n + 1));
            }
        }
    }
    let items = received(&installation, sent.len()).await;
    for (provider_id, pdf, pages) in sent {
        let item = items
            .iter()
            .find(|item| item["provider_sid"] == provider_id.as_str())
            .expect("received");
        assert_eq!(
            (&item["from"], &item["to"]),
            (&"+12125550177".into(), &"+12125550100".into()),
            "{item}"
        );
        assert_eq!(item["pages"], pages);
        let id = item["id"].as_str().expect("id");
        let kept = installation.admin.get(&format!("/inbound/{id}/pdf")).await;
        assert_eq!((kept.status.as_u16(), kept.body == pdf), (200, true), "{item}");
        let link = installation
            .admin
            .post(&format!("/inbound/{id}/link"), &json!({}))
            .await;
        assert_eq!(link.status, 201, "{}", link.text());
        let link = link.json();
        let open = installation
            .admin
            .without_key()
            .get(link["url"].as_str().expect("url"))
            .await;
        assert_eq!((open.status.as_u16(), open.body == pdf), (200, true));
        assert!(link["expires_at"].as_str().expect("time").ends_with('Z'));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_record_however_often_it_is_delivered() {
    let mut installation = setup().start().await;
    let pdf = documents::pdf(1, "many times");
    let order = json!({ "pdf": BASE64.encode(&pdf), "callback_url": url(&installation), "copies": 8 });
    let id = installation.provider.receive(order).await["id"].clone();
    received(&installation, 1).await;
    installation.kill();
    installation.revive().await;
    let again = (0..4).map(|_| {
        installation
            .provider
            .call_back(json!({ "fax": id, "url": url(&installation) }))
    });
    for answer in join_all(again).await {
        assert_eq!(answer["status"], 200, "{answer}");
    }
    received(&installation, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_proved_is_not_kept() {
    let installation = setup().start().await;
    for scheme in ["none", "wrong"] {
        let order =
            json!({ "callback_url": url(&installation), "scheme": scheme, "copies": 0, "deliver": false });
        let id = installation.provider.receive(order).await["id"].clone();
        let order = json!({ "fax": id, "url": url(&installation), "scheme": scheme });
        assert_eq!(
            installation.provider.call_back(order).await["status"],
            401,
            "{scheme}"
        );
    }
    received(&installation, 0).await;
    let spool = installation
        .files()
        .into_iter()
        .filter(|(path, _)| path.starts_with(installation.data().join("spool")))
        .count();
    assert_eq!(spool, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_death_during_reception_costs_a_retry_and_no_fax() {
    let mut setup = setup();
    // Five minutes until the first retry pass in a blink.
    setup.provider.time_scale = 600.0;
    let mut installation = setup.start().await;
    let mut sent = Vec::new();
    for n in 0..12 {
        let pdf = documents::pdf_of_size(1, &format!("fax {n}"), 40_000 * (n % 3));
        let order = json!({ "pdf": BASE64.encode(&pdf), "callback_url": url(&installation) });
        sent.push((installation.provider.receive(order).await["id"].to_string(), pdf));
        if n % 4 == 3 {
            installation.kill();
            installation.revive().await;
        }
    }
    let items = received(&installation, sent.len()).await;
    for (provider_id, pdf) in sent {
        let item = items
            .iter()
            .find(|item| item["provider_sid"] == provider_id.as_str())
            .expect("received");
        let kept = installation
            .admin
            .get(&format!("/inbound/{}/pdf", item["id"].as_str().expect("id")))
            .await;
        assert!(kept.body == pdf, "{item}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_while_nobody_listened_becomes_known() {
    let mut installation = setup().start().await;
    installation.kill();
    let pdf = documents::pdf(2, "while away");
    installation
        .provider
        .receive(json!({ "pdf": BASE64.encode(&pdf), "deliver": false }))
        .await;
    installation.revive().await;
    let items = received(&installation, 1).await;
    let kept = installation
        .admin
        .get(&format!("/inbound/{}/pdf", items[0]["id"].as_str().expect("id")))
        .await;
    assert!(kept.body == pdf);
}

#[tokio::test(flavor = "multi_thread")]
async fn called_numbers_belong_to_owners() {
    let mut setup = setup();
    let mut routes = toml::Table::new();
    routes.insert("+12125550101".to_owned(), "clinic".into());
    routes.insert("+12125550102".to_owned(), "lab".into());
    setup.set("inbound.routes", routes);
    let installation = setup.start().await;
    for to in ["+12125550101", "+12125550102"] {
        let order = json!({ "to": to, "pages": 1, "callback_url": url(&installation) });
        installation.provider.receive(order).await;
    }
    received(&installation, 2).await;
    let token = installation
        .admin
        .make_key("clinic", &["inbound:list", "inbound:read"])
        .await;
    let clinic = installation.admin.with_key(&token);
    let items = clinic.get("/inbound").await.json()["items"]
        .as_array()
        .cloned()
        .expect("items");
    assert_eq!(items.len(), 1, "{items:#?}");
    assert_eq!(items[0]["to"], "+12125550101");
    let filtered = installation.admin.get("/inbound?to=%2B12125550102").await.json();
    let other = filtered["items"][0]["id"].as_str().expect("id").to_owned();
    clinic.get(&format!("/inbound/{other}")).await.problem(404);
    clinic.get(&format!("/inbound/{other}/pdf")).await.problem(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn inbound_that_is_off_is_not_there() {
    let installation = TestInstallation::start().await;
    let order = json!({ "pages": 1, "deliver": false });
    let id = installation.provider.receive(order).await["id"].clone();
    let answer = installation
        .provider
        .call_back(json!({ "fax": id, "url": url(&installation) }))
        .await;
    assert_eq!(answer["status"], 404, "{answer}");
}
