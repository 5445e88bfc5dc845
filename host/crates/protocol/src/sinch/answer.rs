//! Answers of the API: one fax, several, a page of a list, an error.

use serde_json::Value;

use super::error::without_urls;
use super::fax::Fax;
use crate::json::{self, Object};

/// A page of a list.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FaxPage {
    /// Its rows.
    pub faxes: Vec<Fax>,
    /// Faxes of the whole list.
    pub total_items: Option<u64>,
    /// Pages of the whole list.
    pub total_pages: Option<u64>,
    /// Which page this is, counted from 1.
    pub page: Option<u64>,
}

/// What an error says. The code in the body is not read: it was seen to differ from the HTTP status, which counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApiError {
    /// The provider's words, without addresses.
    pub message: Option<String>,
    /// Fields that were refused and why.
    pub violations: Vec<(String, String)>,
}

impl FaxPage {
    /// Reads a page; none when it is not a JSON object or a row is no fax with an id, since a short list would be
    /// taken for a proof that a fax is not there.
    #[must_use]
    pub fn parse(body: &[u8]) -> Option<Self> {
        let object = object(body)?;
        let number = |name| json::integer(&object, name).and_then(|number| u64::try_from(number).ok());
        let faxes = match object.get("faxes") {
            Some(Value::Array(rows)) => rows.iter().map(row).collect::<Option<Vec<Fax>>>()?,
            None | Some(Value::Null) => Vec::new(),
            Some(_) => return None,
        };
        Some(Self {
            faxes,
            total_items: number("totalItems"),
            total_pages: number("totalPages"),
            page: number("page").or_else(|| number("pageNumber")),
        })
    }

    /// Whether the body could be a page: an answer without rows and without counts is none.
    #[must_use]
    pub const fn is_list(&self) -> bool {
        !self.faxes.is_empty() || self.total_items.is_some() || self.total_pages.is_some()
    }
}

/// The faxes of an answer to a request to send: a bare fax object, or `{"faxes":[…]}`. Only those with an id; empty
/// when the answer proves nothing.
#[must_use]
pub fn created(body: &[u8]) -> Vec<Fax> {
    let Some(object) = object(body) else {
        return Vec::new();
    };
    match object.get("faxes") {
        Some(Value::Array(rows)) => rows.iter().filter_map(row).collect(),
        _ => Some(Fax::from_object(&object))
            .filter(has_id)
            .into_iter()
            .collect(),
    }
}

/// One fax, not wrapped.
#[must_use]
pub fn fax(body: &[u8]) -> Option<Fax> {
    object(body)
        .map(|object| Fax::from_object(&object))
        .filter(has_id)
}

impl ApiError {
    /// Reads an error: the provider's `{code,error,message,details}`, the `{error:{…}}` of its gateway, or a problem
    /// of RFC 9457. Empty for anything else.
    #[must_use]
    pub fn parse(body: &[u8]) -> Self {
        let Some(outer) = object(body) else {
            return Self::default();
        };
        let inner = outer.get("error").and_then(Value::as_object).unwrap_or(&outer);
        let message = ["message", "detail", "title", "error", "error_description"]
            .into_iter()
            .find_map(|name| json::text(inner, name))
            .map(|text| without_urls(&text));
        Self {
            message,
            violations: violations(inner),
        }
    }

    /// All of it on one line; none when there is nothing to say.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        let violations = self
            .violations
            .iter()
            .map(|(field, why)| format!("{field}: {why}"));
        let parts: Vec<String> = self.message.clone().into_iter().chain(violations).collect();
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}

fn violations(object: &Object) -> Vec<(String, String)> {
    let details = object
        .get("details")
        .and_then(|details| details.get("fieldViolations"));
    let rows = details.and_then(Value::as_array).into_iter().flatten();
    rows.filter_map(|row| {
        let row = row.as_object()?;
        let why = json::text(row, "description").unwrap_or_default();
        Some((json::text(row, "field")?, without_urls(&why)))
    })
    .collect()
}

fn row(value: &Value) -> Option<Fax> {
    Fax::from_value(value).filter(has_id)
}

fn has_id(fax: &Fax) -> bool {
    fax.id.is_some()
}

fn object(body: &[u8]) -> Option<Object> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(object)) => Some(object),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_with_a_row_that_is_no_fax_is_none() {
        for body in [
            r#"{"faxes":[{"id":"a"},{}]}"#,
            r#"{"faxes":{}}"#,
            r#"{"faxes":[null]}"#,
            "[]",
            "<html>",
        ] {
            assert_eq!(FaxPage::parse(body.as_bytes()), None, "{body}");
        }
        let empty = FaxPage::parse(br#"{"page":1,"totalItems":0,"totalPages":0}"#).expect("a page");
        assert!(empty.is_list() && empty.faxes.is_empty());
        let other = FaxPage::parse(br#"{"pageNumber":"2","faxes":null}"#).expect("a page");
        assert_eq!(other.page, Some(2));
        assert!(!other.is_list());
    }

    #[test]
    fn every_shape_of_an_error_is_read() {
        for (body, text) in [
            (
                r#"{"code":"404","error":"Bad Request","message":"no content"}"#,
                Some("no content"),
            ),
            (
                r#"{"error":{"code":404,"message":"project","status":"NOT_FOUND"}}"#,
                Some("project"),
            ),
            (
                r#"{"type":"x","title":"Forbidden","detail":"not permitted"}"#,
                Some("not permitted"),
            ),
            (r#"{"error":"invalid_client"}"#, Some("invalid_client")),
            (
                r#"{"message":"see https://h/x?token=T","details":{"fieldViolations":[{"field":"from","description":"not yours"},{"x":1}]}}"#,
                Some("see (address left out); from: not yours"),
            ),
            ("{}", None),
            ("<html>", None),
            ("", None),
        ] {
            assert_eq!(ApiError::parse(body.as_bytes()).text().as_deref(), text, "{body}");
        }
    }
}
