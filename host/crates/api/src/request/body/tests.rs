//! The limit of a small body.

use http::HeaderValue;

use super::*;

#[tokio::test]
async fn bodies_are_capped_as_announced_and_as_they_come() {
    let mut headers = HeaderMap::new();
    let too_large = Kind::Code(Code::TooLarge).problem_type();
    let refused = read(&headers, Body::from(vec![0; 11]), 10)
        .await
        .expect_err("too large");
    assert_eq!(refused.problem_type(), too_large);
    headers.insert(CONTENT_LENGTH, HeaderValue::from_static("11"));
    let refused = read(&headers, Body::empty(), 10).await.expect_err("too large");
    assert_eq!(refused.problem_type(), too_large);
    assert_eq!(
        read(&HeaderMap::new(), Body::from("1234567890"), 10)
            .await
            .expect("fits")
            .len(),
        10
    );
}
