//! The formats that fields come in.

use http::HeaderValue;
use http::header::CONTENT_TYPE;

use super::*;
use crate::problem::Kind;

fn typed(kind: &'static str) -> HeaderMap {
    HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(kind))])
}

#[tokio::test]
async fn fields_come_as_json_or_form_or_not_at_all() {
    let one = vec![("to".to_owned(), "+1 2".to_owned())];
    let read = async |kind, body: &'static str| fields(&typed(kind), Body::from(body)).await;
    let multipart = "--b\r\nContent-Disposition: form-data; name=\"to\"\r\n\r\n+1 2\r\n--b--\r\n";
    for (kind, body) in [
        ("application/json", r#"{"to":"+1 2","x":null}"#),
        ("application/x-www-form-urlencoded", "to=%2B1+2"),
        ("multipart/form-data; boundary=b", multipart),
    ] {
        assert_eq!(read(kind, body).await.expect("fields"), one, "{kind}");
    }
    assert!(read("text/plain", "").await.expect("nothing").is_empty());
    for (kind, body, expected) in [
        ("text/plain", "to=1", Kind::UnsupportedFormat),
        ("application/json", "[1]", Kind::Code(Code::Invalid)),
        ("application/json", "{", Kind::Code(Code::BadRequest)),
    ] {
        let problem = read(kind, body).await.expect_err("refused");
        assert_eq!(problem.problem_type(), expected.problem_type(), "{kind} {body}");
    }
}
