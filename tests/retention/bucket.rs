//! Documents in a bucket, and what happens when it is not there.

use faxgate_testkit::TestInstallation;
use faxgate_testkit::documents;
use faxgate_testkit::files;
use faxgate_testkit::service::client::Fax;
use faxgate_testkit::service::installation::Setup;
use faxgate_testkit::storage::s3_server::{ACCESS_KEY, BUCKET, Fault, S3Server, SECRET_KEY};
use faxgate_testkit::wait;

fn use_bucket(setup: &mut Setup, server: &S3Server) {
    setup
        .set("storage.backend", "s3")
        .set("storage.s3.bucket", BUCKET)
        .set("storage.s3.endpoint_url", server.url())
        .set("storage.s3.prefix", "faxes")
        .set("storage.s3.access_key_id", ACCESS_KEY)
        .set("storage.s3.secret_access_key", SECRET_KEY);
}

async fn with_bucket() -> (TestInstallation, S3Server) {
    let server = S3Server::start().await;
    let mut setup = Setup::new();
    use_bucket(&mut setup, &server);
    (setup.start().await, server)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_serves_the_whole_path() {
    let (installation, server) = with_bucket().await;
    let pdf = documents::pdf_of_size(2, "in a bucket", 200_000);
    let id = installation
        .admin
        .accepted(&Fax::pdf("+12125550142", pdf.clone()))
        .await;
    installation.admin.reaches(&id, "SUCCESS").await;
    let fax = installation.provider.fax_of(&id).await;
    assert_eq!(installation.provider.content(&fax["id"].to_string()).await, pdf);
    let path = format!("/fax/{id}/pdf");
    let part = installation
        .admin
        .request(http::Method::GET, &path)
        .header("range", "bytes=10-19");
    assert_eq!(installation.admin.ask(part).await.body, pdf[10..20]);
    assert!(
        server.objects().iter().any(|name| name.contains(&id)),
        "{:?}",
        server.objects()
    );
    assert!(files::below(&installation.data().join("artifacts")).is_empty());
    assert_eq!(installation.admin.delete(&format!("/fax/{id}")).await.status, 204);
    assert!(
        !server.objects().iter().any(|name| name.ends_with(".pdf")),
        "{:?}",
        server.objects()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_fails_costs_a_clear_refusal_and_no_job() {
    let (installation, server) = with_bucket().await;
    let fax = Fax::pdf("+12125550142", documents::pdf(1, "kept")).idempotent("order-1");
    server.always(Some(Fault::Status(500)));
    installation.admin.send(&fax).await.problem(503);
    wait::until_equal("readiness to tell", 503, || async {
        installation.admin.get("/health/ready").await.status.as_u16()
    })
    .await;
    assert_eq!(installation.admin.get("/health").await.status, 200);
    assert_eq!(
        installation.admin.get("/fax").await.json()["items"],
        serde_json::json!([])
    );
    server.always(None);
    let answer = installation.admin.send(&fax).await;
    assert_eq!(
        answer.status,
        202,
        "the same request gets through: {}",
        answer.text()
    );
    let id = answer.json()["id"].as_str().expect("id").to_owned();
    installation.admin.reaches(&id, "SUCCESS").await;
    wait::until_equal("readiness to return", 200, || async {
        installation.admin.get("/health/ready").await.status.as_u16()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn old_documents_stay_readable_after_the_switch() {
    let server = S3Server::start().await;
    let mut installation = TestInstallation::start().await;
    let large = documents::pdf_of_size(1, "in a file", 100_000);
    let small = documents::pdf(1, "in the database");
    let first = installation
        .admin
        .accepted(&Fax::pdf("+12125550142", large.clone()))
        .await;
    let second = installation
        .admin
        .accepted(&Fax::pdf("+12125550143", small.clone()))
        .await;
    installation.admin.reaches(&first, "SUCCESS").await;
    installation.admin.reaches(&second, "SUCCESS").await;
    assert!(installation.server.terminate().await.success());
    installation.set("storage.backend", "s3");
    for (key, value) in [
        ("bucket", BUCKET),
        ("endpoint_url", &server.url()),
        ("access_key_id", ACCESS_KEY),
        ("secret_access_key", SECRET_KEY),
    ] {
        installation.set(&format!("storage.s3.{key}"), value);
    }
    installation.revive().await;
    for (id, pdf) in [(&first, &large), (&second, &small)] {
        assert!(installation.admin.get(&format!("/fax/{id}/pdf")).await.body == *pdf);
        let again = installation
            .admin
            .post(&format!("/fax/{id}/resend"), &serde_json::json!({}))
            .await;
        assert_eq!(again.status, 202, "{}", again.text());
        let twin = again.json()["id"].as_str().expect("id").to_owned();
        installation.admin.reaches(&twin, "SUCCESS").await;
        assert_eq!(installation.admin.delete(&format!("/fax/{id}")).await.status, 204);
        assert!(installation.admin.get(&format!("/fax/{twin}/pdf")).await.body == *pdf);
    }
}
