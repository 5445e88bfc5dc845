//! The program dies again and again while faxes arrive; every fax is there once, byte for byte.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use crate::harness::delivery::Delivery;
use crate::harness::dice::{self, Dice};
use crate::harness::world::{API_SECRET, Setup};
use crate::harness::{World, documents, gate, wait};

/// How often the program is killed; set the variable for more.
const KILLS: &str = "FAXGATE_TEST_KILLS";

#[tokio::test(flavor = "multi_thread")]
async fn kills_at_any_moment_of_a_reception_cost_no_fax_and_double_none() {
    let kills = dice::count(KILLS, 30);
    let mut dice = Dice::seeded();
    let mut setup = Setup::new();
    // No look at the provider's list: what arrives, arrives by a delivery that was repeated.
    setup
        .set("disabled", true)
        .set("inbound.enabled", true)
        .set("limits.inbound_list_rpm", 0)
        .set("limits.inbound_get_rpm", 0);
    // The provider's waits between tries pass in a moment.
    setup.provider.time_scale = 3000.0;
    let mut world = setup.start().await;
    let url = format!("{}/phaxio-inbound", world.public_url());
    let mut sent = BTreeMap::new();
    for kill in 0..kills {
        for n in 0..1 + dice.roll(3) {
            let bytes = [0, 3_000, 150_000, 400_000][dice.roll(4)];
            let pdf = documents::pdf_of_size(1, &format!("fax {kill}.{n}"), bytes);
            let version = ["v1", "v2", "v2.1"][dice.roll(3)];
            let order = json!({
                "pdf": BASE64.encode(&pdf), "callback_url": url, "copies": 1 + dice.roll(2),
                "with_file": dice.roll(4) > 0, "version": version,
            });
            sent.insert(world.provider.receive(order).await["id"].to_string(), pdf);
        }
        // The moment of the kill is the point: nothing is waited for.
        tokio::time::sleep(Duration::from_micros(dice.roll(120_000) as u64)).await;
        world.kill();
        world.revive().await;
    }
    every_one_once(&world, &sent).await;
    let spool = gate::files(&world.data().join("spool"));
    assert!(spool.is_empty(), "left behind: {spool:?}");
    eprintln!("{kills} kills, {} faxes, {dice:?}", sent.len());
}

async fn every_one_once(world: &World, sent: &BTreeMap<String, Vec<u8>>) {
    let items = wait::until_or(
        "every fax to be there",
        Duration::from_secs(180),
        || async {
            let items = list(world).await;
            (items.len() >= sent.len()).then_some(items)
        },
        || async { format!("{} of {}", list(world).await.len(), sent.len()) },
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
        let kept = world.admin.get(&format!("/inbound/{id}/pdf")).await;
        assert!(kept.status == 200 && kept.body == *pdf, "{provider_id} differs");
    }
}

/// Every received fax, page by page.
async fn list(world: &World) -> Vec<Value> {
    let mut items = Vec::new();
    let mut path = "/inbound?limit=100".to_owned();
    loop {
        let answer = world.admin.get(&path).await;
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
    let world = setup.start().await;
    let pdf = documents::pdf_of_size(1, "large", LARGE);
    let mut resident = Vec::new();
    for n in 0..9 {
        let delivery = Delivery::of(n, &pdf, API_SECRET);
        let status = delivery.send(world.admin.http(), &world.public_url()).await;
        assert_eq!(status, 200);
        resident.push(memory(&world, "VmRSS:"));
    }
    let items = list(&world).await;
    assert_eq!(items.len(), 9);
    let id = items[0]["id"].as_str().expect("id");
    assert!(world.admin.get(&format!("/inbound/{id}/pdf")).await.body == pdf);
    eprintln!(
        "resident after each of 19 MiB: {resident:?} KiB, peak {} KiB",
        memory(&world, "VmHWM:")
    );
    // The first ones warm up what is kept for later; a copy kept of each would be six times this.
    let grown = resident[8].saturating_sub(resident[2]);
    assert!(grown * 1024 < LARGE as u64, "{resident:?}");
}

/// A figure of the running program from `/proc`, in KiB.
fn memory(world: &World, name: &str) -> u64 {
    let pid = world.gate.pid().expect("it runs");
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("status");
    let line = status
        .lines()
        .find(|line| line.starts_with(name))
        .expect("a figure");
    let figure = line.split_whitespace().nth(1).expect("a figure");
    figure.parse().expect("a number")
}
