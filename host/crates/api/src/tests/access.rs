//! Who gets in, how often, and over what.

use axum::body::Body;
use http::{Request, StatusCode};

use super::installation::{PDF, ROOT_KEY, TestInstallation, get, get_as, json, remote};
use crate::request::authorization::AuthRequirement;
use crate::routes;
use faxgate_domain::scope::Scope;
use faxgate_edge::{Scheme, Timeouts};

/// Every route, with no key, a key without scopes that matter, and the key it asks for.
#[tokio::test]
async fn each_route_admits_whom_its_rule_says() {
    let test = TestInstallation::new().await;
    for route in routes::table() {
        let path = route
            .rule
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
        let what = format!("{} {}", route.method, route.rule.path);
        let (AuthRequirement::Scope(scope)
        | AuthRequirement::LinkOr(scope)
        | AuthRequirement::LocalOr(scope)) = route.rule.requirement
        else {
            let status = ask(None).await.status();
            assert!(
                status != 401 && status != 403 || route.rule.requirement == AuthRequirement::Signature,
                "{what} {status}"
            );
            continue;
        };
        assert_eq!(ask(None).await.status(), 401, "{what}");
        for other in Scope::EVERY {
            let held = faxgate_domain::scope::Scopes::new([other]);
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
    let test = TestInstallation::new().await;
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
async fn wrong_credentials_are_counted_and_right_ones_are_not_locked_out() {
    let test = TestInstallation::with(
        |config| config.limits.auth_failures_per_minute = 2,
        Timeouts::default(),
    )
    .await;
    let key = test.key("alice", &["fax:read"]).await;
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
    assert_eq!(test.ask(get_as(&key, "/fax")).await.status(), 200);
}

#[tokio::test]
async fn a_key_has_one_budget_across_routes() {
    let test = TestInstallation::with(
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
    let test = TestInstallation::with(
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
    let test = TestInstallation::new().await;
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
    let test = TestInstallation::with(
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
        .record(faxgate_domain::audit::AuditEntry::new(
            jiff::Timestamp::now(),
            "test",
            "end",
            "",
        ))
        .await
        .unwrap();
    let audit = test.store.audit(None, 100).await.unwrap();
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
async fn refused_links_are_in_the_audit_but_cannot_fill_it() {
    let test = TestInstallation::with(
        |config| config.limits.auth_failures_per_minute = 0,
        Timeouts::default(),
    )
    .await;
    let id = test.fax("alice", PDF).await;
    for n in 0..30 {
        let path = format!("/fax/{id}/pdf?token=guess-{n}");
        let answer = test.ask_from(remote(Scheme::Https), get(&path)).await;
        assert_eq!(answer.status(), 403);
    }
    // What is queued before this is kept with it.
    let end = faxgate_domain::audit::AuditEntry::new(jiff::Timestamp::now(), "test", "end", "");
    test.store.record(end).await.unwrap();
    let audit = test.store.audit(None, 100).await.unwrap();
    let refused: Vec<_> = audit
        .iter()
        .filter(|record| record.entry.what == "link.refused")
        .collect();
    assert!((1..=5).contains(&refused.len()), "{}", refused.len());
    let entry = &refused[0].entry;
    assert_eq!(
        (entry.object.as_str(), entry.outcome.as_str()),
        (id.to_string().as_str(), "denied")
    );
    assert_eq!(entry.from.as_deref(), Some("192.0.2.7"));
    assert!(!format!("{audit:?}").contains("guess"));
}

#[tokio::test]
async fn a_key_may_have_a_limit_of_its_own_or_none() {
    let test = TestInstallation::with(
        |config| config.limits.requests_per_minute = 1,
        Timeouts::default(),
    )
    .await;
    let app = &test.app;
    let make = async |rate: Option<u32>| {
        let new = faxgate_service::NewKey {
            requests_per_minute: rate,
            ..faxgate_service::NewKey::default()
        };
        app.create_key(&faxgate_service::Actor::operator(), new)
            .await
            .unwrap()
            .token
    };
    for (rate, policy) in [
        (None, Some("\"default\";q=1;w=60")),
        (Some(3), Some("\"default\";q=3;w=60")),
        (Some(0), None),
    ] {
        let key = make(rate).await;
        let mut allowed = 0;
        for _ in 0..5 {
            let answer = test.ask(get_as(&key, "/fax")).await;
            let told = answer.headers().get("ratelimit-policy");
            assert_eq!(told.map(|value| value.to_str().unwrap()), policy);
            if answer.status() == 200 {
                allowed += 1;
            } else {
                assert_eq!(answer.status(), 429);
                let wait: u64 = answer.headers()["retry-after"].to_str().unwrap().parse().unwrap();
                assert!((1..=60).contains(&wait));
            }
        }
        assert_eq!(
            allowed,
            match rate {
                None => 1,
                Some(0) => 5,
                Some(rate) => rate,
            }
        );
    }
}

/// An IPv6 household has 2^64 addresses: they count as one.
#[tokio::test]
async fn failed_authentication_is_counted_by_network() {
    let test = TestInstallation::with(
        |config| config.limits.auth_failures_per_minute = 3,
        Timeouts::default(),
    )
    .await;
    let ask = async |address: &str| {
        let mut connection = remote(Scheme::Https);
        connection.peer = std::net::SocketAddr::new(address.parse().unwrap(), 4711);
        test.ask_from(connection, get_as("wrong", "/fax"))
            .await
            .status()
            .as_u16()
    };
    for host in 0..3 {
        assert_eq!(ask(&format!("2001:db8:1:2::{host}")).await, 401);
    }
    assert_eq!(ask("2001:db8:1:2:ffff::1").await, 429);
    assert_eq!(ask("2001:db8:1:3::1").await, 401, "the neighbours");
    assert_eq!(ask("::ffff:192.0.2.9").await, 401, "IPv4 counts by address");
}
