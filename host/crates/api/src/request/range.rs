//! Ranges and validators of documents (RFC 9110, sections 13 and 14).

use std::ops::Range;

use http::HeaderMap;
use http::header::{IF_NONE_MATCH, IF_RANGE, RANGE};

/// Which part of a document a request wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Selection {
    /// All of it.
    Whole,
    /// These bytes.
    Part(Range<u64>),
    /// Bytes it doesn't have.
    Unsatisfiable,
    /// Nothing: the client has the current document.
    NotModified,
}

/// What to serve of a document with this length and quoted entity tag.
pub(crate) fn select(headers: &HeaderMap, length: u64, etag: &str) -> Selection {
    if headers.contains_key(IF_NONE_MATCH) && lists(headers, etag) {
        return Selection::NotModified;
    }
    let Some(text) = headers.get(RANGE).and_then(|range| range.to_str().ok()) else {
        return Selection::Whole;
    };
    // Documents have no modification date: with a date as validator the document is sent whole.
    let fresh = headers
        .get(IF_RANGE)
        .is_none_or(|validator| validator.as_bytes() == etag.as_bytes());
    if !fresh {
        return Selection::Whole;
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
fn part(text: &str, length: u64) -> Selection {
    let Some((unit, range)) = text.split_once('=') else {
        return Selection::Whole;
    };
    let Some((first, last)) = range.trim().split_once('-') else {
        return Selection::Whole;
    };
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return Selection::Whole;
    }
    let range = match (number(first), number(last)) {
        (Some(first), Some(last)) if first <= last => first..last.saturating_add(1).min(length),
        (Some(first), None) if last.trim().is_empty() => first..length,
        (None, Some(tail)) if first.trim().is_empty() => length.saturating_sub(tail)..length,
        _ => return Selection::Whole,
    };
    if range.start < range.end {
        Selection::Part(range)
    } else {
        Selection::Unsatisfiable
    }
}

fn number(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    // More digits than fit mean a place beyond every end.
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests;
