//! Which headers are a key.

use http::HeaderValue;

use super::*;

fn key(headers: &[(HeaderName, &str)]) -> Result<Option<String>, String> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(name, HeaderValue::from_str(value).expect("value"));
    }
    read(&map)
        .map(|token| token.map(str::to_owned))
        .map_err(|problem| problem.detail().to_owned())
}

#[test]
fn a_key_travels_in_either_header() {
    assert_eq!(key(&[]), Ok(None));
    assert_eq!(key(&[(X_API_KEY, "k")]), Ok(Some("k".into())));
    assert_eq!(key(&[(AUTHORIZATION, "Bearer k")]), Ok(Some("k".into())));
    assert_eq!(key(&[(AUTHORIZATION, "bearer  k ")]), Ok(Some("k".into())));
    assert_eq!(
        key(&[(X_API_KEY, "k"), (AUTHORIZATION, "Bearer k")]),
        Ok(Some("k".into()))
    );
    assert_eq!(key(&[(X_API_KEY, "")]), Ok(None));
}

#[test]
fn ambiguous_credentials_are_refused() {
    for headers in [
        &[(X_API_KEY, "k"), (AUTHORIZATION, "Bearer other")][..],
        &[(X_API_KEY, "k"), (X_API_KEY, "other")],
        &[(AUTHORIZATION, "Basic dXNlcjpwYXNz")],
        &[(AUTHORIZATION, "k")],
    ] {
        assert!(key(headers).is_err(), "{headers:?}");
    }
}
