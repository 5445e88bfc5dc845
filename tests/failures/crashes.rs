//! The program dies without warning; what was promised holds afterwards.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use serde_json::{Value, json};

use faxgate_testkit::TestInstallation;
use faxgate_testkit::documents;
use faxgate_testkit::service::client::Fax;
use faxgate_testkit::service::installation::Setup;
use faxgate_testkit::wait;

/// Jobs are spread over these ends of numbers: each brings its job into another state.
const BEHAVIOURS: [&str; 10] = [
    "0142", "0143", "9900", "9902", "9906", "9950", "9936", "9983", "9917", "9904",
];

fn setup() -> Setup {
    let mut setup = Setup::new();
    // The provider outlives the program; its faxes take a while, so that jobs are everywhere when it dies.
    setup.provider.time_scale = 4.0;
    setup.provider.completion = std::time::Duration::from_secs(4);
    setup
        .set("dispatch.job_deadline_seconds", 40.0)
        .set("limits.requests_per_minute", 0);
    setup
}

async fn send_all(installation: &TestInstallation, jobs: usize) -> BTreeMap<String, &'static str> {
    let sends = (0..jobs).map(|n| {
        let end = BEHAVIOURS[n % BEHAVIOURS.len()];
        // Numbers differ, or they would go one after the other.
        let to = format!("+1{}555{end}", 205 + n);
        let document = if n % 3 == 0 {
            documents::pdf_of_size(1, "large", 60_000)
        } else {
            documents::pdf(1, "small")
        };
        async move { (installation.admin.accepted(&Fax::pdf(&to, document)).await, end) }
    });
    join_all(sends).await.into_iter().collect()
}

/// Every job reached the end that fits its number, and the provider was asked for one fax each.
async fn everything_held(installation: &TestInstallation, jobs: &BTreeMap<String, &'static str>) {
    for (id, end) in jobs {
        let job = installation.admin.ends(id).await;
        let expected = match *end {
            "9917" | "9936" => "FAILED",
            _ => "SUCCESS",
        };
        assert_eq!(
            job["status"],
            expected,
            "{end}: {job:#} {:#?}",
            installation.admin.events(id).await
        );
        let faxes = installation.provider.faxes_of(id).await;
        assert_eq!(
            faxes.len(),
            1,
            "{end}: asked for {} faxes: {faxes:#?}",
            faxes.len()
        );
    }
    let requests = installation.provider.requests().await;
    let by_job = requests["by_job"].as_object().expect("jobs");
    let twice: Vec<_> = by_job
        .iter()
        .filter(|(_, row)| row["accepted"].as_u64() > Some(1))
        .collect();
    assert!(twice.is_empty(), "sent more than once: {twice:?}");
    assert_eq!(by_job.len(), jobs.len(), "and nobody else's faxes were sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_jobs_in_every_state_survive_a_kill() {
    let mut installation = setup().start().await;
    let jobs = send_all(&installation, 50).await;
    wait::until(
        "jobs in every state, one of them taken without the program knowing it",
        || async {
            let states = states(&installation, &jobs).await;
            let count = |word: &str| states.iter().filter(|state| *state == word).count();
            let spread =
                count("SUCCESS") + count("FAILED") >= 5 && count("in_progress") >= 3 && count("queued") >= 3;
            (spread && unanswered(&installation, &jobs).await).then_some(())
        },
    )
    .await;
    installation.kill();
    installation.revive().await;
    everything_held(&installation, &jobs).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_right_after_the_answers_loses_nothing() {
    let mut installation = setup().start().await;
    let jobs = send_all(&installation, 20).await;
    installation.kill();
    installation.revive().await;
    everything_held(&installation, &jobs).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn three_kills_while_faxes_come_in() {
    let mut installation = setup().start().await;
    let mut jobs = BTreeMap::new();
    for round in 0..3 {
        let client = installation.admin.clone();
        let burst = tokio::spawn(async move {
            let sends = (0..12).map(|n| {
                let fax = Fax::pdf(
                    &format!("+1{}5550{n:03}", 210 + 20 * round),
                    documents::pdf(1, "burst"),
                );
                let client = client.clone();
                async move { client.try_send(&fax).await }
            });
            join_all(sends).await
        });
        wait::until("the first of a burst to be kept", || async {
            let list = installation
                .admin
                .try_ask(installation.admin.request(http::Method::GET, "/fax?limit=200"))
                .await
                .ok()?;
            (list.json()["items"].as_array()?.len() > round * 3).then_some(())
        })
        .await;
        installation.kill();
        for answer in burst.await.expect("burst").into_iter().flatten() {
            assert_eq!(answer.status, 202, "{}", answer.text());
            jobs.insert(answer.json()["id"].as_str().expect("id").to_owned(), "0142");
        }
        installation.revive().await;
    }
    assert!(!jobs.is_empty());
    for id in jobs.keys() {
        installation.admin.reaches(id, "SUCCESS").await;
        assert_eq!(installation.provider.faxes_of(id).await.len(), 1);
    }
    // What was kept without an answer having arrived may be sent too, but once like the others.
    let requests = installation.provider.requests().await;
    for (job, row) in requests["by_job"].as_object().expect("jobs") {
        assert_eq!(row["accepted"].as_u64(), Some(1), "{job}: {row}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_orderly_end_finishes_what_is_under_way_and_exits_with_zero() {
    let mut installation = setup().start().await;
    let id = installation
        .admin
        .accepted(&Fax::pdf("+12125559902", documents::pdf(1, "slow answer")))
        .await;
    let status = installation.server.terminate().await;
    assert!(status.success(), "{status}: {}", installation.server.log());
    installation.revive().await;
    installation.admin.reaches(&id, "SUCCESS").await;
    assert_eq!(installation.provider.faxes_of(&id).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_program_on_the_same_folder_is_refused() {
    let installation = TestInstallation::start().await;
    let mut second = installation.server.command(&["serve"]);
    second
        .env("HTTPS_LISTEN", "")
        .env("HTTP_LISTEN", faxgate_testkit::ports::reserve().to_string());
    second.env("ENFORCE_PUBLIC_HTTPS", "false");
    let ended = tokio::task::spawn_blocking(move || second.output())
        .await
        .expect("task")
        .expect("output");
    assert!(!ended.status.success());
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&ended.stdout),
        String::from_utf8_lossy(&ended.stderr)
    );
    assert!(said.contains("data") && !said.contains("panicked"), "{said}");
    assert_eq!(installation.admin.get("/health").await.status, 200);
}

/// Whether the provider has taken a fax whose request it has not answered yet.
async fn unanswered(installation: &TestInstallation, jobs: &BTreeMap<String, &'static str>) -> bool {
    for (id, _) in jobs.iter().filter(|(_, end)| ["9902", "9906"].contains(end)) {
        let job = installation.admin.job(id).await;
        if job["status"] == "in_progress" && job["provider_sid"].is_null() {
            return installation.provider.faxes_of(id).await.len() == 1;
        }
    }
    false
}

async fn states(installation: &TestInstallation, jobs: &BTreeMap<String, &'static str>) -> Vec<String> {
    let list = installation.admin.get("/fax?limit=200").await.json();
    let items = list["items"].as_array().cloned().unwrap_or_default();
    let ours = items
        .into_iter()
        .filter(|job| jobs.contains_key(job["id"].as_str().unwrap_or_default()));
    ours.map(|job: Value| job["status"].as_str().unwrap_or_default().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_credentials_hold_the_queue_and_lose_nothing() {
    let installation = setup().start().await;
    installation.provider.credentials(json!({ "valid": false })).await;
    let id = installation
        .admin
        .accepted(&Fax::pdf("+12125550142", documents::pdf(1, "held")))
        .await;
    wait::until_equal("readiness to tell", 503, || async {
        installation.admin.get("/health/ready").await.status.as_u16()
    })
    .await;
    assert_eq!(installation.admin.job(&id).await["status"], "queued");
    installation.provider.credentials(json!({ "valid": true })).await;
    // A reload of the configuration is how an operator says that the credentials are good now.
    installation.server.signal(rustix::process::Signal::HUP);
    installation.admin.reaches(&id, "SUCCESS").await;
    assert_eq!(installation.provider.faxes_of(&id).await.len(), 1);
    wait::until_equal("readiness to return", 200, || async {
        installation.admin.get("/health/ready").await.status.as_u16()
    })
    .await;
}
