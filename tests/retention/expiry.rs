//! Documents are removed when their time is over; records stay.

use serde_json::json;

use faxgate_testkit::documents;
use faxgate_testkit::files;
use faxgate_testkit::service::client::Fax;
use faxgate_testkit::service::installation::Setup;
use faxgate_testkit::wait;

/// Seconds as the day fractions that the configuration takes.
fn days(seconds: f64) -> f64 {
    seconds / 86_400.0
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sent_document_goes_after_its_time_and_its_record_stays() {
    let mut setup = Setup::new();
    setup
        .set("retention.artifact_ttl_days", days(3.0))
        .set("retention.cleanup_interval_minutes", 0.01);
    let installation = setup.start().await;
    let mut ids = Vec::new();
    // One in the database, one in a file.
    for bytes in [10, 200_000] {
        let pdf = documents::pdf_of_size(1, "not for ever", bytes);
        ids.push(installation.admin.accepted(&Fax::pdf("+12125550142", pdf)).await);
    }
    let mut ends = Vec::new();
    for id in &ids {
        ends.push(installation.admin.reaches(id, "SUCCESS").await);
    }
    for (id, done) in ids.iter().zip(&ends) {
        let (end, expiry) = (time(&done["completed_at"]), time(&done["expires_at"]));
        assert_eq!(expiry.duration_since(end).as_secs(), 3);
        wait::until("the document to go", || async {
            let answer = installation.admin.get(&format!("/fax/{id}/pdf")).await;
            if answer.status == 200 {
                return None;
            }
            answer.problem(410);
            assert!(jiff::Timestamp::now() >= expiry, "gone too early");
            Some(())
        })
        .await;
        assert_eq!(installation.admin.job(id).await["status"], "SUCCESS");
        // The bytes go first, the record follows.
        wait::until("the record to say so", || async {
            let timeline = installation.admin.timeline(id).await;
            timeline.contains(&"purged".to_owned()).then_some(())
        })
        .await;
        installation
            .admin
            .get(&format!("/fax/{id}/tiff"))
            .await
            .problem(410);
        installation
            .admin
            .post(&format!("/fax/{id}/resend"), &json!({}))
            .await
            .problem(410);
    }
    assert!(files::below(&installation.data().join("artifacts")).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn received_documents_go_by_their_own_clock() {
    let mut setup = Setup::new();
    setup
        .set("inbound.enabled", true)
        .set("retention.inbound_days", days(2.0));
    setup
        .set("retention.cleanup_interval_minutes", 0.01)
        .set("limits.inbound_get_rpm", 0);
    let installation = setup.start().await;
    let sent = installation
        .admin
        .accepted(&Fax::pdf("+12125550142", documents::pdf(1, "kept")))
        .await;
    installation.admin.reaches(&sent, "SUCCESS").await;
    let url = format!("{}/phaxio-inbound", installation.public_url());
    installation
        .provider
        .receive(json!({ "pages": 1, "callback_url": url }))
        .await;
    let id = wait::until("the fax", || async {
        let list = installation.admin.get("/inbound").await.json();
        list["items"][0]["id"].as_str().map(str::to_owned)
    })
    .await;
    wait::until_equal("the document to go", 410, || async {
        installation
            .admin
            .get(&format!("/inbound/{id}/pdf"))
            .await
            .status
            .as_u16()
    })
    .await;
    assert_eq!(
        installation.admin.get(&format!("/inbound/{id}")).await.status,
        200,
        "the record stays"
    );
    assert_eq!(
        installation.admin.get(&format!("/fax/{sent}/pdf")).await.status,
        200,
        "sent ones are kept"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_expired_while_the_program_was_dead_goes_at_its_start() {
    let mut setup = Setup::new();
    setup
        .set("retention.artifact_ttl_days", days(1.0))
        .set("retention.cleanup_interval_minutes", 0.01);
    let mut installation = setup.start().await;
    let pdf = documents::pdf_of_size(1, "x", 100_000);
    let id = installation.admin.accepted(&Fax::pdf("+12125550142", pdf)).await;
    installation.admin.reaches(&id, "SUCCESS").await;
    installation.kill();
    installation.revive().await;
    wait::until_equal("the document to go", 410, || async {
        installation
            .admin
            .get(&format!("/fax/{id}/pdf"))
            .await
            .status
            .as_u16()
    })
    .await;
    assert!(files::below(&installation.data().join("artifacts")).is_empty());
}

fn time(value: &serde_json::Value) -> jiff::Timestamp {
    value.as_str().expect("a time").parse().expect("RFC 3339")
}
