//! Request bodies: their media type and length, and small bodies read whole.

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http_body_util::BodyExt as _;
use serde::de::DeserializeOwned;

use crate::problem::{Kind, Problem};
use faxgate_base::size::{self, KIB};
use faxgate_domain::code::Code;
use faxgate_edge::is_slow;

/// Most bytes of a JSON or form body.
pub(crate) const MAX_SMALL_BODY: u64 = 64 * KIB;

/// The media type of a body, without parameters, in lower case.
pub(crate) fn media_type(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let bare = text.split(';').next()?.trim();
    (!bare.is_empty()).then(|| bare.to_ascii_lowercase())
}

/// The length that a body is announced with.
pub(crate) fn announced_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// The response when a body is announced, or turns out, to be larger than allowed.
pub(crate) fn body_too_large(limit: u64) -> Problem {
    Problem::new(
        Code::TooLarge,
        format!("the body is larger than {}", size::human(limit)),
    )
}

/// The response when a body could not be read to its end.
pub(crate) fn broken_body(error: &(dyn std::error::Error + 'static)) -> Problem {
    if is_slow(error) {
        return Problem::new(
            Code::Timeout,
            "the body came too slowly: send it again over a faster connection",
        );
    }
    Problem::new(
        Code::BadRequest,
        "the body ended before it was complete: send it again",
    )
}

/// The response to a body in a format that the route does not read.
pub(crate) fn unsupported(expected: &str) -> Problem {
    Problem::of(Kind::UnsupportedFormat, format!("send the body as {expected}"))
}

/// Reads a body of at most `limit` bytes.
pub(crate) async fn read(headers: &HeaderMap, mut body: Body, limit: u64) -> Result<Bytes, Problem> {
    if announced_length(headers).is_some_and(|length| length > limit) {
        return Err(body_too_large(limit));
    }
    let mut read = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| broken_body(&error))?;
        if let Some(data) = frame.data_ref() {
            if (read.len() + data.len()) as u64 > limit {
                return Err(body_too_large(limit));
            }
            read.extend_from_slice(data);
        }
    }
    Ok(read.freeze())
}

/// Reads a JSON body; an empty one is none.
pub(crate) async fn json<T: DeserializeOwned>(headers: &HeaderMap, body: Body) -> Result<Option<T>, Problem> {
    let bytes = read(headers, body, MAX_SMALL_BODY).await?;
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    // A missing type is accepted: a body that is JSON has one meaning.
    match media_type(headers).as_deref() {
        None => {}
        Some(kind) if kind == "application/json" || kind.ends_with("+json") => {}
        Some(_) => return Err(unsupported("application/json")),
    }
    parse_json(&bytes).map(Some)
}

/// Parses JSON.
pub(crate) fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(bytes).map_err(|error| match error.classify() {
        // The library's message may repeat values of the body: the place and the kind are enough.
        serde_json::error::Category::Data => Problem::new(
            Code::Invalid,
            format!(
                "the JSON has another shape than expected, in line {}, column {}: see /openapi.json",
                error.line(),
                error.column()
            ),
        ),
        _ => Problem::new(
            Code::BadRequest,
            format!(
                "the body is not JSON: line {}, column {}",
                error.line(),
                error.column()
            ),
        ),
    })
}

#[cfg(test)]
mod tests;
