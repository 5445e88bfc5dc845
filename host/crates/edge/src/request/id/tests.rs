//! Request ids.

use super::*;

#[test]
fn request_ids_are_short_and_plain() {
    for good in ["a", "01jdz-x_y.Z", &"x".repeat(64)] {
        assert!(
            is_request_id(&HeaderValue::from_str(good).expect("value")),
            "{good}"
        );
    }
    for bad in ["", "a b", "a\"b", "é", &"x".repeat(65)] {
        assert!(
            !is_request_id(&HeaderValue::from_bytes(bad.as_bytes()).expect("value")),
            "{bad}"
        );
    }
}
