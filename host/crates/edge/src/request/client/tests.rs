//! Which addresses and schemes are believed.

use faxgate_config::listen::ForwardedHeader;
use http::header::HeaderName;

use super::*;

fn client(peer: &str, headers: &[(&str, &str)]) -> Client {
    client_by(ForwardedHeader::XForwardedFor, peer, headers)
}

fn client_by(forwarded_header: ForwardedHeader, peer: &str, headers: &[(&str, &str)]) -> Client {
    let variables: [(&str, &str); 0] = [];
    let source = faxgate_config::source::Fixed::variables(variables);
    let mut listen = faxgate_config::load(&source, None).expect("config").config.listen;
    listen.trusted_proxies = ["10.0.0.0/8", "127.0.0.1/32"]
        .map(|net| net.parse().expect("net"))
        .into();
    listen.forwarded_header = forwarded_header;
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(
            HeaderName::from_bytes(name.as_bytes()).expect("name"),
            value.parse().expect("value"),
        );
    }
    let connection = Connection {
        peer: SocketAddr::new(peer.parse().expect("address"), 1234),
        scheme: Scheme::Http,
        loopback_listener: false,
        proxied: false,
    };
    Client::of(connection, &map, &listen)
}

fn seen(peer: &str, headers: &[(&str, &str)]) -> (String, Scheme) {
    let client = client(peer, headers);
    (client.address.to_string(), client.scheme)
}

#[test]
fn strangers_are_not_believed() {
    let headers = [
        ("x-forwarded-for", "192.0.2.9"),
        ("x-forwarded-proto", "https"),
        ("forwarded", "proto=https"),
    ];
    assert_eq!(seen("192.0.2.1", &headers), ("192.0.2.1".into(), Scheme::Http));
}

#[test]
fn trusted_proxies_are() {
    type Case<'a> = (&'a [(&'a str, &'a str)], &'a str, Scheme);
    let cases: &[Case<'_>] = &[
        (
            &[("x-forwarded-for", "192.0.2.9"), ("x-forwarded-proto", "https")],
            "192.0.2.9",
            Scheme::Https,
        ),
        // What the client wrote itself stands to the left of what the proxy added.
        (
            &[("x-forwarded-for", "1.1.1.1, 192.0.2.9, 10.1.1.1")],
            "192.0.2.9",
            Scheme::Http,
        ),
        (
            &[("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "192.0.2.9")],
            "192.0.2.9",
            Scheme::Http,
        ),
        (&[("x-forwarded-proto", "https, http")], "10.0.0.1", Scheme::Http),
        (&[("x-forwarded-proto", "gopher")], "10.0.0.1", Scheme::Http),
        (&[("x-forwarded-for", "unknown")], "10.0.0.1", Scheme::Http),
        // The other header may come from the client.
        (
            &[
                ("x-forwarded-for", "192.0.2.9"),
                ("forwarded", "for=192.0.2.8;proto=https"),
            ],
            "192.0.2.9",
            Scheme::Http,
        ),
        (
            &[("forwarded", "for=192.0.2.8;proto=https")],
            "10.0.0.1",
            Scheme::Http,
        ),
        (&[("x-forwarded-for", "10.2.3.4")], "10.2.3.4", Scheme::Http),
    ];
    for (headers, address, scheme) in cases {
        assert_eq!(
            seen("10.0.0.1", headers),
            ((*address).to_owned(), *scheme),
            "{headers:?}"
        );
    }
    assert_eq!(
        seen("::ffff:10.0.0.1", &[("x-forwarded-proto", "https")]).1,
        Scheme::Https
    );
}

#[test]
fn the_configured_header_is_read_and_no_other() {
    let by = |headers: &[(&str, &str)]| {
        let client = client_by(ForwardedHeader::Forwarded, "10.0.0.1", headers);
        (client.address.to_string(), client.scheme)
    };
    let forwarded = (
        "forwarded",
        "for=1.1.1.1;proto=https, for=\"[2001:db8::9]:80\";proto=https",
    );
    assert_eq!(by(&[forwarded]), ("2001:db8::9".into(), Scheme::Https));
    assert_eq!(
        by(&[
            forwarded,
            ("x-forwarded-for", "192.0.2.66"),
            ("x-forwarded-proto", "http")
        ]),
        ("2001:db8::9".into(), Scheme::Https)
    );
    assert_eq!(
        by(&[("x-forwarded-for", "192.0.2.66")]),
        ("10.0.0.1".into(), Scheme::Http)
    );
}

#[test]
fn a_forwarded_request_is_not_local() {
    assert!(client("127.0.0.1", &[]).is_local());
    assert!(client("::1", &[]).is_local());
    assert!(!client("127.0.0.1", &[("x-forwarded-for", "192.0.2.9")]).is_local());
    assert!(!client("192.0.2.1", &[]).is_local());
}

#[test]
fn limits_count_ipv6_by_network() {
    let key = |text: &str| limit_key(text.parse().expect("address")).to_string();
    assert_eq!(key("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
    assert_eq!(key("::ffff:192.0.2.1"), "192.0.2.1");
}
