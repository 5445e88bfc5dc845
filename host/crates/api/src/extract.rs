//! What handlers take out of a request: ids of the path, small bodies, form fields.

use axum::body::Body;
use axum::extract::{FromRequestParts, Path};
use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::request::Parts;
use http_body_util::BodyExt as _;
use serde::de::DeserializeOwned;

use super::body::is_slow;
use super::error::{Kind, Problem};
use super::multipart;
use super::timeouts::MAX_SMALL_BODY;
use faxgate_base::size;
use faxgate_domain::code::Code;

/// The one parameter of a path, as text: whether it is an id is for the use case to say.
#[derive(Clone, Debug)]
pub(crate) struct Id(pub(crate) String);

/// The two parameters of a path: an id, and the name of something below it.
#[derive(Clone, Debug)]
pub(crate) struct IdAndName(pub(crate) String, pub(crate) String);

/// The media type of a body, without parameters, in lower case.
pub(super) fn media_type(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let bare = text.split(';').next()?.trim();
    (!bare.is_empty()).then(|| bare.to_ascii_lowercase())
}

/// The length a body is announced with.
pub(super) fn announced_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// The answer when a body is announced, or turns out, to be larger than allowed.
pub(super) fn body_too_large(limit: u64) -> Problem {
    Problem::new(
        Code::TooLarge,
        format!("the body is larger than {}", size::human(limit)),
    )
}

/// The answer when a body could not be read to its end.
pub(super) fn broken_body(error: &(dyn std::error::Error + 'static)) -> Problem {
    if is_slow(error) {
        return Problem::new(
            Code::Timeout,
            "the body came too slowly: send it again over a better line",
        );
    }
    Problem::new(
        Code::BadRequest,
        "the body ended before it was complete: send it again",
    )
}

/// Reads a body of at most `limit` bytes.
pub(super) async fn read(headers: &HeaderMap, mut body: Body, limit: u64) -> Result<Bytes, Problem> {
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
pub(super) async fn json<T: DeserializeOwned>(headers: &HeaderMap, body: Body) -> Result<Option<T>, Problem> {
    let bytes = read(headers, body, MAX_SMALL_BODY).await?;
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    // No type at all is what `curl -d` without a header would not send: be lenient with it.
    match media_type(headers).as_deref() {
        None => {}
        Some(kind) if kind == "application/json" || kind.ends_with("+json") => {}
        Some(_) => return Err(unsupported("application/json")),
    }
    parse_json(&bytes).map(Some)
}

/// Reads the fields of a JSON object, a form or nothing at all.
pub(super) async fn fields(headers: &HeaderMap, body: Body) -> Result<Vec<(String, String)>, Problem> {
    let bytes = read(headers, body, MAX_SMALL_BODY).await?;
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    match media_type(headers).as_deref() {
        None | Some("application/json") => {
            let object: serde_json::Map<String, serde_json::Value> = parse_json(&bytes)?;
            object
                .into_iter()
                .filter(|(_, value)| !value.is_null())
                .map(text_field)
                .collect()
        }
        Some("application/x-www-form-urlencoded") => {
            Ok(url::form_urlencoded::parse(&bytes).into_owned().collect())
        }
        Some("multipart/form-data") => multipart::text_fields(headers, bytes).await,
        Some(_) => Err(unsupported(
            "application/json, application/x-www-form-urlencoded or multipart/form-data",
        )),
    }
}

/// The answer to a body in a format that nobody reads here.
pub(super) fn unsupported(expected: &str) -> Problem {
    Problem::of(Kind::UnsupportedFormat, format!("send the body as {expected}"))
}

fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(bytes).map_err(|error| match error.classify() {
        // The message may repeat what was sent; where and what kind is enough.
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

fn text_field((name, value): (String, serde_json::Value)) -> Result<(String, String), Problem> {
    match value {
        serde_json::Value::String(text) => Ok((name, text)),
        serde_json::Value::Number(number) => Ok((name, number.to_string())),
        serde_json::Value::Bool(flag) => Ok((name, flag.to_string())),
        _ => Err(Problem::new(Code::Invalid, "the values of this object are texts")),
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        // What can't even be decoded is no id of ours.
        let Path(id) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|_| Problem::new(Code::NotFound, "there is nothing with this id"))?;
        Ok(Self(id))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IdAndName {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path((id, name)) = Path::<(String, String)>::from_request_parts(parts, state)
            .await
            .map_err(|_| Problem::new(Code::NotFound, "there is nothing with this id"))?;
        Ok(Self(id, name))
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn typed(kind: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(kind))])
    }

    #[tokio::test]
    async fn fields_come_as_json_or_form_or_not_at_all() {
        let one = vec![("to".to_owned(), "+1 2".to_owned())];
        let read = async |kind, body: &'static str| fields(&typed(kind), Body::from(body)).await;
        assert_eq!(
            read("application/json", r#"{"to":"+1 2","x":null}"#)
                .await
                .expect("json"),
            one
        );
        assert_eq!(
            read("application/x-www-form-urlencoded", "to=%2B1+2")
                .await
                .expect("form"),
            one
        );
        let multipart = "--b\r\nContent-Disposition: form-data; name=\"to\"\r\n\r\n+1 2\r\n--b--\r\n";
        assert_eq!(
            read("multipart/form-data; boundary=b", multipart)
                .await
                .expect("multipart"),
            one
        );
        assert!(read("text/plain", "").await.expect("nothing").is_empty());
        assert_eq!(
            read("text/plain", "to=1").await.expect_err("type").kind(),
            Kind::UnsupportedFormat
        );
        assert_eq!(
            read("application/json", "[1]").await.expect_err("shape").kind(),
            Kind::Code(Code::Invalid)
        );
        assert_eq!(
            read("application/json", "{").await.expect_err("cut").kind(),
            Kind::Code(Code::BadRequest)
        );
    }

    #[tokio::test]
    async fn bodies_are_capped_as_announced_and_as_they_come() {
        let mut headers = HeaderMap::new();
        let refused = read(&headers, Body::from(vec![0; 11]), 10)
            .await
            .expect_err("too large");
        assert_eq!(refused.kind(), Kind::Code(Code::TooLarge));
        headers.insert(CONTENT_LENGTH, HeaderValue::from_static("11"));
        let refused = read(&headers, Body::empty(), 10).await.expect_err("too large");
        assert_eq!(refused.kind(), Kind::Code(Code::TooLarge));
        assert_eq!(
            read(&HeaderMap::new(), Body::from("1234567890"), 10)
                .await
                .expect("fits")
                .len(),
            10
        );
    }
}
