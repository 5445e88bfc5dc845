//! Ranges and validators.

use http::header::HeaderName;

use super::*;

fn ask(headers: &[(HeaderName, &str)]) -> Selection {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(name, value.parse().expect("value"));
    }
    select(&map, 100, "\"tag\"")
}

#[test]
fn single_ranges() {
    let cases = [
        ("bytes=0-9", Selection::Part(0..10)),
        ("bytes=90-", Selection::Part(90..100)),
        ("bytes=-10", Selection::Part(90..100)),
        ("bytes=-1000", Selection::Part(0..100)),
        ("bytes=50-1000", Selection::Part(50..100)),
        ("BYTES = 0-0", Selection::Part(0..1)),
        ("bytes=100-", Selection::Unsatisfiable),
        ("bytes=-0", Selection::Unsatisfiable),
        ("bytes=99999999999999999999-", Selection::Unsatisfiable),
        ("bytes=9-0", Selection::Whole),
        ("bytes=0-1,5-6", Selection::Whole),
        ("bytes=a-b", Selection::Whole),
        ("bytes=--1", Selection::Whole),
        ("lines=0-1", Selection::Whole),
        ("bytes", Selection::Whole),
    ];
    for (text, expected) in cases {
        assert_eq!(ask(&[(RANGE, text)]), expected, "{text}");
    }
    assert_eq!(ask(&[]), Selection::Whole);
}

#[test]
fn validators() {
    let range = (RANGE, "bytes=0-9");
    assert_eq!(
        ask(&[range.clone(), (IF_RANGE, "\"tag\"")]),
        Selection::Part(0..10)
    );
    assert_eq!(ask(&[range.clone(), (IF_RANGE, "\"other\"")]), Selection::Whole);
    assert_eq!(
        ask(&[range, (IF_NONE_MATCH, "\"x\", W/\"tag\"")]),
        Selection::NotModified
    );
    assert_eq!(ask(&[(IF_NONE_MATCH, "*")]), Selection::NotModified);
    assert_eq!(ask(&[(IF_NONE_MATCH, "\"x\"")]), Selection::Whole);
}

#[test]
fn an_empty_document_has_no_parts() {
    assert_eq!(part("bytes=0-", 0), Selection::Unsatisfiable);
}
