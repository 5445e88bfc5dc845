//! Requests that are refused for their framing.

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
    let refused = |headers: &[(&str, &str)]| check(&parts(Version::HTTP_11, "/health", headers)).is_some();
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
    assert!(check(&parts(Version::HTTP_10, "/health", &[])).is_none());
}

#[test]
fn http2_names_one_host() {
    let refused =
        |uri: &str, headers: &[(&str, &str)]| check(&parts(Version::HTTP_2, uri, headers)).is_some();
    assert!(!refused("https://a/health", &[]));
    assert!(!refused("https://a/health", &[("host", "A")]));
    assert!(refused("https://a/health", &[("host", "b")]));
    assert!(refused("/health", &[]));
    assert!(!refused("/health", &[("host", "a")]));
}
