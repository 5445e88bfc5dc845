//! Requests that another reader on the way might understand otherwise than we do are refused (RFC 9112, sections 3.2
//! and 6.3; RFC 9113, section 8.3.1). The HTTP library does most of this; here is what it leaves to us.

use http::header::{HOST, TRANSFER_ENCODING};
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderMap, HeaderValue, Method, Version};

use super::error::Problem;
use faxgate_domain::code::Code;

/// Why a request can't be answered, if so.
pub(super) fn refuse(parts: &Parts) -> Option<Problem> {
    if parts.method == Method::CONNECT {
        let detail = "this is no proxy: ask for a path with another method";
        return Some(Problem::new(Code::BadRequest, detail));
    }
    let wrong = match parts.version {
        Version::HTTP_2 => wrong_in_2(parts),
        Version::HTTP_11 => wrong_in_1(parts).or_else(|| wrong_host(&parts.headers, true)),
        _ => wrong_in_1(parts).or_else(|| wrong_host(&parts.headers, false)),
    };
    wrong.map(|wrong| Problem::new(Code::BadRequest, wrong))
}

/// Whether nothing may follow on this connection: a length that was given beside the chunks has been dropped on the
/// way to us, and a proxy that went by it would see another request where we see the end of this one.
pub(super) fn is_last(parts: &Parts) -> bool {
    parts.version <= Version::HTTP_11 && parts.headers.contains_key(TRANSFER_ENCODING)
}

fn wrong_in_1(parts: &Parts) -> Option<&'static str> {
    let mut codings = parts.headers.get_all(TRANSFER_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (None, _) => None,
        (Some(only), None) if only.as_bytes().eq_ignore_ascii_case(b"chunked") => None,
        _ => Some("Transfer-Encoding can only be: chunked, once"),
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

fn wrong_in_2(parts: &Parts) -> Option<&'static str> {
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
mod tests {
    use http::Request;

    use super::*;

    fn parts(version: Version, uri: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::builder().version(version).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).expect("request").into_parts().0
    }

    #[test]
    fn one_host_and_one_coding() {
        let refused =
            |headers: &[(&str, &str)]| refuse(&parts(Version::HTTP_11, "/health", headers)).is_some();
        for good in ["x", "fax.example.org:443", "[::1]:8443", "192.0.2.1"] {
            assert!(!refused(&[("host", good)]), "{good}");
        }
        for bad in ["", "a b", "user@host", "a/b", "a,b"] {
            assert!(refused(&[("host", bad)]), "{bad:?}");
        }
        assert!(refused(&[]));
        assert!(refused(&[("host", "a"), ("host", "a")]));
        assert!(!refused(&[("host", "a"), ("transfer-encoding", "Chunked")]));
        for bad in ["gzip, chunked", "identity", "chunked, chunked", "xchunked"] {
            assert!(refused(&[("host", "a"), ("transfer-encoding", bad)]), "{bad}");
        }
        assert!(refuse(&parts(Version::HTTP_10, "/health", &[])).is_none());
    }

    #[test]
    fn http2_names_one_host() {
        let refused =
            |uri: &str, headers: &[(&str, &str)]| refuse(&parts(Version::HTTP_2, uri, headers)).is_some();
        assert!(!refused("https://a/health", &[]));
        assert!(!refused("https://a/health", &[("host", "A")]));
        assert!(refused("https://a/health", &[("host", "b")]));
        assert!(refused("/health", &[]));
        assert!(!refused("/health", &[("host", "a")]));
    }
}
