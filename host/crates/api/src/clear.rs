//! Requests in clear: who may make them where HTTPS is enforced (product contract, section 5).

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};
use http::header::LOCATION;
use http::{HeaderValue, Method, StatusCode};
use url::Url;

use super::auth;
use super::client::{Client, Connection, Scheme};
use super::edge::Edge;
use super::error::{Kind, Problem};
use super::query;
use faxgate_config::Config;

/// Where authorities look for proofs over plain HTTP (RFC 8555, section 8.3). We have none there and say so; a
/// redirect would send them around in vain.
const ACME_PATH: &str = "/.well-known/acme-challenge/";

/// What to answer instead, when the request may not be made in clear.
pub(super) fn refuse(
    edge: &Edge,
    client: &Client,
    request: &Request,
    config: &Config,
) -> Option<BoxFuture<'static, Response>> {
    if !config.enforce_public_https || !is_exposed(client) {
        return None;
    }
    let path = request.uri().path();
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if reads && (path == "/health" || path.starts_with(ACME_PATH)) {
        return None;
    }
    let has_token = query::first(request.uri().query(), "token").is_some();
    if has_token || auth::has_credential(request.headers()) {
        // No redirect: the client would send the key in clear again next time.
        let token = auth::credential(request.headers())
            .ok()
            .flatten()
            .map(str::to_owned);
        let (edge, client) = (edge.clone(), *client);
        let answer = async move {
            if let Some(token) = token {
                expose(&edge, &client, &token).await;
            }
            Problem::of(
                Kind::InsecureTransport,
                "credentials were sent in clear: use HTTPS, and replace this key or link, since others may have read it",
            )
            .into_response()
        };
        return Some(answer.boxed());
    }
    Some(ready(redirect(request, &config.public_url)).boxed())
}

/// Whether others could read along: in clear on an address that other machines reach, or to a trusted proxy
/// that says so.
fn is_exposed(client: &Client) -> bool {
    let reported = client.scheme_reported && !client.address.is_loopback();
    let Connection {
        loopback_listener,
        proxied,
        ..
    } = client.connection;
    client.scheme == Scheme::Http && (!loopback_listener || proxied || reported)
}

/// The audit keeps which key crossed the wire. Only real ones: made-up keys would fill the log.
async fn expose(edge: &Edge, client: &Client, token: &str) {
    if let Ok(principal) = auth::verify(edge, client, token).await {
        edge.app().key_exposed(&principal, client.address);
    }
}

fn redirect(request: &Request, public: &Url) -> Response {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    // Where to comes from the configuration, never from the Host header.
    let target = https_base(public).and_then(|base| HeaderValue::from_str(&format!("{base}{path}")).ok());
    let Some(target) = target else {
        let detail = "only HTTPS is served here: call the https address (the operator sets it as public_url)";
        return Problem::of(Kind::InsecureTransport, detail).into_response();
    };
    let mut response = StatusCode::PERMANENT_REDIRECT.into_response();
    response.headers_mut().insert(LOCATION, target);
    response
}

/// `https://host[:port]` of the public address, when it is one.
fn https_base(url: &Url) -> Option<String> {
    let host = url.host_str().filter(|_| url.scheme() == "https")?;
    Some(match url.port() {
        Some(port) => format!("https://{host}:{port}"),
        None => format!("https://{host}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_addresses_are_redirected_to() {
        let to = |public: &str| {
            let request = Request::builder()
                .uri("/fax?limit=1")
                .body(axum::body::Body::empty())
                .expect("request");
            let response = redirect(&request, &Url::parse(public).expect("url"));
            let location = response
                .headers()
                .get(LOCATION)
                .map(|to| to.to_str().expect("text").to_owned());
            (response.status().as_u16(), location)
        };
        assert_eq!(
            to("https://fax.example.org/"),
            (308, Some("https://fax.example.org/fax?limit=1".into()))
        );
        assert_eq!(
            to("https://[::1]:8443"),
            (308, Some("https://[::1]:8443/fax?limit=1".into()))
        );
        assert_eq!(to("http://fax.example.org"), (403, None));
    }

    #[test]
    fn exposed_is_what_others_could_read() {
        let exposed = |loopback_listener, scheme, scheme_reported, address: &str| {
            let peer = "127.0.0.1:1".parse().expect("address");
            is_exposed(&Client {
                address: address.parse().expect("address"),
                scheme,
                scheme_reported,
                forwarded: scheme_reported,
                by_trusted_proxy: scheme_reported,
                connection: Connection {
                    peer,
                    scheme: Scheme::Http,
                    loopback_listener,
                    proxied: false,
                },
            })
        };
        assert!(exposed(false, Scheme::Http, false, "127.0.0.1"));
        assert!(exposed(false, Scheme::Http, true, "192.0.2.1"));
        assert!(!exposed(false, Scheme::Https, true, "192.0.2.1"));
        assert!(!exposed(true, Scheme::Http, false, "127.0.0.1"));
        assert!(exposed(true, Scheme::Http, true, "192.0.2.1"));
        assert!(!exposed(true, Scheme::Http, true, "127.0.0.1"));
    }
}
