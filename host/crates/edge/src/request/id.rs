//! Request ids: every response, log line and span of a request carries one.

use faxgate_base::clock::Clock;
use faxgate_base::id::{self, IdSource};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::client::Client;

/// The header that names a request.
pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest request id taken over from a proxy.
const MAX_REQUEST_ID: usize = 64;

/// The id of a request.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(HeaderValue);

/// Makes request ids.
#[derive(Debug)]
pub(crate) struct RequestIds {
    ids: IdSource,
    clock: Clock,
}

impl RequestId {
    /// The id as text.
    pub(crate) fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    /// The id as a header has it.
    pub(crate) fn header_value(&self) -> HeaderValue {
        self.0.clone()
    }
}

impl RequestIds {
    /// Ids of this source, by this clock.
    pub(crate) const fn new(ids: IdSource, clock: Clock) -> Self {
        Self { ids, clock }
    }

    /// The id of a request: a trusted proxy's, so that both logs have the same, or a new one.
    pub(crate) fn of(&self, headers: &HeaderMap, client: &Client) -> RequestId {
        let given = headers
            .get(X_REQUEST_ID)
            .filter(|value| client.by_trusted_proxy && is_request_id(value));
        let new = || {
            let text = id::write(self.ids.next(self.clock.now()));
            HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("none"))
        };
        let mut id = given.cloned().unwrap_or_else(new);
        // Every id is different: in the header table of an HTTP/2 connection it would displace values that come again
        // (RFC 7541, section 7.1.3).
        id.set_sensitive(true);
        RequestId(id)
    }
}

fn is_request_id(value: &HeaderValue) -> bool {
    let bytes = value.as_bytes();
    (1..=MAX_REQUEST_ID).contains(&bytes.len())
        && bytes
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

#[cfg(test)]
mod tests;
