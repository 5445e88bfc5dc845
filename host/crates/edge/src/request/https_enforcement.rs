//! Requests in clear are redirected to HTTPS or refused where HTTPS is enforced.

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Either, Ready, ready};
use http::header::LOCATION;
use http::{HeaderValue, Method, StatusCode};
use url::Url;

use super::client::{Client, Connection};
use super::scheme::Scheme;
use crate::problem::{HTTPS_REQUIRED, Problem};
use crate::server::application::Application;
use faxgate_config::Config;

/// Where certificate authorities look for proofs over plain HTTP (RFC 8555, section 8.3). There are none: the answer is
/// 404, since a redirect would only delay it.
const ACME_PATH: &str = "/.well-known/acme-challenge/";

/// A response that may have to wait for the application.
pub(super) type Early = Either<Ready<Response>, BoxFuture<'static, Response>>;

/// The response to a request that must not be made in clear; none when it may be.
pub(super) fn check(
    application: &dyn Application,
    client: &Client,
    request: &Request,
    config: &Config,
) -> Option<Early> {
    if !config.enforce_public_https || !is_exposed(client) {
        return None;
    }
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if reads && request.uri().path().starts_with(ACME_PATH) {
        return None;
    }
    if application.has_credential(request) {
        // No redirect: the client would send the credential in clear again next time.
        let reported = application.credential_exposed(client, request);
        let problem = Problem::new(
            HTTPS_REQUIRED,
            "credentials were sent in clear: use HTTPS, and replace this key or link, since others may have read it",
        );
        let response = async move {
            reported.await;
            problem.into_response()
        };
        return Some(Either::Right(response.boxed()));
    }
    Some(Either::Left(ready(redirect(request, &config.public_url))))
}

/// Whether others could read the request: it came in clear on an address that other machines reach, or a trusted proxy
/// reports that it did.
fn is_exposed(client: &Client) -> bool {
    let reported = client.scheme_reported && !client.address.is_loopback();
    let Connection {
        loopback_listener,
        proxied,
        ..
    } = client.connection;
    client.scheme == Scheme::Http && (!loopback_listener || proxied || reported)
}

fn redirect(request: &Request, public: &Url) -> Response {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    // The target comes from the configuration, never from the Host header.
    let target = https_base(public).and_then(|base| HeaderValue::from_str(&format!("{base}{path}")).ok());
    let Some(target) = target else {
        let detail = "only HTTPS is served here: call the https address (the operator sets it as public_url)";
        return Problem::new(HTTPS_REQUIRED, detail).into_response();
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
mod tests;
