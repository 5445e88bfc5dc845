//! Faxes that wait for their time or for others, and faxes that follow one that failed.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use faxgate_testkit::TestInstallation;
use faxgate_testkit::documents;
use faxgate_testkit::service::client::{Answer, Client, Fax};
use faxgate_testkit::service::installation::Setup;
use faxgate_testkit::wait;

fn fax(to: &str) -> Fax {
    Fax::pdf(to, documents::pdf(1, "in time"))
}

fn time(value: &Value) -> Timestamp {
    value.as_str().expect("a time").parse().expect("RFC 3339")
}

async fn resend(client: &Client, id: &str, body: Value) -> Answer {
    client.post(&format!("/fax/{id}/resend"), &body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scheduled_fax_leaves_at_its_time_and_not_before() {
    let mut installation = TestInstallation::start().await;
    let at = Timestamp::now() + SignedDuration::from_secs(3);
    let id = installation
        .admin
        .accepted(&fax("+12125550142").field("send_at", &at.to_string()))
        .await;
    // One without a time overtakes it, and a restart does not forget it.
    let other = installation.admin.accepted(&fax("+12125550142")).await;
    installation.admin.reaches(&other, "SUCCESS").await;
    let job = installation.admin.job(&id).await;
    assert_eq!(time(&job["send_at"]).as_second(), at.as_second());
    installation.kill();
    installation.revive().await;
    let done = installation.admin.reaches(&id, "SUCCESS").await;
    let sent = installation.provider.fax_of(&id).await;
    assert!(
        time(&sent["created_at"]) >= at,
        "{} is before {at}",
        sent["created_at"]
    );
    assert_eq!(done["attempts"], 1);
    let accepted = installation.admin.events(&id).await.remove(0);
    assert_eq!(time(&accepted["facts"]["send_at"]).as_second(), at.as_second());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scheduled_fax_can_be_cancelled_and_resent_until_then() {
    let installation = TestInstallation::start().await;
    let tomorrow = (Timestamp::now() + SignedDuration::from_hours(24)).to_string();
    let id = installation
        .admin
        .accepted(&fax("+12125550142").field("send_at", &tomorrow))
        .await;
    assert_eq!(installation.admin.job(&id).await["status"], "queued");
    // Its deadline counts from its time: nothing closes it before.
    let cancelled = installation
        .admin
        .post(&format!("/fax/{id}/cancel"), &json!({}))
        .await;
    assert_eq!(cancelled.status, 202);
    let ended = installation.admin.reaches(&id, "FAILED").await;
    assert_eq!(ended["error_type"], "cancelled");
    // A copy is sent at once, or at a time of its own.
    let now = resend(&installation.admin, &id, json!({})).await;
    assert_eq!((now.status.as_u16(), &now.json()["send_at"]), (202, &Value::Null));
    let later = resend(
        &installation.admin,
        &id,
        json!({ "send_at": tomorrow, "to": "+12125550143" }),
    )
    .await;
    assert_eq!(later.status, 202, "{}", later.text());
    assert!(later.json()["send_at"].is_string());
    let now = now.json()["id"].as_str().expect("id").to_owned();
    installation.admin.reaches(&now, "SUCCESS").await;
    assert_eq!(
        installation.provider.faxes().await.len(),
        1,
        "only the one that was due"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn times_and_delays_that_cannot_be_meant_are_refused() {
    let installation = TestInstallation::start().await;
    let from_now = |hours| (Timestamp::now() + SignedDuration::from_hours(hours)).to_string();
    for (field, value) in [
        ("send_at", "tomorrow".to_owned()),
        ("send_at", "2030-01-31".to_owned()),
        ("send_at", from_now(-2)),
        ("send_at", from_now(24 * 91)),
        ("send_at", "9999-12-31T23:59:59Z".to_owned()),
        ("batch_delay", "1".to_owned()),
        ("batch_delay", "3601".to_owned()),
        ("batch_delay", "soon".to_owned()),
    ] {
        let refused = installation
            .admin
            .send(&fax("+12125550142").field(field, &value))
            .await;
        assert!(refused.problem(422).contains(field), "{field}={value}");
    }
    // Form fields that were left empty, and a time that has just passed, mean nothing.
    let plain = fax("+12125550142")
        .field("send_at", &from_now(0))
        .field("batch_delay", "");
    let id = installation.admin.accepted(&plain).await;
    installation.admin.reaches(&id, "SUCCESS").await;
    for body in [
        json!({ "send_at": "never" }),
        json!({ "batch_delay": 4 }),
        json!({ "send_at": from_now(-2) }),
    ] {
        resend(&installation.admin, &id, body).await.problem(422);
    }
    assert_eq!(installation.provider.faxes().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_is_part_of_what_an_idempotency_key_stands_for() {
    let installation = TestInstallation::start().await;
    let at = |hours| (Timestamp::now() + SignedDuration::from_hours(hours)).to_string();
    let tomorrow = fax("+12125550142").field("send_at", &at(24)).idempotent("one");
    let first = installation.admin.send(&tomorrow).await;
    let second = installation.admin.send(&tomorrow).await;
    assert_eq!(first.body, second.body);
    let other = fax("+12125550142").field("send_at", &at(25)).idempotent("one");
    installation.admin.send(&other).await.problem(409);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_delay_is_handed_to_the_provider_with_each_fax() {
    let installation = TestInstallation::start().await;
    let batched = fax("+12125550142").field("batch_delay", "60");
    let ids = [
        installation.admin.accepted(&batched).await,
        installation.admin.accepted(&batched).await,
    ];
    for id in &ids {
        let there = installation.provider.fax_of(id).await;
        assert_eq!(there["batch_delay"], 60);
        assert_eq!(installation.admin.job(id).await["batch_delay"], 60);
    }
    installation.provider.advance(70).await;
    for id in &ids {
        installation.admin.reaches(id, "SUCCESS").await;
    }
    // A copy keeps the delay unless told otherwise; none is handed over as none.
    let copy = resend(&installation.admin, &ids[0], json!({ "batch_delay": 0 }))
        .await
        .json();
    let copy = copy["id"].as_str().expect("id").to_owned();
    assert_eq!(
        installation.provider.fax_of(&copy).await["batch_delay"],
        Value::Null
    );
    assert_eq!(
        resend(&installation.admin, &ids[0], json!({})).await.json()["batch_delay"],
        60
    );
}

fn retrying(after: &[&str]) -> Setup {
    let mut setup = Setup::new();
    let after: Vec<toml::Value> = after.iter().map(|&word| word.into()).collect();
    setup
        .set("dispatch.fax_retries", 2)
        .set("dispatch.fax_retry_seconds", 0.1)
        .set("dispatch.fax_retry_after", after);
    setup
}

/// How a fax to `to` ends and how many the provider was given.
async fn ended(installation: &TestInstallation, to: &str) -> (Value, Vec<Value>, Vec<Value>) {
    let id = installation.admin.accepted(&fax(to)).await;
    let job = installation.admin.ends(&id).await;
    (
        job,
        installation.provider.faxes_of(&id).await,
        installation.admin.events(&id).await,
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn another_fax_follows_one_that_reached_nobody_and_no_other() {
    let installation = retrying(&["busy", "no_answer"]).start().await;
    for (to, faxes, class) in [
        ("+12125559917", 3, Some("busy")),
        ("+12125559912", 3, Some("no_answer")),
        ("+12125559949", 1, None),
        ("+12125559969", 1, None),
        ("+12125559991", 1, None),
        ("+12125559922", 0, None),
    ] {
        let (job, there, events) = ended(&installation, to).await;
        assert_eq!(
            (&job["status"], there.len()),
            (&"FAILED".into(), faxes),
            "{to}: {events:#?}"
        );
        let again: Vec<_> = events
            .iter()
            .filter(|line| line["event"] == "retry_scheduled" && line["facts"]["class"].is_string())
            .collect();
        assert_eq!(again.len(), faxes.saturating_sub(1), "each is told: {events:#?}");
        assert!(again.iter().all(|line| line["facts"]["class"].as_str() == class));
        assert_eq!(job["attempts"], faxes.max(1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fax_that_is_answered_in_the_end_costs_what_all_its_calls_cost() {
    let installation = retrying(&["line"]).start().await;
    let to = "+12125550177";
    // Two calls break off, and the provider charges for what it sent.
    let dropped = json!({ "to": to, "behaviour": "failure", "times": 2, "error_type": "lineError", "error_id": 11,
                          "message": "The call dropped prematurely", "cost": 7 });
    installation.provider.script(dropped).await;
    let (job, there, _) = ended(&installation, to).await;
    assert_eq!((&job["status"], there.len()), (&"SUCCESS".into(), 3));
    assert_eq!(job["cost_cents"], 21);
    assert_eq!(job["provider_sid"], there[2]["id"].to_string());
    // Late news of the first changes nothing.
    let late = json!({ "fax": there[0]["id"], "status": "inprogress" });
    assert_eq!(installation.provider.call_back(late).await["status"], 200);
    let after = installation.admin.job(job["id"].as_str().expect("id")).await;
    assert_eq!(after, job);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_is_believed_when_the_provider_confirms_it() {
    let mut setup = Setup::new();
    setup.provider.completion = std::time::Duration::from_secs(36_000);
    setup
        .set("dispatch.poll_after_seconds", 3600.0)
        .set("dispatch.confirm_callbacks", true);
    let installation = setup.start().await;
    let id = installation.admin.accepted(&fax("+12125550142")).await;
    let there = installation.provider.fax_of(&id).await;
    wait::until("the job to know its fax", || async {
        installation.admin.job(&id).await["provider_sid"]
            .as_str()
            .map(str::to_owned)
    })
    .await;
    // Signed and all, but the provider itself says that the fax is still under way.
    let word = json!({ "fax": there["id"], "status": "failure" });
    assert_eq!(installation.provider.call_back(word.clone()).await["status"], 200);
    wait::until("the provider to be asked", || async {
        let events = installation.admin.events(&id).await;
        events
            .iter()
            .any(|line| line["facts"]["source"] == "poll")
            .then_some(())
    })
    .await;
    assert_eq!(installation.admin.job(&id).await["status"], "in_progress");
    // The end is told once more, and this time it is true.
    let job = wait::until("the true end", || async {
        installation.provider.advance(9000).await;
        let job = installation.admin.job(&id).await;
        (job["status"] == "SUCCESS").then_some(job)
    })
    .await;
    let events = installation.admin.events(&id).await;
    let last = events
        .iter()
        .find(|line| line["event"] == "delivered")
        .expect("an end");
    assert_eq!(
        (&last["facts"]["source"], &job["error"]),
        (&"poll".into(), &Value::Null),
        "{events:#?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn new_credentials_that_are_loaded_anew_let_what_waits_go() {
    let mut installation = Setup::new().start().await;
    installation
        .provider
        .post(
            "/simulator/credentials",
            json!({ "api_key": "new key", "api_secret": "new secret" }),
        )
        .await;
    let ids = [
        installation.admin.accepted(&fax("+12125550142")).await,
        installation.admin.accepted(&fax("+12125550143")).await,
    ];
    wait::until_equal("readiness to tell", 503, || async {
        installation.admin.get("/health/ready").await.status.as_u16()
    })
    .await;
    installation.set("phaxio.api_key", "new key");
    installation.set("phaxio.api_secret", "new secret");
    installation.server.signal(rustix::process::Signal::HUP);
    for id in &ids {
        let job = installation.admin.reaches(id, "SUCCESS").await;
        assert_eq!(job["attempts"], 1, "a refused one is no attempt");
        assert_eq!(installation.provider.faxes_of(id).await.len(), 1);
    }
    wait::until_equal("readiness to return", 200, || async {
        installation.admin.get("/health/ready").await.status.as_u16()
    })
    .await;
}
