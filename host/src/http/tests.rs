//! The edge from outside: what each kind of caller gets.

use axum::body::Body;
use http::{Method, Request, StatusCode};

use super::client::Scheme;
use super::testing::{ROOT_KEY, TestEdge, body, get, get_as, json, remote};
use super::timeouts::Timeouts;
use super::{auth::Need, router};
use crate::domain::link::LinkPurpose;
use crate::domain::scope::Scope;

const PDF: &[u8] = b"%PDF-1.7 a document that is served as it is kept";

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
    let test = TestEdge::new().await;
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

/// Every route, with no key, a key without scopes that matter, and the key it asks for.
#[tokio::test]
async fn each_route_lets_in_whom_its_need_says() {
    let test = TestEdge::new().await;
    for route in router::table() {
        let path = route
            .path
            .replace("{id}", "01jdz000000000000000000000")
            .replace("{key_id}", "0123456789ab");
        let ask = |key: Option<String>| {
            let mut request = Request::builder().method(route.method.clone()).uri(&path);
            if let Some(key) = key {
                request = request.header("authorization", format!("Bearer {key}"));
            }
            test.ask_from(remote(Scheme::Https), request.body(Body::empty()).unwrap())
        };
        let what = format!("{} {}", route.method, route.path);
        let (Need::Scope(scope) | Need::LinkOr(scope) | Need::LocalOr(scope)) = route.need else {
            let status = ask(None).await.status();
            assert!(
                status != 401 && status != 403 || route.need == Need::Signature,
                "{what} {status}"
            );
            continue;
        };
        assert_eq!(ask(None).await.status(), 401, "{what}");
        for other in Scope::EVERY {
            let held = crate::domain::scope::Scopes::new([other]);
            let key = test.key("somebody", &[other.as_str()]).await;
            let status = ask(Some(key)).await.status();
            assert_eq!(
                status == StatusCode::FORBIDDEN,
                !held.allow(scope),
                "{what} with {other}: {status}"
            );
        }
    }
}

#[tokio::test]
async fn foreign_and_unknown_faxes_answer_alike() {
    let test = TestEdge::new().await;
    let id = test.fax("alice", PDF).await;
    let (alice, bob) = (
        test.key("alice", &["fax:read"]).await,
        test.key("bob", &["fax:read"]).await,
    );
    let auditor = test.key("auditor", &["fax:read_all"]).await;
    for path in ["", "/events", "/pdf"] {
        let own = test.ask(get_as(&alice, &format!("/fax/{id}{path}"))).await;
        assert_eq!(own.status(), 200);
        assert_eq!(
            test.ask(get_as(&auditor, &format!("/fax/{id}{path}")))
                .await
                .status(),
            200
        );
        let foreign = test.ask(get_as(&bob, &format!("/fax/{id}{path}"))).await;
        let unknown = test
            .ask(get_as(&bob, &format!("/fax/01jdz000000000000000000000{path}")))
            .await;
        assert_eq!(foreign.status(), unknown.status());
        assert_eq!(json(foreign).await, json(unknown).await);
    }
    assert_eq!(
        json(test.ask(get_as(&bob, "/fax")).await).await["items"],
        serde_json::json!([])
    );
    assert_eq!(
        json(test.ask(get_as(&alice, "/fax")).await).await["items"][0]["id"],
        id.to_string()
    );
}

#[tokio::test]
async fn documents_are_served_by_link_and_in_parts() {
    let test = TestEdge::new().await;
    let id = test.fax("alice", PDF).await;
    let expires = jiff::Timestamp::now() + jiff::Span::new().hours(1);
    let token = test.links.sign(LinkPurpose::FaxPdf, &id.to_string(), expires);
    let url = format!("/fax/{id}/pdf?token={token}");
    let whole = test.ask(get(&url)).await;
    assert_eq!(whole.status(), 200);
    assert_eq!(whole.headers()["content-type"], "application/pdf");
    assert_eq!(whole.headers()["cache-control"], "private, no-store");
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
async fn wrong_credentials_are_counted_and_right_ones_are_not_locked_out() {
    let test = TestEdge::with(
        |config| config.limits.auth_failures_per_minute = 2,
        Timeouts::default(),
    )
    .await;
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(
            test.ask(get_as("fbk_live_0123456789ab_wrong", "/fax"))
                .await
                .status()
                .as_u16(),
        );
    }
    assert_eq!(statuses, [401, 401, 429]);
    let refused = test
        .ask(get("/fax/01jdz000000000000000000000/pdf?token=guess"))
        .await;
    assert_eq!(refused.status(), 429);
    assert!(refused.headers().contains_key("retry-after") && refused.headers().contains_key("ratelimit"));
    assert_eq!(test.ask(get_as(ROOT_KEY, "/fax")).await.status(), 200);
}

#[tokio::test]
async fn a_key_has_one_budget_across_routes() {
    let test = TestEdge::with(
        |config| config.limits.requests_per_minute = 2,
        Timeouts::default(),
    )
    .await;
    let key = test.key("alice", &["fax:read", "inbound:list"]).await;
    assert_eq!(
        test.ask(get_as(&key, "/fax")).await.headers()["ratelimit-policy"],
        "\"default\";q=2;w=60"
    );
    assert_eq!(test.ask(get_as(&key, "/inbound")).await.status(), 200);
    let refused = test.ask(get_as(&key, "/fax")).await;
    assert_eq!(refused.status(), 429);
    assert_eq!(refused.headers()["retry-after"], "30");
    assert_eq!(test.ask(get_as(ROOT_KEY, "/fax")).await.status(), 200);
    assert_eq!(test.ask(get("/health")).await.status(), 200);
}

#[tokio::test]
async fn without_required_keys_only_loopback_gets_in_and_never_to_administration() {
    let test = TestEdge::with(
        |config| {
            config.auth.require_api_key = false;
            config.enforce_public_https = false;
        },
        Timeouts::default(),
    )
    .await;
    assert_eq!(test.ask(get("/fax")).await.status(), 200);
    assert_eq!(test.ask(get("/admin/config")).await.status(), 401);
    assert_eq!(
        test.ask_from(remote(Scheme::Http), get("/fax")).await.status(),
        401
    );
}

#[tokio::test]
async fn metrics_are_for_this_machine_or_a_scope() {
    let test = TestEdge::new().await;
    assert_eq!(test.ask(get("/metrics")).await.status(), 200);
    let mut forwarded = get("/metrics");
    forwarded
        .headers_mut()
        .insert("x-forwarded-for", "192.0.2.1".parse().unwrap());
    assert_eq!(test.ask(forwarded).await.status(), 401);
    assert_eq!(
        test.ask_from(remote(Scheme::Https), get("/metrics"))
            .await
            .status(),
        401
    );
    assert_eq!(
        test.ask_from(remote(Scheme::Https), get_as(ROOT_KEY, "/metrics"))
            .await
            .status(),
        200
    );
}

#[tokio::test]
async fn in_clear_others_get_health_a_redirect_or_a_refusal() {
    let test = TestEdge::with(
        |config| {
            config.public_url = "https://fax.example.org".parse().unwrap();
            config.listen.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()];
        },
        Timeouts::default(),
    )
    .await;
    let ask = |request| test.ask_from(remote(Scheme::Http), request);
    assert_eq!(ask(get("/health")).await.status(), 200);
    let redirect = ask(get("/fax?limit=1")).await;
    assert_eq!(redirect.status(), 308);
    assert_eq!(
        redirect.headers()["location"],
        "https://fax.example.org/fax?limit=1"
    );
    assert!(!redirect.headers().contains_key("strict-transport-security"));

    let exposed = ask(get_as(ROOT_KEY, "/fax")).await;
    assert_eq!(exposed.status(), 403);
    assert!(!exposed.headers().contains_key("location"));
    assert_eq!(ask(get("/fax/x/pdf?token=t")).await.status(), 403);
    test.store
        .record(crate::domain::audit::AuditEntry::new(
            jiff::Timestamp::now(),
            "test",
            "end",
            "",
        ))
        .await
        .unwrap();
    let audit = test.store.audit(None, 100).unwrap();
    let noted: Vec<_> = audit
        .iter()
        .filter(|record| record.entry.what == "key.exposed")
        .collect();
    assert_eq!(noted.len(), 1);
    assert_eq!(
        (noted[0].entry.who.as_str(), noted[0].entry.from.as_deref()),
        ("bootstrap", Some("192.0.2.7"))
    );

    let over_tls = test.ask_from(remote(Scheme::Https), get("/fax")).await;
    assert_eq!(over_tls.status(), 401);
    assert!(over_tls.headers().contains_key("strict-transport-security"));

    let mut proxied = get_as(ROOT_KEY, "/fax");
    proxied
        .headers_mut()
        .insert("x-forwarded-proto", "https".parse().unwrap());
    assert_eq!(ask(proxied).await.status(), 403);
    let mut proxied = get_as(ROOT_KEY, "/fax");
    proxied
        .headers_mut()
        .insert("x-forwarded-proto", "https".parse().unwrap());
    proxied
        .headers_mut()
        .insert("x-request-id", "from-the-proxy".parse().unwrap());
    let mut proxy = remote(Scheme::Http);
    proxy.peer = "10.1.1.1:80".parse().unwrap();
    let served = test.ask_from(proxy, proxied).await;
    assert_eq!(served.status(), 200);
    assert_eq!(served.headers()["x-request-id"], "from-the-proxy");
}

#[tokio::test]
async fn uploads_are_judged_part_by_part() {
    let test = TestEdge::with(|config| config.limits.max_file_bytes = 1000, Timeouts::default()).await;
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

#[tokio::test]
async fn an_announced_length_over_the_limit_is_refused_unread() {
    let test = TestEdge::with(|config| config.limits.max_file_bytes = 1000, Timeouts::default()).await;
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
    let test = TestEdge::new().await;
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
    let test = TestEdge::new().await;
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
    let test = TestEdge::new().await;
    let large = vec![b'x'; (1 << 20) + 1];
    let response = test
        .ask(post(
            "",
            "/phaxio-callback?job_id=x",
            "application/x-www-form-urlencoded",
            large,
        ))
        .await;
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
    let test = TestEdge::new().await;
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

#[tokio::test]
async fn a_panic_is_a_fault_of_one_request() {
    let test = TestEdge::new().await;
    let router = axum::Router::new().route("/", axum::routing::get(|| async { panic!("boom") as () }));
    let response = super::edge::respond(&test.edge, &router, super::testing::local(), get("/")).await;
    assert_eq!(response.status(), 500);
    assert!(!String::from_utf8_lossy(&body(response).await).contains("boom"));
}
