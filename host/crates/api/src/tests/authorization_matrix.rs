//! The authorization matrix, generated from the route table: every route, every kind of credential, one's own,
//! somebody else's and no object at all. A route that is added is in it by itself.

use std::collections::BTreeMap;

use axum::body::Body;
use http::{Method, Request, StatusCode};
use jiff::SignedDuration;

use super::installation::{PDF, ROOT_KEY, TestInstallation, body, remote};
use crate::request::authorization::AuthRequirement;
use crate::routes::{self, Route};
use faxgate_domain::link::LinkPurpose;
use faxgate_domain::scope::{Scope, Scopes};
use faxgate_edge::{Scheme, Timeouts};

const UNKNOWN: &str = "01jdz000000000000000000000";

/// What a request shows.
#[derive(Clone, Debug)]
enum Credential {
    None,
    Key(String),
    Link(String),
}

/// What was answered, apart from what differs from request to request.
#[derive(Clone, Debug, PartialEq)]
struct Observed {
    status: StatusCode,
    headers: BTreeMap<String, String>,
    body: String,
}

struct Matrix {
    test: TestInstallation,
}

impl Matrix {
    async fn new() -> Self {
        let limitless = |config: &mut faxgate_config::Config| {
            config.limits.inbound_list_rpm = 0;
            config.limits.inbound_get_rpm = 0;
            config.limits.auth_failures_per_minute = 0;
            config.inbound.enabled = true;
        };
        Self {
            test: TestInstallation::with(limitless, Timeouts::default()).await,
        }
    }

    /// A new object of `owner` that this route is about; none for a route that is about none.
    async fn object(&self, route: &Route, owner: &str) -> Option<String> {
        if route.rule.path.contains("{key_id}") {
            let token = self.test.key(owner, &["fax:read"]).await;
            return token.split('_').nth(2).map(str::to_owned);
        }
        if !route.rule.path.contains("{id}") {
            return None;
        }
        Some(if route.rule.path.starts_with("/inbound") {
            self.test.received(owner).await.to_string()
        } else {
            self.test.fax(owner, PDF).await.to_string()
        })
    }

    async fn ask(&self, route: &Route, id: Option<&str>, shown: &Credential) -> Observed {
        let id = id.unwrap_or(UNKNOWN);
        let mut path = route
            .rule
            .path
            .replace("{id}", id)
            .replace("{key_id}", id)
            .replace("{page}", "1.png");
        let mut request = Request::builder().method(route.method.clone());
        match shown {
            Credential::None => {}
            Credential::Key(key) => request = request.header("x-api-key", key),
            Credential::Link(token) => path = format!("{path}?token={token}"),
        }
        let request = request.uri(path).body(Body::empty()).unwrap();
        let answer = self.test.ask_from(remote(Scheme::Https), request).await;
        let headers = answer
            .headers()
            .iter()
            .filter(|(name, _)| *name != "x-request-id");
        Observed {
            status: answer.status(),
            headers: headers
                .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
                .collect(),
            body: String::from_utf8_lossy(&body(answer).await).into_owned(),
        }
    }

    fn link(&self, purpose: LinkPurpose, id: &str, minutes: i64) -> Credential {
        let expiry = self.test.clock.now() + SignedDuration::from_mins(minutes);
        Credential::Link(self.test.links.sign(purpose, id, expiry))
    }

    /// Keys that open nothing: made up, of another secret, revoked, expired, replaced.
    async fn dead_keys(&self) -> Vec<(&'static str, String)> {
        let operator = faxgate_service::Actor::operator();
        let id = |token: &str| token.split('_').nth(2).unwrap().to_owned();
        let revoked = self.test.key("alice", &["*"]).await;
        let app = &self.test.app;
        app.revoke_key(&operator, &id(&revoked)).await.unwrap();
        let rotated = self.test.key("alice", &["*"]).await;
        app.rotate_key(&operator, &id(&rotated), 0).await.unwrap();
        let expired = faxgate_service::NewKey {
            scopes: Some(vec!["*".to_owned()]),
            expires_at: Some((self.test.clock.now() + SignedDuration::from_mins(1)).to_string()),
            ..faxgate_service::NewKey::default()
        };
        let expired = app.create_key(&operator, expired).await.unwrap().token;
        self.test.wait(SignedDuration::from_mins(2));
        let real = self.test.key("alice", &["*"]).await;
        vec![
            ("made up", format!("fbk_live_0123456789ab_{}", "A".repeat(43))),
            ("no key at all", "nonsense".to_owned()),
            (
                "of another secret",
                format!("fbk_live_{}_{}", id(&real), "A".repeat(43)),
            ),
            ("revoked", revoked),
            ("replaced", rotated),
            ("expired", expired),
            ("almost the bootstrap key", format!("{ROOT_KEY}x")),
        ]
    }
}

const fn needed(route: &Route) -> Option<Scope> {
    match route.rule.requirement {
        AuthRequirement::Scope(scope) | AuthRequirement::LinkOr(scope) | AuthRequirement::LocalOr(scope) => {
            Some(scope)
        }
        AuthRequirement::Nothing | AuthRequirement::Signature => None,
    }
}

fn what(route: &Route) -> String {
    format!("{} {}", route.method, route.rule.path)
}

/// No key and dead keys are turned away alike, whatever they ask for, and learn nothing.
#[tokio::test]
async fn without_a_valid_key_every_route_answers_alike() {
    let matrix = Matrix::new().await;
    let dead = matrix.dead_keys().await;
    for route in routes::table().iter().filter(|route| needed(route).is_some()) {
        let what = what(route);
        let id = matrix.object(route, "alice").await;
        let none = matrix.ask(route, id.as_deref(), &Credential::None).await;
        assert_eq!(none.status, 401, "{what}");
        assert!(none.headers.contains_key("www-authenticate"), "{what}");
        assert_eq!(none, matrix.ask(route, None, &Credential::None).await, "{what}");
        let mut first = None;
        for (kind, key) in &dead {
            let shown = Credential::Key(key.clone());
            let seen = matrix.ask(route, id.as_deref(), &shown).await;
            assert_eq!(seen.status, 401, "{what} with a key that is {kind}");
            assert_eq!(seen, matrix.ask(route, None, &shown).await, "{what} {kind}");
            assert_eq!(&seen, first.get_or_insert_with(|| seen.clone()), "{what} {kind}");
        }
    }
}

/// A key of one scope opens what needs this scope and nothing else; of those, one's own is there and somebody
/// else's is as unknown as what never was.
#[tokio::test]
async fn each_scope_allows_its_routes_and_no_foreign_objects() {
    let matrix = Matrix::new().await;
    for route in routes::table() {
        let Some(need) = needed(&route) else { continue };
        for scope in Scope::EVERY {
            let key = Credential::Key(matrix.test.key("alice", &[scope.as_str()]).await);
            let what = format!("{} with {scope}", what(&route));
            let (own, foreign) = (
                matrix.object(&route, "alice").await,
                matrix.object(&route, "bob").await,
            );
            let foreign = matrix.ask(&route, foreign.as_deref(), &key).await;
            let unknown = matrix.ask(&route, None, &key).await;
            let own = matrix.ask(&route, own.as_deref(), &key).await;
            if !Scopes::new([scope]).allow(need) {
                assert_eq!(own.status, 403, "{what}");
                assert_eq!((&own, &own), (&foreign, &unknown), "{what}");
                continue;
            }
            assert!(!matches!(own.status.as_u16(), 401 | 403 | 404), "{what}: {own:?}");
            if !route.rule.path.contains('{') {
                continue;
            }
            assert_eq!(unknown.status, 404, "{what}");
            let sees_all =
                matches!(scope, Scope::All | Scope::FaxReadAll) || route.rule.path.contains("{key_id}");
            if sees_all {
                assert_eq!(foreign.status, own.status, "{what}");
            } else {
                assert_eq!(foreign, unknown, "{what}");
            }
        }
    }
}

/// Who may read everything may not act for everybody.
#[tokio::test]
async fn reading_everything_is_not_acting_for_everybody() {
    let matrix = Matrix::new().await;
    let key = matrix.test.key("alice", &["fax:send", "fax:read_all"]).await;
    let key = Credential::Key(key);
    for route in routes::table() {
        let changes = route.method != Method::GET && route.rule.path.starts_with("/fax/{id}");
        if changes {
            let own = matrix.object(&route, "alice").await;
            let foreign = matrix.object(&route, "bob").await;
            let own = matrix.ask(&route, own.as_deref(), &key).await;
            assert!(!matches!(own.status.as_u16(), 401 | 403 | 404), "{own:?}");
            assert_eq!(
                matrix.ask(&route, foreign.as_deref(), &key).await.status,
                403,
                "{}",
                what(&route)
            );
            assert_eq!(
                matrix.ask(&route, None, &key).await.status,
                404,
                "{}",
                what(&route)
            );
        }
    }
}

/// The bootstrap key opens everything, of everybody.
#[tokio::test]
async fn the_bootstrap_key_is_allowed_everything() {
    let matrix = Matrix::new().await;
    let key = Credential::Key(ROOT_KEY.to_owned());
    for route in routes::table().iter().filter(|route| needed(route).is_some()) {
        let id = matrix.object(route, "alice").await;
        let seen = matrix.ask(route, id.as_deref(), &key).await;
        assert!(
            !matches!(seen.status.as_u16(), 401 | 403 | 404),
            "{} {seen:?}",
            what(route)
        );
    }
}

/// A link opens its own document, for its purpose, until it expires. All others are refused alike, whether the
/// document exists or not.
#[tokio::test]
async fn a_link_opens_one_document_until_it_expires() {
    let matrix = Matrix::new().await;
    for route in routes::table() {
        let what = what(&route);
        let id = matrix.object(&route, "alice").await;
        let id = id.as_deref().unwrap_or(UNKNOWN);
        let (right, other) = if route.rule.path.starts_with("/inbound") {
            (LinkPurpose::InboundPdf, LinkPurpose::FaxPdf)
        } else {
            (LinkPurpose::FaxPdf, LinkPurpose::InboundPdf)
        };
        let good = matrix.link(right, id, 5);
        let bad = [
            matrix.link(other, id, 5),
            matrix.link(right, UNKNOWN, 5),
            matrix.link(right, id, -1),
            Credential::Link("made-up".to_owned()),
        ];
        if let AuthRequirement::LinkOr(_) = route.rule.requirement {
            assert_eq!(matrix.ask(&route, Some(id), &good).await.status, 200, "{what}");
            let refused = matrix.ask(&route, None, &bad[3]).await;
            assert_eq!(refused.status, 403, "{what}");
            for link in &bad {
                assert_eq!(
                    matrix.ask(&route, Some(id), link).await,
                    refused,
                    "{what} {link:?}"
                );
            }
        } else if needed(&route).is_some() {
            // Elsewhere it is worth nothing.
            assert_eq!(matrix.ask(&route, Some(id), &good).await.status, 401, "{what}");
        }
    }
}
