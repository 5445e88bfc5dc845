//! Faxes come in all the time and the program is killed again and again: none is lost, none is doubled.
//!
//! `FAXGATE_STRESS=100` kills it a hundred times as often; `FAXGATE_TEST_SEED` repeats a run.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::Value;

use faxgate_testkit::TestInstallation;
use faxgate_testkit::documents;
use faxgate_testkit::rng::{self, TestRng};
use faxgate_testkit::service::client::{Client, Fax};
use faxgate_testkit::service::installation::Setup;
use faxgate_testkit::wait;

/// Kills of the short form.
const KILLS: usize = 10;
/// Ends of numbers, and how a fax to one ends. Common ways more often than strange ones.
const WAYS: [(&str, &str); 16] = [
    ("0142", "SUCCESS"),
    ("0143", "SUCCESS"),
    ("0144", "SUCCESS"),
    ("0145", "SUCCESS"),
    ("9900", "SUCCESS"),
    ("9902", "SUCCESS"),
    ("9904", "SUCCESS"),
    ("9917", "FAILED"),
    ("9929", "SUCCESS"),
    ("9950", "SUCCESS"),
    ("9953", "SUCCESS"),
    ("9957", "SUCCESS"),
    ("9970", "SUCCESS"),
    ("9971", "SUCCESS"),
    ("9982", "SUCCESS"),
    ("9983", "SUCCESS"),
];

/// One that sends faxes until told to stop, each under a key, repeated until it is accepted.
async fn sender(
    client: Client,
    number: usize,
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicUsize>,
) -> BTreeMap<String, &'static str> {
    let mut accepted = BTreeMap::new();
    let mut count = 0;
    while !stop.load(Ordering::Relaxed) {
        let (digits, end) = WAYS[(number + count * 7) % WAYS.len()];
        let to = format!("+1{}555{digits}", 205 + (number * 97 + count) % 700);
        let fax = Fax::pdf(&to, documents::pdf(1, "soak")).idempotent(&format!("{number}-{count}"));
        loop {
            match client.try_send(&fax).await {
                Ok(answer) if answer.status == 202 => {
                    accepted.insert(answer.json()["id"].as_str().expect("id").to_owned(), end);
                    sent.fetch_add(1, Ordering::Relaxed);
                    break;
                }
                // It died, or the request that died with it is still in the way, or only a part of this one came.
                Ok(answer) => assert!(
                    [409, 503].contains(&answer.status.as_u16())
                        || answer.problem(400).contains("send it again"),
                    "{}",
                    answer.text()
                ),
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
        count += 1;
        // As many as can be followed, however often it is killed.
        tokio::time::sleep(Duration::from_millis(120)).await;
    }
    accepted
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_again_and_again_under_load_it_loses_none_and_doubles_none() {
    let kills = KILLS * rng::repetitions("FAXGATE_STRESS", 1);
    let mut rng = TestRng::seeded();
    let mut setup = Setup::new();
    setup
        .set("dispatch.grace_seconds", 3.0)
        .set("dispatch.concurrency", 16)
        .set("dispatch.fax_retry_seconds", 0.1)
        .set("dispatch.fetch_retries", 20)
        .set("dispatch.job_deadline_seconds", 7200.0)
        .set("log.level", "warn");
    let mut installation = setup.start().await;
    let (stop, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let senders: Vec<_> = (0..3)
        .map(|number| {
            tokio::spawn(sender(
                installation.admin.clone(),
                number,
                Arc::clone(&stop),
                Arc::clone(&sent),
            ))
        })
        .collect();
    for kill in 1..=kills {
        // The moment of the kill is the point: nothing is waited for.
        tokio::time::sleep(Duration::from_micros(rng.below(400_000) as u64)).await;
        installation.kill();
        installation.revive().await;
        if kill % 50 == 0 {
            eprintln!("{kill} kills, {} faxes", sent.load(Ordering::Relaxed));
        }
    }
    stop.store(true, Ordering::Relaxed);
    let mut accepted = BTreeMap::new();
    for sender in senders {
        accepted.extend(sender.await.expect("a sender"));
    }
    assert!(!accepted.is_empty());
    let (jobs, faxes) = checked(&installation, &accepted).await;
    eprintln!("{kills} kills: {jobs} jobs, {faxes} faxes, 0 lost, 0 doubled; {rng:?}");
}

/// Waits for every end; answers how many jobs and faxes there are.
async fn checked(
    installation: &TestInstallation,
    accepted: &BTreeMap<String, &'static str>,
) -> (usize, usize) {
    let all = wait::until_or(
        "every fax to end",
        Duration::from_secs(600),
        || async {
            let all = jobs(installation).await;
            let open = all
                .values()
                .filter(|job| !["SUCCESS", "FAILED"].contains(&job["status"].as_str().unwrap_or_default()));
            (open.count() == 0).then_some(all)
        },
        || async {
            let all = jobs(installation).await;
            let open = all
                .values()
                .filter(|job| !["SUCCESS", "FAILED"].contains(&job["status"].as_str().unwrap_or_default()));
            format!("{:#?}", open.take(5).collect::<Vec<_>>())
        },
    )
    .await;
    for (id, end) in accepted {
        let job = all.get(id).unwrap_or_else(|| panic!("{id} is lost"));
        assert_eq!(job["status"], *end, "{job:#}");
    }
    assert_eq!(all.len(), accepted.len(), "a key stands for one job");
    // One whose document could not be fetched while the program was dead was never sent to anybody.
    let faxes = installation.provider.faxes().await;
    let mut by_job: BTreeMap<&str, usize> = BTreeMap::new();
    for fax in faxes.iter().filter(|fax| fax["error_id"] != 54) {
        *by_job.entry(fax["job"].as_str().expect("job")).or_default() += 1;
    }
    for (id, count) in &by_job {
        assert_eq!(*count, 1, "{id}: {:#?}", installation.admin.events(id).await);
    }
    assert_eq!(by_job.len(), all.len(), "every job had its fax");
    (all.len(), faxes.len())
}

/// Every job, by id.
async fn jobs(installation: &TestInstallation) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    let mut cursor = String::new();
    loop {
        let page = installation
            .admin
            .get(&format!("/fax?limit=200{cursor}"))
            .await
            .json();
        for job in page["items"].as_array().expect("items") {
            all.insert(job["id"].as_str().expect("id").to_owned(), job.clone());
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
    }
}
