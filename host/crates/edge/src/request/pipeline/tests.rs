//! Requests through the whole pipeline, with a small application behind it.

use axum::routing::get;
use futures_util::future::BoxFuture;

use super::*;
use crate::request::scheme::Scheme;
use crate::server::acceptor::{Server, ServerParts};
use crate::server::application::Application;
use crate::timeouts::Timeouts;
use faxgate_base::clock::Clock;
use faxgate_base::id::IdSource;
use faxgate_config::Config;
use faxgate_config::source::Fixed;

/// Two routes; `/alive` is answered without them.
struct Small(Arc<Config>);

impl Application for Small {
    fn config(&self) -> Arc<Config> {
        Arc::clone(&self.0)
    }

    fn immediate_response(&self, request: &Request<Body>) -> Option<Response> {
        (request.uri().path() == "/alive").then(|| "alive".into_response())
    }

    fn has_credential(&self, request: &Request<Body>) -> bool {
        request.headers().contains_key("x-key")
    }

    fn credential_exposed(&self, _: &Client, _: &Request<Body>) -> BoxFuture<'static, ()> {
        Box::pin(ready(()))
    }
}

fn server(change: impl FnOnce(&mut Config)) -> Server {
    let variables: [(&str, &str); 0] = [];
    let mut config = faxgate_config::load(&Fixed::variables(variables), None)
        .expect("config")
        .config;
    change(&mut config);
    Server::new(ServerParts {
        application: Arc::new(Small(Arc::new(config))),
        router: Router::new()
            .route("/", get(|| async { "hello" }))
            .route("/panic", get(|| async { panic!("boom") as () })),
        ids: IdSource::default(),
        clock: Clock::system(),
        timeouts: Timeouts::default(),
    })
}

fn connection(loopback: bool) -> Connection {
    Connection {
        peer: "192.0.2.7:4711".parse().expect("address"),
        scheme: Scheme::Http,
        loopback_listener: loopback,
        proxied: false,
    }
}

fn request(path: &str) -> Request<Body> {
    Request::builder().uri(path).body(Body::empty()).expect("request")
}

async fn text(response: Response) -> String {
    let body = axum::body::to_bytes(response.into_body(), 4096).await;
    String::from_utf8(body.expect("body").to_vec()).expect("text")
}

#[tokio::test]
async fn a_panic_fails_one_request() {
    let server = server(|_| {});
    let response = server.respond(connection(true), request("/panic")).await;
    assert_eq!(response.status(), 500);
    assert_eq!(response.headers()["x-request-id"].len(), 26);
    assert!(!text(response).await.contains("boom"));
    let response = server.respond(connection(true), request("/")).await;
    assert_eq!(text(response).await, "hello");
}

#[tokio::test]
async fn an_immediate_response_needs_neither_https_nor_a_permit() {
    let server = server(|config| {
        config.listen.max_requests = 1;
        config.public_url = "https://fax.example.org".parse().expect("url");
    });
    // The response holds the only permit until it is dropped.
    let held = server.respond(connection(true), request("/")).await;
    let refused = server.respond(connection(true), request("/")).await;
    assert_eq!(refused.status(), 503);
    assert!(refused.headers().contains_key("retry-after"));
    let alive = server.respond(connection(false), request("/alive")).await;
    assert_eq!(text(alive).await, "alive");
    drop(held);
    assert_eq!(server.respond(connection(true), request("/")).await.status(), 200);
}

#[tokio::test]
async fn a_request_in_clear_is_redirected_unless_it_has_a_credential() {
    let server = server(|config| {
        config.public_url = "https://fax.example.org".parse().expect("url");
    });
    let redirected = server.respond(connection(false), request("/")).await;
    assert_eq!(redirected.status(), 308);
    assert_eq!(redirected.headers()["location"], "https://fax.example.org/");
    let mut exposed = request("/");
    exposed
        .headers_mut()
        .insert("x-key", HeaderValue::from_static("k"));
    assert_eq!(server.respond(connection(false), exposed).await.status(), 403);
}
