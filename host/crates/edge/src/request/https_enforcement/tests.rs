//! What must not come in clear.

use super::*;

#[test]
fn only_https_addresses_are_redirected_to() {
    let to = |public: &str| {
        let request = Request::builder()
            .uri("/fax?limit=1")
            .body(axum::body::Body::empty())
            .expect("request");
        let response = redirect(&request, &Url::parse(public).expect("url"));
        let location = response
            .headers()
            .get(LOCATION)
            .map(|to| to.to_str().expect("text").to_owned());
        (response.status().as_u16(), location)
    };
    assert_eq!(
        to("https://fax.example.org/"),
        (308, Some("https://fax.example.org/fax?limit=1".into()))
    );
    assert_eq!(
        to("https://[::1]:8443"),
        (308, Some("https://[::1]:8443/fax?limit=1".into()))
    );
    assert_eq!(to("http://fax.example.org"), (403, None));
}

#[test]
fn exposed_is_what_others_could_read() {
    let exposed = |loopback_listener, scheme, scheme_reported, address: &str| {
        let peer = "127.0.0.1:1".parse().expect("address");
        is_exposed(&Client {
            address: address.parse().expect("address"),
            scheme,
            scheme_reported,
            forwarded: scheme_reported,
            by_trusted_proxy: scheme_reported,
            connection: Connection {
                peer,
                scheme: Scheme::Http,
                loopback_listener,
                proxied: false,
            },
        })
    };
    assert!(exposed(false, Scheme::Http, false, "127.0.0.1"));
    assert!(exposed(false, Scheme::Http, true, "192.0.2.1"));
    assert!(!exposed(false, Scheme::Https, true, "192.0.2.1"));
    assert!(!exposed(true, Scheme::Http, false, "127.0.0.1"));
    assert!(exposed(true, Scheme::Http, true, "192.0.2.1"));
    assert!(!exposed(true, Scheme::Http, true, "127.0.0.1"));
}
