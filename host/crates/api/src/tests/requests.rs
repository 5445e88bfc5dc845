//! Each route with real parts: what is answered and how.

use axum::body::Body;
use http::{Method, Request};

use super::installation::{PDF, ROOT_KEY, TestInstallation, body, get, get_as, json};
use faxgate_domain::link::LinkPurpose;
use faxgate_edge::Timeouts;

fn post(key: &str, path: &str, kind: &str, content: impl Into<Body>) -> Request<Body> {
    Request::builder()
        .method(Method::POST)
        .uri(path)
        .header("x-api-key", key)
        .header("content-type", kind)
        .body(content.into())
        .unwrap()
}

#[tokio::test]
async fn every_response_has_an_id_and_errors_are_problems() {
    let test = TestInstallation::new().await;
    for (request, status) in [
        (get("/health"), 200),
        (get("/nothing"), 404),
        (get("/fax"), 401),
        (get_as("wrong", "/fax"), 401),
        (get_as(ROOT_KEY, "/fax/01jdz000000000000000000000"), 404),
        (get_as(ROOT_KEY, "/fax/%ff%fe"), 404),
        (get_as(ROOT_KEY, "/fax?cursor=nonsense"), 400),
        (get_as(ROOT_KEY, "/fax?status=done"), 400),
        (
            Request::builder()
                .method("PUT")
                .uri("/fax")
                .body(Body::empty())
                .unwrap(),
            405,
        ),
    ] {
        let what = format!("{} {}", request.method(), request.uri());
        let response = test.ask(request).await;
        assert_eq!(response.status(), status, "{what}");
        assert_eq!(response.headers()["x-request-id"].len(), 26, "{what}");
        assert_eq!(response.headers()["x-content-type-options"], "nosniff");
        if status >= 400 {
            assert_eq!(
                response.headers()["content-type"],
                "application/problem+json",
                "{what}"
            );
            assert_eq!(
                response.headers().contains_key("www-authenticate"),
                status == 401,
                "{what}"
            );
            assert_eq!(response.headers().contains_key("allow"), status == 405, "{what}");
            let problem = json(response).await;
            assert!(
                problem["detail"].is_string() && problem["type"].is_string(),
                "{problem}"
            );
            assert_eq!(problem["status"], status);
        }
    }
}

#[tokio::test]
async fn documents_are_served_by_link_and_in_parts() {
    let test = TestInstallation::new().await;
    let id = test.fax("alice", PDF).await;
    let expires = jiff::Timestamp::now() + jiff::Span::new().hours(1);
    let token = test.links.sign(LinkPurpose::FaxPdf, &id.to_string(), expires);
    let url = format!("/fax/{id}/pdf?token={token}");
    let whole = test.ask(get(&url)).await;
    assert_eq!(whole.status(), 200);
    assert_eq!(whole.headers()["content-type"], "application/pdf");
    assert_eq!(whole.headers()["cache-control"], "private, no-store");
    assert_eq!(whole.headers()["content-security-policy"], "sandbox");
    assert_eq!(whole.headers()["referrer-policy"], "no-referrer");
    assert_eq!(whole.headers()["x-content-type-options"], "nosniff");
    let etag = whole.headers()["etag"].clone();
    assert_eq!(body(whole).await, PDF);

    let mut part = get(&url);
    part.headers_mut().insert("range", "bytes=1-3".parse().unwrap());
    let part = test.ask(part).await;
    assert_eq!(part.status(), 206);
    assert_eq!(
        part.headers()["content-range"],
        format!("bytes 1-3/{}", PDF.len())
    );
    assert_eq!(body(part).await, &PDF[1..4]);

    let mut beyond = get(&url);
    beyond
        .headers_mut()
        .insert("range", "bytes=1000-".parse().unwrap());
    let beyond = test.ask(beyond).await;
    assert_eq!(beyond.status(), 416);
    assert_eq!(
        beyond.headers()["content-range"],
        format!("bytes */{}", PDF.len())
    );

    let mut known = get(&url);
    known.headers_mut().insert("if-none-match", etag);
    assert_eq!(test.ask(known).await.status(), 304);

    let head = Request::builder()
        .method("HEAD")
        .uri(&url)
        .body(Body::empty())
        .unwrap();
    let head = test.ask(head).await;
    assert_eq!(head.headers()["content-length"], PDF.len().to_string());
    assert!(body(head).await.is_empty());

    assert_eq!(
        test.ask(get(&format!("/fax/{id}/pdf?token=x"))).await.status(),
        403
    );
    let other = test.fax("alice", PDF).await;
    assert_eq!(
        test.ask(get(&format!("/fax/{other}/pdf?token={token}")))
            .await
            .status(),
        403
    );
    assert_eq!(
        test.ask(get(&format!("/inbound/{id}/pdf?token={token}")))
            .await
            .status(),
        403
    );
}

#[tokio::test]
async fn uploads_are_judged_part_by_part() {
    let test =
        TestInstallation::with(|config| config.limits.max_file_bytes = 1000, Timeouts::default()).await;
    let file = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\n";
    let to = "--b\r\nContent-Disposition: form-data; name=\"to\"\r\n\r\n+12125550100\r\n";
    let large = "x".repeat(1001);
    for (kind, content, status, word) in [
        ("text/plain", String::new(), 415, "multipart/form-data"),
        ("multipart/form-data", String::new(), 400, "boundary"),
        (
            "multipart/form-data; boundary=b",
            String::new(),
            400,
            "last boundary",
        ),
        (
            "multipart/form-data; boundary=b",
            format!("{to}--b--\r\n"),
            422,
            "file is missing",
        ),
        (
            "multipart/form-data; boundary=b",
            format!("{file}hello\r\n--b--\r\n"),
            422,
            "to is missing",
        ),
        (
            "multipart/form-data; boundary=b",
            format!("{to}{to}{file}x\r\n--b--\r\n"),
            422,
            "to is given more than once",
        ),
        (
            "multipart/form-data; boundary=b",
            format!("{to}{file}{large}\r\n--b--\r\n"),
            413,
            "larger than 1000 bytes",
        ),
        (
            "multipart/form-data; boundary=b",
            format!("{to}{file}hello"),
            400,
            "last boundary",
        ),
    ] {
        let response = test.ask(post(ROOT_KEY, "/fax", kind, content)).await;
        assert_eq!(response.status(), status, "{word}");
        let problem = json(response).await;
        assert!(problem["detail"].as_str().unwrap().contains(word), "{problem}");
    }
}

/// The whole way of an upload, with the built-in policies.
#[tokio::test]
async fn a_fax_is_accepted_once_for_each_idempotency_key() {
    let test = TestInstallation::new().await;
    let key = test.key("alice", &["fax:send", "fax:read"]).await;
    let send = |idempotency: &'static str, text: &str| {
        // The destination may come last.
        let content = format!(
            "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\n{text}\r\n\
             --b\r\nContent-Disposition: form-data; name=\"to\"\r\n\r\n (212) 555-0142 \r\n--b--\r\n"
        );
        let mut request = post(&key, "/fax", "multipart/form-data; boundary=b", content);
        request
            .headers_mut()
            .insert("idempotency-key", idempotency.parse().unwrap());
        test.ask(request)
    };
    let first = send("one", "hello").await;
    assert_eq!(first.status(), 202);
    let location = first.headers()["location"].to_str().unwrap().to_owned();
    let answer = body(first).await;
    let fax: serde_json::Value = serde_json::from_slice(&answer).unwrap();
    assert_eq!(fax["status"], "disabled");
    assert_eq!(fax["to"], "+12125550142");
    assert_eq!(fax["file_name"], "a.txt");
    assert_eq!(location, format!("/fax/{}", fax["id"].as_str().unwrap()));
    assert_eq!(json(test.ask(get_as(&key, &location)).await).await, fax);

    let again = send("one", "hello").await;
    assert_eq!(again.status(), 202);
    assert_eq!(again.headers()["idempotency-replayed"], "true");
    assert_eq!(body(again).await, answer);
    assert_eq!(send("one", "other").await.status(), 409);

    let tiff = test.ask(get_as(&key, &format!("{location}/tiff"))).await;
    assert_eq!(tiff.headers()["content-type"], "image/tiff");
    assert!(body(tiff).await.starts_with(b"II*\0"));
}

/// What clients written for Faxbot rely on: exactly 202, `id` and `status`.
#[tokio::test]
async fn a_fax_is_sent_again_once_for_each_idempotency_key() {
    let test = TestInstallation::new().await;
    let key = test.key("alice", &["fax:send", "fax:read"]).await;
    let sent = test.fax("alice", PDF).await;
    let resend = |kind: &'static str, content: &'static str| {
        let mut request = post(&key, &format!("/fax/{sent}/resend"), kind, content);
        request
            .headers_mut()
            .insert("idempotency-key", "one".parse().unwrap());
        test.ask(request)
    };
    let first = resend("application/json", r#"{"to":" (212) 555-0142 "}"#).await;
    assert_eq!(first.status(), 202);
    assert!(!first.headers().contains_key("idempotency-replayed"));
    let location = first.headers()["location"].to_str().unwrap().to_owned();
    let answer = body(first).await;
    let fax: serde_json::Value = serde_json::from_slice(&answer).unwrap();
    assert_eq!(
        (&fax["status"], &fax["to"]),
        (&"disabled".into(), &"+12125550142".into())
    );
    assert_eq!(fax["resend_of"], sent.to_string());
    assert_eq!(location, format!("/fax/{}", fax["id"].as_str().unwrap()));
    assert_eq!(json(test.ask(get_as(&key, &location)).await).await, fax);

    let again = resend("application/x-www-form-urlencoded", "to=%28212%29+555-0142").await;
    assert_eq!(again.status(), 202);
    assert_eq!(again.headers()["idempotency-replayed"], "true");
    assert_eq!(body(again).await, answer);
    assert_eq!(resend("application/json", "").await.status(), 409);
}

#[tokio::test]
async fn a_final_fax_can_be_destroyed_and_not_cancelled() {
    let test = TestInstallation::new().await;
    let key = test.key("alice", &["fax:send", "fax:read"]).await;
    let id = test.fax("alice", PDF).await;
    let cancel = post(&key, &format!("/fax/{id}/cancel"), "application/json", "");
    assert_eq!(test.ask(cancel).await.status(), 409);
    let destroy = Request::builder().method("DELETE").uri(format!("/fax/{id}"));
    let destroy = destroy.header("x-api-key", &key).body(Body::empty()).unwrap();
    assert_eq!(test.ask(destroy).await.status(), 204);
    assert_eq!(
        test.ask(get_as(&key, &format!("/fax/{id}/pdf"))).await.status(),
        410
    );
    assert_eq!(test.ask(get_as(&key, &format!("/fax/{id}"))).await.status(), 200);
}

#[tokio::test]
async fn an_announced_length_over_the_limit_is_refused_unread() {
    let test =
        TestInstallation::with(|config| config.limits.max_file_bytes = 1000, Timeouts::default()).await;
    let never = futures_util::stream::pending::<Result<bytes::Bytes, std::io::Error>>();
    let mut request = post(
        ROOT_KEY,
        "/fax",
        "multipart/form-data; boundary=b",
        Body::from_stream(never),
    );
    request
        .headers_mut()
        .insert("content-length", "10000000".parse().unwrap());
    assert_eq!(test.ask(request).await.status(), 413);
    let never = futures_util::stream::pending::<Result<bytes::Bytes, std::io::Error>>();
    let request = post(
        "wrong",
        "/fax",
        "multipart/form-data; boundary=b",
        Body::from_stream(never),
    );
    assert_eq!(test.ask(request).await.status(), 401);
}

#[tokio::test]
async fn keys_are_made_listed_rotated_and_revoked() {
    let test = TestInstallation::new().await;
    let content = r#"{"name":"ward 3","owner":"ward","scopes":["fax:read"]}"#;
    let made = test
        .ask(post(ROOT_KEY, "/admin/api-keys", "application/json", content))
        .await;
    assert_eq!(made.status(), 200);
    let made = json(made).await;
    let (id, token) = (made["key_id"].as_str().unwrap(), made["token"].as_str().unwrap());
    assert_eq!(test.ask(get_as(token, "/fax")).await.status(), 200);
    let listed = json(test.ask(get_as(ROOT_KEY, "/admin/api-keys")).await).await;
    assert!(!listed.to_string().contains(token));

    let path = format!("/admin/api-keys/{id}/rotate");
    let rotated = json(test.ask(post(ROOT_KEY, &path, "application/json", "")).await).await;
    assert_eq!(test.ask(get_as(token, "/fax")).await.status(), 401);
    let token = rotated["token"].as_str().unwrap();
    assert_eq!(test.ask(get_as(token, "/fax")).await.status(), 200);

    let revoke = || {
        let request = Request::builder()
            .method("DELETE")
            .uri(format!("/admin/api-keys/{id}"));
        test.ask(request.header("x-api-key", ROOT_KEY).body(Body::empty()).unwrap())
    };
    assert_eq!(revoke().await.status(), 200);
    assert_eq!(test.ask(get_as(token, "/fax")).await.status(), 401);
    assert_eq!(
        test.ask(post(ROOT_KEY, &path, "application/json", ""))
            .await
            .status(),
        409
    );
    let content = r#"{"name":"x","scopes":["fax:everything"]}"#;
    let refused = test
        .ask(post(ROOT_KEY, "/admin/api-keys", "application/json", content))
        .await;
    assert_eq!(refused.status(), 422);
}

#[tokio::test]
async fn administration_shows_no_secrets() {
    let test = TestInstallation::new().await;
    for path in [
        "/admin/config",
        "/admin/plugins",
        "/admin/audit",
        "/admin/health-status",
    ] {
        let response = test.ask(get_as(ROOT_KEY, path)).await;
        assert_eq!(response.status(), 200, "{path}");
        let text = String::from_utf8(body(response).await.to_vec()).unwrap();
        assert!(!text.contains(ROOT_KEY), "{path}");
    }
}

#[tokio::test]
async fn a_callback_is_capped_and_inbound_may_be_off() {
    let test = TestInstallation::new().await;
    let large = vec![b'x'; (1 << 20) + 1];
    let mut request = post(
        "",
        "/phaxio-callback?job_id=x",
        "application/x-www-form-urlencoded",
        large,
    );
    let signature = "0a".repeat(32).parse().unwrap();
    request.headers_mut().insert("x-phaxio-signature", signature);
    let response = test.ask(request).await;
    assert_eq!(response.status(), 413);
    assert_eq!(
        test.ask(post("", "/phaxio-inbound", "text/plain", "x"))
            .await
            .status(),
        404
    );
}

#[tokio::test]
async fn readiness_names_each_check_without_its_reasons() {
    let test = TestInstallation::new().await;
    let ready = json(test.ask(get("/health/ready")).await).await;
    let names: Vec<_> = ready["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|check| check["name"].clone())
        .collect();
    assert!(
        names.contains(&"database".into()) && names.contains(&"storage".into()),
        "{ready}"
    );
}
