//! The program dies again and again while faxes arrive; every fax is there once, byte for byte.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use faxgate_testkit::TestInstallation;
use faxgate_testkit::documents;
use faxgate_testkit::files;
use faxgate_testkit::rng::{self, TestRng};
use faxgate_testkit::service::delivery::Delivery;
use faxgate_testkit::service::installation::{API_SECRET, Setup};
use faxgate_testkit::wait;

/// How often the program is killed; set the variable for more.
const KILLS: &str = "FAXGATE_TEST_KILLS";

#[tokio::test(flavor = "multi_thread")]
async fn kills_at_any_moment_of_a_reception_cost_no_fax_and_double_none() {
    let kills = rng::repetitions(KILLS, 30);
    let mut rng = TestRng::seeded();
    let mut setup = Setup::new();
    // No look at the provider's list: what arrives, arrives by a delivery that was repeated.
    setup
        .set("disabled", true)
        .set("inbound.enabled", true)
        .set("limits.inbound_list_rpm", 0)
        .set("limits.inbound_get_rpm", 0);
    // The provider's waits between tries pass in a moment.
    setup.provider.time_scale = 3000.0;
    let mut installation = setup.start().await;
    let url = format!("{}/phaxio-inbound", installation.public_url());
    let mut sent = BTreeMap::new();
    for kill in 0..kills {
        for n in 0..1 + rng.below(3) {
            let bytes = [0, 3_000, 150_000, 400_000][rng.below(4)];
            let pdf = documents::pdf_of_size(1, &format!("fax {kill}.{n}"), bytes);
            let version = ["v1", "v2", "v2.1"][rng.below(3)];
            let order = json!({
                "pdf": BASE64.encode(&pdf), "callback_url": url, "copies": 1 + rng.below(2),
                "with_file": rng.below(4) > 0, "version": version,
            });
            sent.insert(installation.provider.receive(order).await["id"].to_string(), pdf);
        }
        // The moment of the kill is the point: nothing is waited for.
        tokio::time::sleep(Duration::from_micros(rng.below(120_000) as u64)).await;
        installation.kill();
        installation.revive().await;
    }
    every_one_once(&installation, &sent).await;
    let spool = files::below(&installation.data().join("spool"));
    assert!(spool.is_empty(), "left behind: {spool:?}");
    eprintln!("{kills} kills, {} faxes, {rng:?}", sent.len());
}

async fn every_one_once(installation: &TestInstallation, sent: &BTreeMap<String, Vec<u8>>) {
    let items = wait::until_or(
        "every fax to be there",
        Duration::from_secs(180),
        || async {
            let items = list(installation).await;
            (items.len() >= sent.len()).then_some(items)
        },
        || async { format!("{} of {}", list(installation).await.len(), sent.len()) },
    )
    .await;
    let mut seen = BTreeMap::new();
    for item in &items {
        let provider_id = item["provider_sid"].as_str().expect("id").to_owned();
        let id = item["id"].as_str().expect("id").to_owned();
        assert!(seen.insert(provider_id, id).is_none(), "twice: {item}");
    }
    assert_eq!(seen.len(), sent.len());
    for (provider_id, pdf) in sent {
        let id = &seen[provider_id];
        let kept = installation.admin.get(&format!("/inbound/{id}/pdf")).await;
        assert!(kept.status == 200 && kept.body == *pdf, "{provider_id} differs");
    }
}

/// Every received fax, page by page.
async fn list(installation: &TestInstallation) -> Vec<Value> {
    let mut items = Vec::new();
    let mut path = "/inbound?limit=100".to_owned();
    loop {
        let answer = installation.admin.get(&path).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let page = answer.json();
        items.extend(page["items"].as_array().cloned().expect("items"));
        match page["next_cursor"].as_str() {
            Some(cursor) => path = format!("/inbound?limit=100&cursor={cursor}"),
            None => return items,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn large_faxes_leave_no_memory_behind() {
    const LARGE: usize = 19 << 20;
    let mut setup = Setup::new();
    setup.set("inbound.enabled", true).set("disabled", true);
    let installation = setup.start().await;
    let pdf = documents::pdf_of_size(1, "large", LARGE);
    let mut resident = Vec::new();
    for n in 0..9 {
        let delivery = Delivery::of(n, &pdf, API_SECRET);
        let status = delivery
            .send(installation.admin.http(), &installation.public_url())
            .await;
        assert_eq!(status, 200);
        resident.push(memory(&installation, "VmRSS:"));
    }
    let items = list(&installation).await;
    assert_eq!(items.len(), 9);
    let id = items[0]["id"].as_str().expect("id");
    assert!(installation.admin.get(&format!("/inbound/{id}/pdf")).await.body == pdf);
    eprintln!(
        "resident after each of 19 MiB: {resident:?} KiB, peak {} KiB",
        memory(&installation, "VmHWM:")
    );
    // The first ones warm up what is kept for later; a copy kept of each would be six times this.
    let grown = resident[8].saturating_sub(resident[2]);
    assert!(grown * 1024 < LARGE as u64, "{resident:?}");
}

/// A figure of the running program from `/proc`, in KiB.
fn memory(installation: &TestInstallation, name: &str) -> u64 {
    let pid = installation.server.pid().expect("it runs");
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("status");
    let line = status
        .lines()
        .find(|line| line.starts_with(name))
        .expect("a figure");
    let figure = line.split_whitespace().nth(1).expect("a figure");
    figure.parse().expect("a number")
}
