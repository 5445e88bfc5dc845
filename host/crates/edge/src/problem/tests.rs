//! What a problem looks like on the wire.

use super::*;

#[tokio::test]
async fn the_body_is_a_problem_with_a_textual_detail() {
    let kind = ProblemType::new(StatusCode::TOO_MANY_REQUESTS, "rate-limited", "Too many requests");
    let problem = Problem::new(kind, "slow \"down\"").retry_after(Some(Duration::from_millis(1200)));
    let response = problem.into_response();
    assert_eq!(response.status(), 429);
    assert_eq!(response.headers()[RETRY_AFTER], "2");
    assert_eq!(response.headers()[CONTENT_TYPE], PROBLEM_JSON);
    let body = axum::body::to_bytes(response.into_body(), 4096)
        .await
        .expect("body");
    let body: serde_json::Value = serde_json::from_slice(&body).expect("json");
    assert_eq!(body["detail"], "slow \"down\"");
    assert_eq!(body["status"], 429);
    assert_eq!(body["type"], "urn:faxgate:problem:rate-limited");
}

#[test]
fn temporary_problems_say_when_to_try_again() {
    for (kind, expected) in [(BUSY, true), (BAD_REQUEST, false), (INTERNAL, false)] {
        let response = Problem::new(kind, "").into_response();
        assert_eq!(response.headers().contains_key(RETRY_AFTER), expected, "{kind:?}");
    }
}
