//! What a client without any credential can cause is bounded: work, audit records and guesses.

use axum::body::Body;
use http::{Method, Request};

use super::installation::{PDF, ROOT_KEY, TestInstallation, get, get_as, json, remote};
use faxgate_domain::audit::AuditRecord;
use faxgate_edge::{Connection, Scheme, Timeouts};

fn stranger(last: u8) -> Connection {
    let mut connection = remote(Scheme::Https);
    connection.peer = std::net::SocketAddr::from(([192, 0, 2, last], 4711));
    connection
}

fn callback(signature: Option<&str>, body: impl Into<Body>) -> Request<Body> {
    let mut request = Request::builder()
        .method(Method::POST)
        .uri("/phaxio-callback?job_id=x")
        .header("content-type", "application/x-www-form-urlencoded");
    if let Some(signature) = signature {
        request = request.header("x-phaxio-signature", signature);
    }
    request.body(body.into()).unwrap()
}

fn well_formed() -> String {
    "0a".repeat(32)
}

async fn audit(test: &TestInstallation) -> Vec<AuditRecord> {
    // What is queued before this record is stored with it.
    let end = faxgate_domain::audit::AuditEntry::new(jiff::Timestamp::now(), "test", "end", "");
    test.store.record(end).await.unwrap();
    test.store.audit(None, 1000).await.unwrap()
}

#[tokio::test]
async fn an_unsigned_callback_is_refused_from_its_head() {
    let test = TestInstallation::new().await;
    for signature in [None, Some(""), Some("0a"), Some(&*"Z".repeat(64))] {
        let never = futures_util::stream::pending::<Result<bytes::Bytes, std::io::Error>>();
        let request = callback(signature, Body::from_stream(never));
        let response = test.ask_from(stranger(7), request).await;
        assert_eq!(response.status(), 401, "{signature:?}");
        assert_eq!(json(response).await["type"], "urn:faxgate:problem:bad-signature");
    }
}

#[tokio::test]
async fn the_fields_and_bytes_of_an_unproved_form_are_limited() {
    let test = TestInstallation::new().await;
    let large_field = format!(
        "--b\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n{}\r\n--b--\r\n",
        "y".repeat((1 << 20) + 1)
    );
    for (kind, path, body, expected) in [
        (
            "application/x-www-form-urlencoded",
            "/phaxio-callback",
            "a&".repeat(400_000),
            400,
        ),
        (
            "application/x-www-form-urlencoded",
            "/phaxio-inbound",
            "a&".repeat(400_000),
            400,
        ),
        (
            "application/x-www-form-urlencoded",
            "/phaxio-inbound",
            "a&".repeat(10_000_000),
            413,
        ),
        (
            "multipart/form-data; boundary=b",
            "/phaxio-inbound",
            large_field,
            413,
        ),
    ] {
        let test = if path == "/phaxio-inbound" {
            &TestInstallation::with(|config| config.inbound.enabled = true, Timeouts::default()).await
        } else {
            &test
        };
        let mut request = callback(Some(&well_formed()), body);
        *request.uri_mut() = path.parse().unwrap();
        request
            .headers_mut()
            .insert("content-type", kind.parse().unwrap());
        assert_eq!(
            test.ask_from(stranger(7), request).await.status(),
            expected,
            "{kind} {path}"
        );
    }
}

#[tokio::test]
async fn refused_callbacks_are_limited_per_address_and_audited_in_part() {
    let test = TestInstallation::new().await;
    let mut statuses = Vec::new();
    for _ in 0..250 {
        let response = test
            .ask_from(stranger(7), callback(Some(&well_formed()), "a=1"))
            .await;
        statuses.push(response.status().as_u16());
    }
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 240);
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 10);
    let other = test
        .ask_from(stranger(8), callback(Some(&well_formed()), "a=1"))
        .await;
    assert_eq!(other.status(), 401, "another address is not refused for it");
    test.state().refusals().report(&test.app);
    let audit = audit(&test).await;
    let of = |what: &str| {
        audit
            .iter()
            .filter(|record| record.entry.what == what)
            .collect::<Vec<_>>()
    };
    assert_eq!(of("callback").len(), 6, "five of one address, one of the other");
    let omitted = of("refusals.omitted");
    assert_eq!(omitted.len(), 1);
    assert_eq!(omitted[0].entry.facts, [("count".to_owned(), "235".to_owned())]);
}

#[tokio::test]
async fn guessing_does_not_find_the_bootstrap_key() {
    let test = TestInstallation::with(
        |config| config.limits.auth_failures_per_minute = 3,
        Timeouts::default(),
    )
    .await;
    let ask = async |last, key: &str| test.ask_from(stranger(last), get_as(key, "/fax")).await.status();
    let key = test.key("alice", &["fax:read"]).await;
    for _ in 0..4 {
        ask(7, "wrong").await;
    }
    assert_eq!(ask(7, ROOT_KEY).await, 429);
    assert_eq!(ask(7, &key).await, 200, "a key of the database can't be guessed");
    assert_eq!(ask(8, ROOT_KEY).await, 200);
}

#[tokio::test]
async fn without_required_keys_only_programs_on_this_machine_are_served() {
    let test = TestInstallation::with(
        |config| {
            config.auth.require_api_key = false;
            config.enforce_public_https = false;
        },
        Timeouts::default(),
    )
    .await;
    let ask = async |path: &str, headers: &[(&'static str, &str)]| {
        let mut request = get(path);
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        test.ask(request).await.status().as_u16()
    };
    for path in ["/fax", "/metrics"] {
        assert_eq!(ask(path, &[("host", "localhost:8080")]).await, 200);
        for headers in [
            [("host", "localhost"), ("x-forwarded-for", "192.0.2.9")],
            [("host", "localhost"), ("origin", "https://evil.example.com")],
            [("host", "rebound.example.com"), ("accept", "*/*")],
        ] {
            assert_eq!(ask(path, &headers).await, 401, "{path} {headers:?}");
        }
    }
}

#[tokio::test]
async fn a_forged_or_foreign_cursor_is_refused() {
    let test = TestInstallation::new().await;
    for _ in 0..2 {
        test.fax("alice", PDF).await;
    }
    let page = json(test.ask(get_as(ROOT_KEY, "/fax?limit=1")).await).await;
    let cursor = page["next_cursor"].as_str().unwrap();
    let forged = format!(
        "{}{}",
        &cursor[..cursor.len() - 2],
        if cursor.ends_with("AA") { "BA" } else { "AA" }
    );
    for path in [
        format!("/fax?cursor={forged}"),
        format!("/fax?status=SUCCESS&cursor={cursor}"),
        format!("/inbound?cursor={cursor}"),
        format!("/admin/api-keys?cursor={cursor}"),
        format!("/admin/audit?cursor={cursor}"),
    ] {
        let response = test.ask(get_as(ROOT_KEY, &path)).await;
        assert_eq!(response.status(), 400, "{path}");
        assert_eq!(
            json(response).await["type"],
            "urn:faxgate:problem:bad-cursor",
            "{path}"
        );
    }
}
