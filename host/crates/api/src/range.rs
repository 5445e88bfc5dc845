//! Ranges and validators of documents (RFC 9110, sections 13 and 14).

use std::ops::Range;

use http::HeaderMap;
use http::header::{IF_NONE_MATCH, IF_RANGE, RANGE};

/// Which part of a document a request wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// All of it.
    Whole,
    /// These bytes.
    Part(Range<u64>),
    /// Bytes it doesn't have.
    Unsatisfiable,
    /// Nothing: the client has it already.
    NotModified,
}

/// What to serve of a document with this length and quoted entity tag.
pub(super) fn wanted(headers: &HeaderMap, length: u64, etag: &str) -> Wanted {
    if headers.contains_key(IF_NONE_MATCH) && lists(headers, etag) {
        return Wanted::NotModified;
    }
    let Some(text) = headers.get(RANGE).and_then(|range| range.to_str().ok()) else {
        return Wanted::Whole;
    };
    // A date can't be compared with anything here: the document is sent whole then.
    let fresh = headers
        .get(IF_RANGE)
        .is_none_or(|validator| validator.as_bytes() == etag.as_bytes());
    if !fresh {
        return Wanted::Whole;
    }
    part(text, length)
}

fn lists(headers: &HeaderMap, etag: &str) -> bool {
    headers
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|given| given == "*" || given.trim_start_matches("W/") == etag)
}

/// One range. Several, and what can't be read, are ignored as the standard allows: the whole is served.
fn part(text: &str, length: u64) -> Wanted {
    let Some((unit, range)) = text.split_once('=') else {
        return Wanted::Whole;
    };
    let Some((first, last)) = range.trim().split_once('-') else {
        return Wanted::Whole;
    };
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return Wanted::Whole;
    }
    let range = match (number(first), number(last)) {
        (Some(first), Some(last)) if first <= last => first..last.saturating_add(1).min(length),
        (Some(first), None) if last.trim().is_empty() => first..length,
        (None, Some(tail)) if first.trim().is_empty() => length.saturating_sub(tail)..length,
        _ => return Wanted::Whole,
    };
    if range.start < range.end {
        Wanted::Part(range)
    } else {
        Wanted::Unsatisfiable
    }
}

fn number(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    // More digits than fit mean a place beyond every end.
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use http::header::HeaderName;

    use super::*;

    fn ask(headers: &[(HeaderName, &str)]) -> Wanted {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(name, value.parse().expect("value"));
        }
        wanted(&map, 100, "\"tag\"")
    }

    #[test]
    fn single_ranges() {
        let cases = [
            ("bytes=0-9", Wanted::Part(0..10)),
            ("bytes=90-", Wanted::Part(90..100)),
            ("bytes=-10", Wanted::Part(90..100)),
            ("bytes=-1000", Wanted::Part(0..100)),
            ("bytes=50-1000", Wanted::Part(50..100)),
            ("BYTES = 0-0", Wanted::Part(0..1)),
            ("bytes=100-", Wanted::Unsatisfiable),
            ("bytes=-0", Wanted::Unsatisfiable),
            ("bytes=99999999999999999999-", Wanted::Unsatisfiable),
            ("bytes=9-0", Wanted::Whole),
            ("bytes=0-1,5-6", Wanted::Whole),
            ("bytes=a-b", Wanted::Whole),
            ("bytes=--1", Wanted::Whole),
            ("lines=0-1", Wanted::Whole),
            ("bytes", Wanted::Whole),
        ];
        for (text, expected) in cases {
            assert_eq!(ask(&[(RANGE, text)]), expected, "{text}");
        }
        assert_eq!(ask(&[]), Wanted::Whole);
    }

    #[test]
    fn validators() {
        let range = (RANGE, "bytes=0-9");
        assert_eq!(ask(&[range.clone(), (IF_RANGE, "\"tag\"")]), Wanted::Part(0..10));
        assert_eq!(ask(&[range.clone(), (IF_RANGE, "\"other\"")]), Wanted::Whole);
        assert_eq!(
            ask(&[range, (IF_NONE_MATCH, "\"x\", W/\"tag\"")]),
            Wanted::NotModified
        );
        assert_eq!(ask(&[(IF_NONE_MATCH, "*")]), Wanted::NotModified);
        assert_eq!(ask(&[(IF_NONE_MATCH, "\"x\"")]), Wanted::Whole);
    }

    #[test]
    fn an_empty_document_has_no_parts() {
        assert_eq!(part("bytes=0-", 0), Wanted::Unsatisfiable);
    }
}
