//! The headers in which a trusted proxy reports its client: `X-Forwarded-For`, `X-Forwarded-Proto` and `Forwarded`
//! (RFC 7239).

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;
use http::header::{FORWARDED, HeaderName};
use ipnet::IpNet;

use super::scheme::Scheme;
use faxgate_config::listen::ForwardedHeader;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// What a trusted proxy reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reported {
    /// The client's address; none when it is missing or unreadable.
    pub(super) address: Option<IpAddr>,
    /// How the client reached the proxy; none likewise.
    pub(super) scheme: Option<Scheme>,
}

/// Whether any header of a proxy is present, whichever is read.
pub(super) fn is_forwarded(headers: &HeaderMap) -> bool {
    [X_FORWARDED_FOR, X_FORWARDED_PROTO, FORWARDED]
        .iter()
        .any(|name| headers.contains_key(name))
}

/// Reads the header of a trusted proxy.
///
/// A proxy that writes one kind of header passes the other kind on as the client wrote it. So only the configured one is
/// read.
pub(super) fn read(headers: &HeaderMap, header: ForwardedHeader, proxies: &[IpNet]) -> Reported {
    match header {
        ForwardedHeader::XForwardedFor => Reported {
            address: nearest_untrusted(list(headers, &X_FORWARDED_FOR).map(parse_node), proxies),
            scheme: schemes(list(headers, &X_FORWARDED_PROTO).map(str::to_owned)),
        },
        ForwardedHeader::Forwarded => Reported {
            address: nearest_untrusted(parameter(headers, "for").map(|node| parse_node(&node)), proxies),
            scheme: schemes(parameter(headers, "proto")),
        },
    }
}

/// Whether one of these networks contains the address.
pub(super) fn trusts(proxies: &[IpNet], address: IpAddr) -> bool {
    proxies.iter().any(|net| net.contains(&address))
}

/// The last address that isn't a trusted proxy's; none when there is none or it is not readable.
fn nearest_untrusted(
    nodes: impl DoubleEndedIterator<Item = Option<IpAddr>>,
    proxies: &[IpNet],
) -> Option<IpAddr> {
    let mut nearest = None;
    for node in nodes.rev() {
        nearest = node;
        match node {
            Some(address) if trusts(proxies, address) => {}
            _ => break,
        }
    }
    nearest
}

/// `https` only if every hop says so.
fn schemes(words: impl Iterator<Item = String>) -> Option<Scheme> {
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
        .flatten()
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

/// One parameter of each element of `Forwarded` that has it.
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
