//! Text fields of a small body: a JSON object, a form, or nothing at all.

use axum::body::Body;
use http::HeaderMap;

use super::multipart;
use crate::problem::Problem;
use crate::request::body::{MAX_SMALL_BODY, media_type, parse_json, read, unsupported};
use faxgate_domain::code::Code;

/// Reads the fields.
pub(crate) async fn fields(headers: &HeaderMap, body: Body) -> Result<Vec<(String, String)>, Problem> {
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

fn text_field((name, value): (String, serde_json::Value)) -> Result<(String, String), Problem> {
    match value {
        serde_json::Value::String(text) => Ok((name, text)),
        serde_json::Value::Number(number) => Ok((name, number.to_string())),
        serde_json::Value::Bool(flag) => Ok((name, flag.to_string())),
        _ => Err(Problem::new(Code::Invalid, "the values of this object are texts")),
    }
}

#[cfg(test)]
mod tests;
