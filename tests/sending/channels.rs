//! Every way the provider may behave, with the program killed at every step that is durable: one fax each, or none
//! where it is refused, and the right end.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};

use faxgate_testkit::TestInstallation;
use faxgate_testkit::documents;
use faxgate_testkit::service::client::Fax;
use faxgate_testkit::service::installation::Setup;

/// What is expected of a fax to a number that ends like this (`simulator/script.rs` says what the provider does).
struct Way {
    digits: &'static str,
    status: &'static str,
    faxes: usize,
    /// Somebody asks to cancel it once the provider has it.
    cancelled: bool,
}

const fn way(digits: &'static str, status: &'static str, faxes: usize) -> Way {
    Way {
        digits,
        status,
        faxes,
        cancelled: false,
    }
}

const fn cancelled(digits: &'static str, status: &'static str) -> Way {
    Way {
        cancelled: true,
        ..way(digits, status, 1)
    }
}

/// All but 9941 (refused credentials hold everything, see `schedule`) and 9973 (two faxes by the provider's own
/// fault, see below).
const WAYS: &[Way] = &[
    way("0142", "SUCCESS", 1),
    way("9900", "SUCCESS", 1),
    way("9901", "SUCCESS", 1),
    way("9902", "SUCCESS", 1),
    way("9903", "SUCCESS", 1),
    way("9904", "SUCCESS", 1),
    way("9905", "SUCCESS", 1),
    way("9906", "SUCCESS", 1),
    way("9912", "FAILED", 1),
    way("9917", "FAILED", 1),
    way("9920", "FAILED", 0),
    way("9922", "FAILED", 0),
    way("9928", "SUCCESS", 1),
    way("9929", "SUCCESS", 1),
    way("9931", "SUCCESS", 1),
    way("9932", "FAILED", 1),
    way("9935", "SUCCESS", 1),
    cancelled("9936", "FAILED"),
    cancelled("9937", "SUCCESS"),
    way("9949", "FAILED", 1),
    way("9950", "SUCCESS", 1),
    way("9951", "SUCCESS", 1),
    way("9952", "SUCCESS", 1),
    way("9953", "SUCCESS", 1),
    way("9954", "SUCCESS", 1),
    way("9955", "SUCCESS", 1),
    way("9956", "SUCCESS", 1),
    way("9957", "SUCCESS", 1),
    way("9960", "SUCCESS", 1),
    way("9961", "SUCCESS", 1),
    way("9969", "FAILED", 1),
    way("9970", "SUCCESS", 1),
    way("9971", "SUCCESS", 1),
    way("9972", "SUCCESS", 1),
    way("9980", "SUCCESS", 1),
    way("9981", "SUCCESS", 1),
    way("9982", "SUCCESS", 1),
    way("9983", "SUCCESS", 1),
    way("9984", "SUCCESS", 1),
    way("9985", "SUCCESS", 1),
    way("9986", "SUCCESS", 1),
    way("9987", "SUCCESS", 1),
    way("9990", "SUCCESS", 1),
    way("9991", "FAILED", 1),
];

/// A job by what it is to show.
type Jobs = BTreeMap<&'static str, String>;

async fn installation(die_at: Option<&str>) -> TestInstallation {
    let mut setup = Setup::new();
    // Longer than lists lag, which is what the grace period is for.
    setup
        .set("dispatch.grace_seconds", 3.0)
        .set("dispatch.concurrency", 16)
        .set("dispatch.fax_retry_seconds", 0.1)
        .set("dispatch.fetch_retries", 20)
        .set("limits.requests_per_minute", 0);
    setup.provider.inflight = true;
    let marks = setup.folder().join("died");
    std::fs::create_dir(&marks).expect("folder");
    if let Some(point) = die_at {
        setup
            .env("FAXGATE_TEST_DIE_AT", point)
            .env("FAXGATE_TEST_DIED", &marks.to_string_lossy());
    }
    setup.start().await
}

fn number(way: &Way) -> String {
    format!("+1212555{}", way.digits)
}

/// Sends what was not accepted yet. A request that died with the program is repeated under its key.
async fn send(installation: &TestInstallation, jobs: &mut Jobs) {
    let missing = WAYS.iter().filter(|way| !jobs.contains_key(way.digits));
    let sends = missing.map(|way| async move {
        let fax = Fax::pdf(&number(way), documents::pdf(1, way.digits)).idempotent(way.digits);
        let answer = installation.admin.try_send(&fax).await.ok()?;
        // One that was cut off a moment ago may still be worked on.
        (answer.status == 202).then(|| (way.digits, answer.json()["id"].as_str().expect("id").to_owned()))
    });
    jobs.extend(join_all(sends).await.into_iter().flatten());
}

/// What the jobs are, by id; none while the program is dead.
async fn seen(installation: &TestInstallation) -> Option<BTreeMap<String, Value>> {
    let request = installation.admin.request(http::Method::GET, "/fax?limit=200");
    let list = installation
        .admin
        .try_ask(request)
        .await
        .ok()
        .filter(|list| list.status == 200)?;
    let items = list.json()["items"].as_array().cloned()?;
    Some(
        items
            .into_iter()
            .map(|job| (job["id"].as_str().expect("id").to_owned(), job))
            .collect(),
    )
}

/// Asks for the cancellations that are due.
async fn cancel(
    installation: &TestInstallation,
    jobs: &Jobs,
    seen: &BTreeMap<String, Value>,
    asked: &mut Vec<&'static str>,
) {
    for way in WAYS.iter().filter(|way| way.cancelled) {
        let Some(id) = jobs.get(way.digits).filter(|_| !asked.contains(&way.digits)) else {
            continue;
        };
        if !seen.get(id).is_some_and(|job| job["provider_sid"].is_string()) {
            continue;
        }
        let request = installation
            .admin
            .request(http::Method::POST, &format!("/fax/{id}/cancel"));
        let answer = installation.admin.try_ask(request).await;
        if answer.is_ok_and(|answer| [202, 409].contains(&answer.status.as_u16())) {
            asked.push(way.digits);
        }
    }
}

/// Runs every way to its end, starting the program again whenever it has died. Answers how often that was.
async fn run(installation: &mut TestInstallation) -> (Jobs, usize) {
    let (mut jobs, mut asked, mut deaths) = (Jobs::new(), Vec::new(), 0);
    let begin = std::time::Instant::now();
    loop {
        if installation.server.died() {
            deaths += 1;
            // It may die again before it serves: what it looks up first may be the next to die for.
            installation.server.spawn();
        }
        send(installation, &mut jobs).await;
        if let Some(seen) = seen(installation).await {
            cancel(installation, &jobs, &seen, &mut asked).await;
            let ended = |id: &String| {
                let status = seen.get(id).and_then(|job| job["status"].as_str());
                matches!(status, Some("SUCCESS" | "FAILED"))
            };
            if jobs.len() == WAYS.len() && jobs.values().all(ended) {
                return (jobs, deaths);
            }
            if begin.elapsed() > Duration::from_secs(400) {
                let open: Vec<_> = jobs.iter().filter(|(_, id)| !ended(id)).collect();
                panic!("not ended after {deaths} deaths: {open:?}");
            }
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
}

/// Every way with the program dying once for each job at `point`.
async fn every_way(point: Option<&str>) {
    let mut installation = installation(point).await;
    let (jobs, deaths) = run(&mut installation).await;
    assert_eq!(
        deaths > 0,
        point.is_some(),
        "the program dies where it is told to"
    );
    for way in WAYS {
        let id = &jobs[way.digits];
        let (job, mut faxes) = (
            installation.admin.job(id).await,
            installation.provider.faxes_of(id).await,
        );
        // One whose document could not be fetched while the program was dead was never sent to anybody.
        faxes.retain(|fax| fax["error_id"] != 54);
        let told = format!(
            "{} {point:?}: {job:#} {:#?}",
            way.digits,
            installation.admin.events(id).await
        );
        if way.cancelled && job["error_id"] == 54 {
            // It could not be fetched, and whoever cancelled it doesn't want it offered again.
            assert_eq!((&job["status"], faxes.len()), (&json!("FAILED"), 0), "{told}");
            continue;
        }
        assert_eq!(job["status"], way.status, "{told}");
        assert_eq!(faxes.len(), way.faxes, "{faxes:#?} {told}");
        if way.status == "SUCCESS" {
            assert_eq!(job["error"], Value::Null, "{told}");
        } else {
            assert!(
                job["error"].is_string() && job["error_type"].is_string(),
                "{told}"
            );
        }
        if let Some(fax) = faxes.first() {
            assert_eq!(job["provider_sid"], fax["id"].to_string(), "{told}");
        }
    }
    assert_eq!(
        seen(&installation).await.expect("a list").len(),
        WAYS.len(),
        "no job twice"
    );
    let requests = installation.provider.requests().await;
    assert_eq!(
        requests["by_job"].as_object().expect("jobs").len(),
        WAYS.len(),
        "{requests:#}"
    );
    eprintln!("{point:?}: {} ways, {deaths} deaths", WAYS.len());
}

macro_rules! points {
    ($($name:ident: $point:expr,)*) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            every_way($point).await;
        }
    )*};
}

points! {
    nobody_dies: None,
    dead_before_the_sender_is_answered: Some("accepted"),
    dead_with_the_intent_written: Some("claimed"),
    dead_with_an_answer_in_hand: Some("answered"),
    dead_with_the_answer_written: Some("recorded"),
    dead_with_a_look_up_in_hand: Some("looked"),
    dead_with_a_look_up_written: Some("followed"),
    dead_with_a_callback_in_hand: Some("called"),
    dead_with_a_callback_written: Some("noted"),
}

#[tokio::test(flavor = "multi_thread")]
async fn two_faxes_by_the_providers_own_fault_are_one_fax_for_the_job() {
    let mut setup = Setup::new();
    setup.provider.completion = Duration::from_secs(400);
    let installation = setup.start().await;
    let id = installation
        .admin
        .accepted(&Fax::pdf("+12125559973", documents::pdf(1, "twice")))
        .await;
    let kept = faxgate_testkit::wait::until("one to be cancelled", || async {
        let faxes = installation.provider.faxes_of(&id).await;
        assert!(faxes.len() < 3);
        let cancelled = |fax: &&Value| fax["cancel_requested"] == true;
        (faxes.iter().filter(cancelled).count() == 1)
            .then(|| faxes.into_iter().find(|fax| fax["cancel_requested"] == false))
    })
    .await
    .expect("the other");
    installation.provider.advance(400).await;
    let job = installation.admin.reaches(&id, "SUCCESS").await;
    assert_eq!(job["provider_sid"], kept["id"].to_string());
    assert!(
        installation
            .admin
            .timeline(&id)
            .await
            .contains(&"disregarded".to_owned())
    );
    assert_eq!(
        installation.provider.requests().await["by_job"][&id]["requests"],
        json!(1)
    );
}
