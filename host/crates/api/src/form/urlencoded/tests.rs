//! The limits of a form.

use super::*;

#[test]
fn fields_and_bytes_are_limited() {
    let form = |count: usize| Bytes::from(vec!["a=1"; count].join("&"));
    assert_eq!(fields(&form(MAX_PARTS)).expect("fields").len(), MAX_PARTS);
    let refused = fields(&form(MAX_PARTS + 1)).expect_err("too many");
    assert!(refused.detail().contains("at most 256"), "{}", refused.detail());
    // Two bytes for each field.
    assert!(fields(&Bytes::from("a&".repeat(500_000))).is_err());
    let large = Bytes::from(vec![b'a'; usize::try_from(MAX_FORM_TEXT).expect("size") + 1]);
    assert_eq!(fields(&large).expect_err("too large").problem_type().status, 413);
    let empty = Bytes::from("&".repeat(1000));
    assert_eq!(fields(&empty).expect("fields"), []);
}
