//! Requests that a proxy might understand otherwise than this server are refused: request smuggling (RFC 9112, sections
//! 3.2 and 6.3; RFC 9113, section 8.3.1). The HTTP library does most of this; the rest is here.

use http::header::{HOST, TRANSFER_ENCODING};
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderMap, HeaderValue, Method, Version};

use crate::problem::{BAD_REQUEST, Problem};

/// Why a request is invalid, if it is.
pub(super) fn check(parts: &Parts) -> Option<Problem> {
    if parts.method == Method::CONNECT {
        let detail = "this server is no proxy: request a path with another method";
        return Some(Problem::new(BAD_REQUEST, detail));
    }
    let wrong = match parts.version {
        Version::HTTP_2 => wrong_in_http2(parts),
        Version::HTTP_11 => wrong_in_http1(parts).or_else(|| wrong_host(&parts.headers, true)),
        _ => wrong_in_http1(parts).or_else(|| wrong_host(&parts.headers, false)),
    };
    wrong.map(|wrong| Problem::new(BAD_REQUEST, wrong))
}

/// Whether the connection must close after this request: the library has dropped a length that was given beside the
/// chunks, and a proxy that went by the length would see another request where this server sees the end of this one.
pub(super) fn is_last(parts: &Parts) -> bool {
    parts.version <= Version::HTTP_11 && parts.headers.contains_key(TRANSFER_ENCODING)
}

fn wrong_in_http1(parts: &Parts) -> Option<&'static str> {
    let mut codings = parts.headers.get_all(TRANSFER_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (None, _) => None,
        (Some(only), None) if only.as_bytes().eq_ignore_ascii_case(b"chunked") => None,
        _ => Some("Transfer-Encoding can only be chunked, and only once"),
    }
}

fn wrong_host(headers: &HeaderMap, needed: bool) -> Option<&'static str> {
    let mut hosts = headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) if needed => Some("the Host header is missing: HTTP/1.1 needs it"),
        (None, _) => None,
        (Some(host), None) if is_host(host) => None,
        (Some(_), None) => Some("the Host header is not a host name with an optional port"),
        (Some(_), Some(_)) => Some("there are several Host headers: send one"),
    }
}

fn wrong_in_http2(parts: &Parts) -> Option<&'static str> {
    let authority = parts.uri.authority();
    let given = authority.is_some();
    wrong_host(&parts.headers, !given).or_else(|| {
        let host = parts.headers.get(HOST)?.as_bytes();
        let differs = !authority?.as_str().as_bytes().eq_ignore_ascii_case(host);
        differs.then_some("the Host header names another host than the address of the request")
    })
}

fn is_host(host: &HeaderValue) -> bool {
    let text = host.to_str().unwrap_or_default();
    text.parse::<Authority>().is_ok() && !text.contains(['@', ','])
}

#[cfg(test)]
mod tests;
