//! Who is at the other end: the connection as it is, and the client as a trusted proxy reports it.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::extract::FromRequestParts;
use http::HeaderMap;
use http::header::{FORWARDED, HeaderName};
use http::request::Parts;
use ipnet::IpNet;

use super::error::Problem;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// How a request travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// In clear.
    Http,
    /// Over TLS.
    Https,
}

/// One accepted connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Connection {
    /// The other end.
    pub(crate) peer: SocketAddr,
    /// How it travels.
    pub(crate) scheme: Scheme,
    /// It came in on an address of this machine that others can't reach.
    pub(crate) loopback_listener: bool,
    /// A trusted proxy named `peer` in a PROXY header.
    pub(crate) proxied: bool,
}

/// Where a request comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Client {
    /// The client's address: the peer's, or what a trusted proxy reports.
    pub(crate) address: IpAddr,
    /// How the client reached us or the trusted proxy.
    pub(crate) scheme: Scheme,
    /// A trusted proxy said how: `scheme` is its word.
    pub(crate) scheme_reported: bool,
    /// Somebody stands in between, believed or not.
    pub(crate) forwarded: bool,
    /// The peer is a trusted proxy.
    pub(crate) by_trusted_proxy: bool,
    /// The connection it came on.
    pub(crate) connection: Connection,
}

impl Client {
    /// Reads the forwarded headers if the peer may set them.
    ///
    /// A proxy that writes one kind of header passes the other kind on as the client wrote it. So where both
    /// are present they have to agree, or neither is believed.
    pub(crate) fn of(connection: Connection, headers: &HeaderMap, proxies: &[IpNet]) -> Self {
        let peer = connection.peer.ip().to_canonical();
        let forwarded = [X_FORWARDED_FOR, X_FORWARDED_PROTO, FORWARDED]
            .iter()
            .any(|name| headers.contains_key(name));
        let by_trusted_proxy = trusts(proxies, peer);
        let mut client = Self {
            address: peer,
            scheme: connection.scheme,
            scheme_reported: false,
            forwarded,
            by_trusted_proxy,
            connection,
        };
        if !(by_trusted_proxy && forwarded) {
            return client;
        }
        if let Some(address) = agree(
            nearest_untrusted(list(headers, &X_FORWARDED_FOR).map(parse_node), proxies),
            nearest_untrusted(parameter(headers, "for").map(|node| parse_node(&node)), proxies),
        ) {
            client.address = address;
        }
        let reported = agree(
            schemes(list(headers, &X_FORWARDED_PROTO).map(str::to_owned)),
            schemes(parameter(headers, "proto")),
        );
        if let Some(scheme) = reported {
            client.scheme = scheme;
            client.scheme_reported = true;
        }
        client
    }

    /// Whether this is a program on this machine speaking for itself. A proxy on this machine that we don't
    /// know of gives itself away by its headers.
    pub(crate) fn is_local(&self) -> bool {
        let Connection { peer, proxied, .. } = self.connection;
        peer.ip().to_canonical().is_loopback() && !self.forwarded && !proxied
    }
}

impl<S: Sync> FromRequestParts<S> for Client {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts
            .extensions
            .get::<Self>()
            .copied()
            .ok_or_else(Problem::internal)
    }
}

fn trusts(proxies: &[IpNet], address: IpAddr) -> bool {
    proxies.iter().any(|net| net.contains(&address))
}

/// The address that limits count: a network of 64 bits is one household (RFC 6177).
pub(crate) fn limit_key(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

/// What two headers say when they don't contradict each other; none when they do or neither is there.
fn agree<T: PartialEq>(one: Option<Option<T>>, other: Option<Option<T>>) -> Option<T> {
    match (one, other) {
        (Some(one), Some(other)) if one == other => one,
        (Some(only), None) | (None, Some(only)) => only,
        _ => None,
    }
}

/// The last address that isn't one of our proxies'. Outer none: no such header. Inner none: not readable.
fn nearest_untrusted(
    nodes: impl DoubleEndedIterator<Item = Option<IpAddr>>,
    proxies: &[IpNet],
) -> Option<Option<IpAddr>> {
    let mut nearest = None;
    for node in nodes.rev() {
        nearest = Some(node);
        match node {
            Some(address) if trusts(proxies, address) => {}
            _ => break,
        }
    }
    nearest
}

/// `https` only if every hop says so.
fn schemes(words: impl Iterator<Item = String>) -> Option<Option<Scheme>> {
    words
        .map(|word| match word.to_ascii_lowercase().as_str() {
            "https" | "wss" => Some(Scheme::Https),
            "http" | "ws" => Some(Scheme::Http),
            _ => None,
        })
        .reduce(|all, one| match (all, one) {
            (Some(Scheme::Https), Some(Scheme::Https)) => Some(Scheme::Https),
            (Some(_), Some(_)) => Some(Scheme::Http),
            _ => None,
        })
}

/// The members of a comma-separated header, over all its lines.
fn list<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl DoubleEndedIterator<Item = &'a str> {
    let lines: Vec<_> = headers.get_all(name).iter().collect();
    let members: Vec<&str> = lines
        .into_iter()
        .flat_map(|line| line.to_str().unwrap_or("?").split(','))
        .map(str::trim)
        .filter(|member| !member.is_empty())
        .collect();
    members.into_iter()
}

/// One parameter of each element of `Forwarded` (RFC 7239) that has it.
fn parameter(headers: &HeaderMap, wanted: &str) -> impl DoubleEndedIterator<Item = String> {
    let found: Vec<String> = list(headers, &FORWARDED)
        .filter_map(|element| {
            element.split(';').find_map(|pair| {
                let (name, value) = pair.split_once('=')?;
                name.trim()
                    .eq_ignore_ascii_case(wanted)
                    .then(|| value.trim().trim_matches('"').to_owned())
            })
        })
        .collect();
    found.into_iter()
}

/// An address with or without port: `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]:4711`.
fn parse_node(text: &str) -> Option<IpAddr> {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    bare.parse::<IpAddr>()
        .or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip()))
        .ok()
        .map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, headers: &[(&str, &str)]) -> Client {
        let proxies = ["10.0.0.0/8", "127.0.0.1/32"].map(|net| net.parse().expect("net"));
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
        Client::of(connection, &map, &proxies)
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
            (
                &[(
                    "forwarded",
                    "for=1.1.1.1;proto=https, for=\"[2001:db8::9]:80\";proto=https",
                )],
                "2001:db8::9",
                Scheme::Https,
            ),
            (&[("x-forwarded-proto", "https, http")], "10.0.0.1", Scheme::Http),
            (&[("x-forwarded-proto", "gopher")], "10.0.0.1", Scheme::Http),
            (&[("x-forwarded-for", "unknown")], "10.0.0.1", Scheme::Http),
            // Contradictions are not believed.
            (
                &[("x-forwarded-for", "192.0.2.9"), ("forwarded", "for=192.0.2.8")],
                "10.0.0.1",
                Scheme::Http,
            ),
            (
                &[("x-forwarded-proto", "http"), ("forwarded", "proto=https")],
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
}
