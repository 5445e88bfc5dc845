//! Requests that look local and are not.

use std::net::SocketAddr;

use http::Request;

use faxgate_edge::{Connection, Scheme};

use super::*;

fn local(peer: &str, headers: &[(&str, &str)]) -> bool {
    let mut request = Request::builder().uri("/metrics");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let connection = Connection {
        peer: SocketAddr::new(peer.parse().expect("address"), 1234),
        scheme: Scheme::Http,
        loopback_listener: true,
        proxied: false,
    };
    let client = Client {
        address: connection.peer.ip(),
        scheme: Scheme::Http,
        scheme_reported: false,
        forwarded: headers.iter().any(|(name, _)| name.starts_with("x-forwarded")),
        by_trusted_proxy: false,
        connection,
    };
    let public = Url::parse("http://fax.test:8080").expect("url");
    let request = request.body(()).expect("request");
    is_local(&client, request.uri(), request.headers(), &public)
}

#[test]
fn programs_on_this_machine_are_local() {
    for headers in [
        &[][..],
        &[("host", "localhost:8080")],
        &[("host", "127.0.0.1:8080")],
        &[("host", "[::1]:8080")],
        &[("host", "fax.test:8080")],
        &[("host", "localhost:8080"), ("origin", "http://localhost:8080")],
        &[("host", "fax.test:8080"), ("origin", "http://fax.test:8080")],
        &[("host", "localhost:8080"), ("sec-fetch-site", "same-origin")],
    ] {
        assert!(local("127.0.0.1", headers), "{headers:?}");
    }
}

#[test]
fn tunnels_foreign_pages_and_rebound_names_are_not() {
    for headers in [
        &[("host", "localhost:8080"), ("x-forwarded-for", "192.0.2.9")][..],
        &[("host", "rebound.example.com:8080")],
        &[("host", "localhost.example.com")],
        &[("host", "192.0.2.7")],
        &[("host", "localhost:8080"), ("origin", "https://evil.example.com")],
        &[("host", "localhost:8080"), ("origin", "http://localhost:3000")],
        &[("host", "localhost:8080"), ("origin", "null")],
        &[("host", "localhost:8080"), ("sec-fetch-site", "cross-site")],
    ] {
        assert!(!local("127.0.0.1", headers), "{headers:?}");
    }
    assert!(!local("192.0.2.7", &[("host", "localhost:8080")]));
}
