//! What policies see of a callback.

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

#[test]
fn a_signature_has_40_or_64_lower_case_digits() {
    let has = |values: &[String]| {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(SIGNATURE, value.parse().expect("value"));
        }
        has_signature(&headers)
    };
    for digits in SIGNATURE_DIGITS {
        let good = "0a".repeat(digits / 2);
        assert!(has(std::slice::from_ref(&good)));
        assert!(!has(&[good.clone(), good.clone()]));
        assert!(!has(&[good.to_uppercase()]));
        assert!(!has(&[format!("{good}0a")]));
    }
    assert!(!has(&[]) && !has(&[String::new()]));
}
