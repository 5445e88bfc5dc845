//! What one key's owner has, nobody else sees.

use serde_json::json;

use faxgate_testkit::TestInstallation;
use faxgate_testkit::documents;
use faxgate_testkit::service::client::Fax;

#[tokio::test(flavor = "multi_thread")]
async fn somebody_elses_fax_is_as_unknown_as_none() {
    let installation = TestInstallation::start().await;
    let (clinic, lab) = (
        installation.sender("clinic").await,
        installation.sender("lab").await,
    );
    let id = clinic
        .accepted(&Fax::pdf("+12125550142", documents::pdf(1, "private")))
        .await;
    clinic.reaches(&id, "SUCCESS").await;
    let nobody = "01jdz0000000000000000000zz";
    for path in ["", "/events", "/pdf", "/tiff"] {
        let theirs = lab.get(&format!("/fax/{id}{path}")).await;
        let none = lab.get(&format!("/fax/{nobody}{path}")).await;
        assert_eq!(theirs.problem(404), none.problem(404), "{path}");
    }
    for path in ["cancel", "resend"] {
        lab.post(&format!("/fax/{id}/{path}"), &json!({}))
            .await
            .problem(404);
    }
    lab.delete(&format!("/fax/{id}")).await.problem(404);
    assert_eq!(lab.get("/fax").await.json()["items"], json!([]));
    assert_eq!(clinic.get("/fax").await.json()["items"][0]["id"], id.as_str());
    assert_eq!(clinic.get(&format!("/fax/{id}/pdf")).await.status, 200);

    let auditor = installation
        .admin
        .make_key("audit", &["fax:read", "fax:read_all"])
        .await;
    let auditor = installation.admin.with_key(&auditor);
    assert_eq!(auditor.job(&id).await["owner"], "clinic");
    assert_eq!(installation.admin.job(&id).await["owner"], "clinic");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_may_do_what_its_scopes_say_and_no_more() {
    let installation = TestInstallation::start().await;
    let fax = Fax::pdf("+12125550142", documents::pdf(1, "x"));
    let id = installation.admin.accepted(&fax).await;
    let only = |scope: &'static str| async {
        installation
            .admin
            .with_key(&installation.admin.make_key("clinic", &[scope]).await)
    };
    let reader = only("fax:read").await;
    reader.send(&fax).await.problem(403);
    reader
        .post(&format!("/fax/{id}/cancel"), &json!({}))
        .await
        .problem(403);
    reader.get("/admin/api-keys").await.problem(403);
    reader.get("/inbound").await.problem(403);
    let sender = only("fax:send").await;
    sender.get("/fax").await.problem(403);
    let keeper = only("keys:manage").await;
    assert_eq!(keeper.get("/admin/api-keys").await.status, 200);
    keeper.get("/admin/audit").await.problem(403);
    let all = only("*").await;
    assert_eq!(all.get("/admin/audit").await.status, 200);
    assert_eq!(all.send(&fax).await.status, 202);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_made_listed_rotated_and_revoked() {
    let installation = TestInstallation::start().await;
    let order = json!({ "name": "ward", "owner": "clinic", "scopes": ["fax:send", "fax:read"] });
    let made = installation.admin.post("/admin/api-keys", &order).await;
    assert_eq!(made.status, 200, "{}", made.text());
    let made = made.json();
    let token = made["token"].as_str().expect("token");
    let key_id = made["key_id"].as_str().expect("key id");
    let parts: Vec<&str> = token.splitn(4, '_').collect();
    assert_eq!((parts[0], parts[1], parts[2]), ("fbk", "live", key_id));
    assert!(parts[3].len() >= 43, "256 bits in base64url");
    let listed = installation.admin.get("/admin/api-keys").await;
    assert!(!listed.text().contains(parts[3]), "a secret is shown once");
    let client = installation.admin.with_key(token);
    assert_eq!(client.get("/fax").await.status, 200);
    let bearer = installation.admin.without_key();
    let request = bearer.request(http::Method::GET, "/fax").bearer_auth(token);
    assert_eq!(bearer.ask(request).await.status, 200);

    let path = format!("/admin/api-keys/{key_id}");
    let rotated = installation
        .admin
        .post(&format!("{path}/rotate"), &json!({ "overlap_minutes": 5 }))
        .await
        .json();
    let fresh = rotated["token"].as_str().expect("token").to_owned();
    assert_eq!(client.get("/fax").await.status, 200, "the old one overlaps");
    assert_eq!(installation.admin.with_key(&fresh).get("/fax").await.status, 200);
    installation
        .admin
        .post(&format!("{path}/rotate"), &json!({}))
        .await;
    client.get("/fax").await.problem(401);

    assert!(installation.admin.delete(&path).await.status.is_success());
    installation.admin.with_key(&fresh).get("/fax").await.problem(401);
    installation
        .admin
        .post(&format!("{path}/rotate"), &json!({}))
        .await
        .problem(409);
    installation
        .admin
        .delete("/admin/api-keys/ffffffffffff")
        .await
        .problem(404);
    let unknown = json!({ "name": "x", "owner": "x", "scopes": ["fax:everything"] });
    installation
        .admin
        .post("/admin/api-keys", &unknown)
        .await
        .problem(422);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expiry_with_an_offset_is_kept_to_the_second() {
    let installation = TestInstallation::start().await;
    let order = |at: &str| json!({ "name": "x", "owner": "x", "scopes": ["fax:read"], "expires_at": at });
    let made = installation
        .admin
        .post("/admin/api-keys", &order("2099-01-01T02:00:00+02:00"))
        .await;
    assert_eq!(made.status, 200, "{}", made.text());
    assert_eq!(made.json()["expires_at"], "2099-01-01T00:00:00Z");
    let past = installation
        .admin
        .post("/admin/api-keys", &order("2001-01-01T00:00:00Z"))
        .await;
    if past.status == 200 {
        let token = past.json()["token"].as_str().expect("token").to_owned();
        installation.admin.with_key(&token).get("/fax").await.problem(401);
    } else {
        past.problem(422);
    }
}
