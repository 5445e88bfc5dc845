//! The same request twice is one fax.

use futures_util::future::join_all;
use serde_json::json;

use faxgate_testkit::TestInstallation;
use faxgate_testkit::documents;
use faxgate_testkit::service::client::Fax;
use faxgate_testkit::wait;

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_gets_the_first_answer() {
    let mut installation = TestInstallation::start().await;
    let client = installation.sender("clinic").await;
    let fax = Fax::pdf("+12125550142", documents::pdf(1, "once")).idempotent("order-1");
    let first = client.send(&fax).await;
    assert_eq!(first.status, 202);
    assert_eq!(first.header("idempotency-replayed"), "");
    installation
        .admin
        .reaches(first.json()["id"].as_str().expect("id"), "SUCCESS")
        .await;
    for _ in 0..2 {
        let again = client.send(&fax).await;
        assert_eq!(
            (again.status.as_u16(), again.header("idempotency-replayed")),
            (202, "true")
        );
        assert_eq!(
            again.json(),
            first.json(),
            "the first answer, not the present state"
        );
        installation.kill();
        installation.revive().await;
    }
    assert_eq!(installation.provider.faxes().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_request_under_the_same_key_is_refused() {
    let installation = TestInstallation::start().await;
    let client = installation.sender("clinic").await;
    let fax = Fax::pdf("+12125550142", documents::pdf(1, "once")).idempotent("order-1");
    client.accepted(&fax).await;
    let others = [
        Fax {
            to: "+12125550143".to_owned(),
            ..fax.clone()
        },
        Fax {
            document: documents::pdf(2, "once"),
            ..fax.clone()
        },
        fax.clone().field("header_text", "other"),
    ];
    for other in &others {
        client.send(other).await.problem(409);
    }
    let elsewhere = installation.sender("lab").await;
    let own = elsewhere.send(&others[0]).await;
    assert_eq!(
        (own.status.as_u16(), own.header("idempotency-replayed")),
        (202, ""),
        "keys of others don't collide"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_duplicates_make_one_job() {
    let installation = TestInstallation::start().await;
    let client = installation.sender("clinic").await;
    let fax = Fax::pdf("+12125550142", documents::pdf_of_size(1, "at once", 50_000)).idempotent("order-1");
    let answers = join_all((0..16).map(|_| client.send(&fax))).await;
    let mut ids: Vec<String> = Vec::new();
    for answer in &answers {
        match answer.status.as_u16() {
            202 => ids.push(answer.json()["id"].as_str().expect("id").to_owned()),
            409 => drop(answer.problem(409)),
            other => panic!("{other}: {}", answer.text()),
        }
    }
    ids.dedup();
    assert_eq!(ids.len(), 1, "{ids:?}");
    let list = client.get("/fax").await.json();
    assert_eq!(list["items"].as_array().expect("items").len(), 1);
    installation.admin.reaches(&ids[0], "SUCCESS").await;
    assert_eq!(installation.provider.faxes().await.len(), 1);
    // What the losers uploaded is not left behind.
    wait::until("the spool to be empty", || async {
        let left = installation
            .files()
            .into_iter()
            .filter(|(path, _)| path.starts_with(installation.data().join("spool")))
            .count();
        (left == 0).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_request_does_not_use_its_key_up() {
    let installation = TestInstallation::start().await;
    let client = installation.sender("clinic").await;
    let bad = Fax::pdf("not a number", documents::pdf(1, "x")).idempotent("order-1");
    client.send(&bad).await.problem(400);
    let good = Fax {
        to: "+12125550142".to_owned(),
        ..bad
    };
    assert_eq!(client.send(&good).await.status, 202);
}

#[tokio::test(flavor = "multi_thread")]
async fn resending_twice_under_one_key_is_one_fax() {
    let installation = TestInstallation::start().await;
    let client = installation.sender("clinic").await;
    let id = client
        .accepted(&Fax::pdf("+12125550142", documents::pdf(1, "x")))
        .await;
    client.reaches(&id, "SUCCESS").await;
    let resend = || async {
        let request = client.request(http::Method::POST, &format!("/fax/{id}/resend"));
        client
            .ask(request.header("idempotency-key", "again-1").json(&json!({})))
            .await
    };
    let (first, second) = (resend().await, resend().await);
    assert_eq!(
        (first.status.as_u16(), second.status.as_u16()),
        (202, 202),
        "{}",
        first.text()
    );
    assert_eq!(first.json()["id"], second.json()["id"]);
    assert_eq!(second.header("idempotency-replayed"), "true");
}
