//! Values that are read, and what is said about the others.

use super::*;

fn detail<T: std::fmt::Debug>(result: Result<T, Problem>) -> String {
    result.expect_err("refused").detail().to_owned()
}

#[test]
fn good_values() {
    let query = Query::parse(Some(
        "limit=7&cursor=a%2Fb&to=%2B12125550100&at=2030-01-31T12:00:00+01:00&empty=",
    ));
    let page = query.page().expect("page");
    assert_eq!((page.limit, page.cursor.as_deref()), (Some(7), Some("a/b")));
    assert_eq!(query.text("to").expect("text"), Some("+12125550100"));
    assert_eq!(
        query.time("at").expect("time").expect("some").to_string(),
        "2030-01-31T11:00:00Z"
    );
    assert_eq!(query.text("empty").expect("text"), None);
    assert_eq!(query.word("none", &[("a", 1)]).expect("word"), None);
    assert_eq!(first(Some("x=1&token=t%20t"), "token").as_deref(), Some("t t"));
}

#[test]
fn bad_values_say_what_would_be_good() {
    let query = Query::parse(Some("limit=-1&at=yesterday&status=done&twice=1&twice=2"));
    assert!(detail(query.page()).contains("whole number"));
    assert!(detail(query.time("at")).contains("RFC 3339"));
    assert_eq!(
        detail(query.word("status", &[("queued", 1), ("SUCCESS", 2)])),
        "status is one of queued, SUCCESS"
    );
    assert!(detail(query.text("twice")).contains("once"));
}
