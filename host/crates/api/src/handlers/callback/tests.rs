//! What policies see of a callback.

use http::HeaderName;

use super::*;

#[test]
fn policies_see_no_credentials() {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("authorization", "Bearer k"),
        ("x-api-key", "k"),
        ("x-phaxio-signature", "s"),
    ] {
        headers.insert(HeaderName::from_static(name), value.parse().expect("value"));
    }
    assert_eq!(
        readable(&headers),
        [("x-phaxio-signature".to_owned(), "s".to_owned())]
    );
}
