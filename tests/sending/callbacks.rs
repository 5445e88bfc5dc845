//! Callbacks: proof, repeats, contradictions, and those meant for another job.

use serde_json::{Value, json};

use faxgate_testkit::TestInstallation;
use faxgate_testkit::documents;
use faxgate_testkit::service::client::{Client, Fax};
use faxgate_testkit::service::installation::{API_SECRET, Setup};
use faxgate_testkit::wait;

async fn slow_world() -> TestInstallation {
    let mut setup = Setup::new();
    setup.provider.completion = std::time::Duration::from_secs(36_000);
    setup.set("dispatch.poll_after_seconds", 3600.0);
    setup.start().await
}

async fn sent(installation: &TestInstallation, to: &str) -> (String, Value) {
    let id = installation
        .admin
        .accepted(&Fax::pdf(to, documents::pdf(1, "callbacks")))
        .await;
    let fax = installation.provider.fax_of(&id).await;
    wait::until_equal("the job to know its fax", fax["id"].to_string(), || async {
        installation.admin.job(&id).await["provider_sid"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    })
    .await;
    (id, fax)
}

fn callback_url(installation: &TestInstallation, job: &str) -> String {
    format!("{}/phaxio-callback?job_id={job}", installation.public_url())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_genuine_callback_for_another_job_changes_nothing() {
    let installation = slow_world().await;
    let (first, fax) = sent(&installation, "+12125550142").await;
    let (second, _) = sent(&installation, "+12125550143").await;
    for scheme in ["sha1", "sha256"] {
        // Signed for that very address: the proof is good, the fax is another job's.
        let order = json!({ "fax": fax["id"], "url": callback_url(&installation, &second), "scheme": scheme,
                            "version": "v2.1", "status": "failure" });
        let answer = installation.provider.call_back(order).await;
        assert_eq!(answer["status"], 200, "{scheme}: {answer}");
        for job in [&first, &second] {
            assert_eq!(
                installation.admin.job(job).await["status"],
                "in_progress",
                "{scheme}"
            );
        }
    }
    // The body of one job's callback under another's address, signature and all: the query is signed.
    let order = json!({ "fax": fax["id"], "url": callback_url(&installation, "01jdz0000000000000000000zz"), "status": "failure" });
    assert_eq!(
        installation.provider.call_back(order).await["status"],
        200,
        "an unknown job is answered and counted"
    );
    assert_eq!(installation.admin.job(&first).await["status"], "in_progress");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_end_stays_and_repeats_are_nothing() {
    let installation = slow_world().await;
    let (id, fax) = sent(&installation, "+12125550142").await;
    let order = |status: &str| json!({ "fax": fax["id"], "status": status });
    assert_eq!(
        installation.provider.call_back(order("success")).await["status"],
        200
    );
    let done = installation.admin.reaches(&id, "SUCCESS").await;
    let timeline = installation.admin.timeline(&id).await;
    for _ in 0..3 {
        assert_eq!(
            installation.provider.call_back(order("success")).await["status"],
            200
        );
    }
    assert_eq!(
        installation.admin.timeline(&id).await,
        timeline,
        "a repeat leaves no line"
    );
    for status in ["failure", "inprogress", "queued", "partialsuccess", "teleporting"] {
        assert_eq!(
            installation.provider.call_back(order(status)).await["status"],
            200,
            "{status}"
        );
        let job = installation.admin.job(&id).await;
        assert_eq!(
            (&job["status"], &job["error"]),
            (&"SUCCESS".into(), &Value::Null),
            "{status}"
        );
        assert_eq!(job["completed_at"], done["completed_at"], "{status}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unproved_callbacks_are_refused() {
    let installation = slow_world().await;
    let (id, fax) = sent(&installation, "+12125550142").await;
    for scheme in ["none", "wrong"] {
        for version in ["v1", "v2", "v2.1", "flat"] {
            let order =
                json!({ "fax": fax["id"], "status": "failure", "scheme": scheme, "version": version });
            assert_eq!(
                installation.provider.call_back(order).await["status"],
                401,
                "{scheme} {version}"
            );
        }
    }
    assert_eq!(installation.admin.job(&id).await["status"], "in_progress");
}

/// Posts a body of Faxbot's scheme with its signature, or with another one.
async fn faxbot_post(client: &Client, path: &str, body: &str, signature: &str) -> u16 {
    let request = client
        .request(http::Method::POST, path)
        .header("content-type", "application/x-www-form-urlencoded")
        .header("x-phaxio-signature", signature)
        .body(body.to_owned());
    client.ask(request).await.status.as_u16()
}

fn faxbot_signature(secret: &str, body: &str) -> String {
    use hmac::Mac;
    let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).expect("key");
    mac.update(body.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_body_cannot_be_replayed_against_another_job() {
    let installation = slow_world().await;
    let (first, fax) = sent(&installation, "+12125550142").await;
    let (second, _) = sent(&installation, "+12125550143").await;
    let body = format!(
        "fax%5Bid%5D={}&fax%5Bstatus%5D=failure&fax%5Berror_message%5D=x",
        fax["id"]
    );
    let good = faxbot_signature(API_SECRET, &body);
    let path = |job: &str| format!("/phaxio-callback?job_id={job}");
    let anybody = installation.admin.without_key();
    // Faxbot's scheme covers the body alone: under another id it is believed to be genuine, and does not fit.
    assert_eq!(faxbot_post(&anybody, &path(&second), &body, &good).await, 200);
    assert_eq!(installation.admin.job(&second).await["status"], "in_progress");
    assert_eq!(installation.admin.job(&first).await["status"], "in_progress");
    // Each single character changed is refused.
    for at in [0, 20, body.len() - 1] {
        let mut changed = body.clone().into_bytes();
        changed[at] ^= 1;
        let changed = String::from_utf8(changed).expect("text");
        assert_eq!(
            faxbot_post(&anybody, &path(&first), &changed, &good).await,
            401,
            "{changed}"
        );
    }
    for bad in [
        "",
        "00",
        &good[1..],
        &good.to_uppercase().replace('A', "B"),
        &format!("{good}00"),
    ] {
        assert_eq!(
            faxbot_post(&anybody, &path(&first), &body, bad).await,
            401,
            "{bad:?}"
        );
    }
    assert_eq!(faxbot_post(&anybody, &path(&first), &body, &good).await, 200);
    assert_eq!(installation.admin.reaches(&first, "FAILED").await["error"], "x");
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_of_any_shape_are_answered_and_never_an_error_of_ours() {
    let installation = slow_world().await;
    let (id, fax) = sent(&installation, "+12125550142").await;
    let anybody = installation.admin.without_key();
    let path = format!("/phaxio-callback?job_id={id}");
    let sid = &fax["id"];
    for body in [
        format!("fax%5Bid%5D={sid}&fax%5Bstatus%5D=success&fax%5Bpages%5D=three"),
        format!("fax%5Bid%5D={sid}&fax%5Bstatus%5D=success&fax%5Bnum_pages%5D=-1"),
        format!("fax={{\"id\":{sid},\"status\":7}}"),
        "fax=%7Bnot json".to_owned(),
        "fax=[]&fax={}".to_owned(),
        String::new(),
        "&&&===".to_owned(),
    ] {
        let status = faxbot_post(&anybody, &path, &body, &faxbot_signature(API_SECRET, &body)).await;
        assert!([200, 400, 401].contains(&status), "{status} for {body}");
    }
    let huge = "x=".to_owned() + &"y".repeat(40 << 20);
    let request = anybody
        .request(http::Method::POST, &path)
        .header("content-type", "application/x-www-form-urlencoded");
    // A server that answers before it has read everything may break the connection under a client that writes.
    if let Ok(answer) = anybody.try_ask(request.body(huge)).await {
        assert!([413, 401].contains(&answer.status.as_u16()), "{}", answer.text());
    }
    assert_eq!(installation.admin.get("/health").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_before_the_answer_is_kept() {
    let installation = TestInstallation::start().await;
    let id = installation
        .admin
        .accepted(&Fax::pdf("+12125559982", documents::pdf(1, "overtaken")))
        .await;
    let done = installation.admin.reaches(&id, "SUCCESS").await;
    assert!(done["provider_sid"].is_string());
    assert_eq!(installation.provider.faxes_of(&id).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_is_asked_about() {
    let installation = TestInstallation::start().await;
    let id = installation
        .admin
        .accepted(&Fax::pdf("+12125559983", documents::pdf(1, "no callback")))
        .await;
    installation.admin.reaches(&id, "SUCCESS").await;
}
