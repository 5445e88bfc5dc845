//! The headers that every response carries.

use http::header::{CACHE_CONTROL, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, HeaderValue};

use crate::request::client::Client;
use crate::request::id::{RequestId, X_REQUEST_ID};
use crate::request::scheme::Scheme;

/// One year, which browsers ask for in a lasting promise (RFC 6797).
const HSTS: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Adds the headers.
pub(crate) fn set_common_headers(headers: &mut HeaderMap, client: &Client, id: &RequestId) {
    headers.insert(X_REQUEST_ID, id.header_value());
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    if client.scheme == Scheme::Https {
        headers.insert(STRICT_TRANSPORT_SECURITY, HSTS);
    }
}
