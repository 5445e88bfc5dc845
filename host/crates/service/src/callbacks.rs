//! Deliveries from the provider: what they carry, and whether the callback policy believes them.
//!
//! The address that a signature covers is built from the configuration, never from the request.

use faxgate_domain::provider::{CallbackEvent, Verdict};
use faxgate_policy::{Delivery, DeliveryKind, FilePart, RawBody};

use crate::{App, Error, Upload};
use faxgate_domain::code::Code;
use faxgate_telemetry::metrics as names;

/// A callback as it arrived.
#[derive(Debug)]
pub struct Incoming {
    /// The query as it came, without the question mark.
    pub raw_query: String,
    /// The query, decoded.
    pub query: Vec<(String, String)>,
    /// Header fields, names in lower case, without credentials.
    pub headers: Vec<(String, String)>,
    /// Form fields in wire order.
    pub fields: Vec<(String, String)>,
    /// File parts in wire order.
    pub files: Vec<IncomingFile>,
    /// The raw body.
    pub body: Upload,
    /// From which address.
    pub address: Option<std::net::IpAddr>,
}

/// One file part.
#[derive(Debug)]
pub struct IncomingFile {
    /// Name of the part.
    pub name: String,
    /// Declared file name.
    pub file_name: Option<String>,
    /// Declared media type.
    pub media_type: Option<String>,
    /// The bytes.
    pub content: Upload,
}

/// What became of a callback, for the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallbackOutcome {
    /// It changed a job.
    Applied,
    /// It repeated what was known.
    Repeated,
    /// It was genuine and said nothing to act on.
    Ignored,
    /// It is about a job or fax that isn't ours, or that doesn't match.
    Unmatched,
}

impl CallbackOutcome {
    /// A word for the metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Repeated => "repeated",
            Self::Ignored => "ignored",
            Self::Unmatched => "unmatched",
        }
    }
}

impl App {
    /// Whether a status callback without the provider's signature would certainly be rejected.
    #[must_use]
    pub fn status_needs_signature(&self) -> bool {
        self.config().phaxio.verify_signature && self.parts.plugins.callbacks_are_builtin()
    }

    /// Whether a delivery of a received fax without the provider's signature would certainly be rejected.
    #[must_use]
    pub fn inbound_needs_signature(&self) -> bool {
        self.config().inbound.verify_signature && self.parts.plugins.callbacks_are_builtin()
    }

    /// Asks the callback policy, and takes headers, query and fields out of `incoming` for it. None means genuine but
    /// nothing to do.
    pub(crate) async fn evaluate_callback(
        &self,
        incoming: &mut Incoming,
        kind: DeliveryKind,
        public_url: String,
        proof_required: bool,
    ) -> Result<Option<Vec<CallbackEvent>>, Error> {
        let delivery = Delivery {
            kind,
            public_url,
            headers: std::mem::take(&mut incoming.headers),
            query: std::mem::take(&mut incoming.query),
            fields: std::mem::take(&mut incoming.fields),
            files: incoming.files.iter().map(IncomingFile::describe).collect(),
            body: match incoming.body.path() {
                Some(path) => RawBody::File(path.to_owned()),
                None => RawBody::Memory(incoming.body.bytes().await?),
            },
            proof_required,
        };
        match self.parts.plugins.evaluate(delivery).await? {
            Verdict::Accept(events) => Ok(Some(events)),
            Verdict::Ignore(reason) => {
                tracing::debug!(reason, "callback ignored by policy");
                Ok(None)
            }
            Verdict::Reject(reason) => {
                metrics::counter!(names::CALLBACKS, "kind" => kind_word(kind), "verdict" => "rejected")
                    .increment(1);
                tracing::warn!(reason, "callback rejected by policy");
                Err(Error::new(
                    Code::BadSignature,
                    "the signature of this callback does not hold: `faxgate verify-callback` says what differs",
                ))
            }
        }
    }
}

impl IncomingFile {
    fn describe(&self) -> FilePart {
        FilePart {
            name: self.name.clone(),
            file_name: self.file_name.clone(),
            media_type: self.media_type.clone(),
            size: self.content.len(),
            sha1: hex::encode(self.content.sha1()),
            sha256: hex::encode(self.content.sha256()),
        }
    }
}

/// The address as the provider signed it: what it was given, with the query that came.
pub(crate) fn signed_url(configured: &str, raw_query: &str) -> String {
    let base = configured.split('?').next().unwrap_or_default();
    if raw_query.is_empty() {
        base.to_owned()
    } else {
        format!("{base}?{raw_query}")
    }
}

fn kind_word(kind: DeliveryKind) -> &'static str {
    match kind {
        DeliveryKind::Status => "status",
        DeliveryKind::Inbound => "inbound",
    }
}

/// Counts an outcome for the metrics.
pub(crate) fn count(outcome: CallbackOutcome) -> CallbackOutcome {
    metrics::counter!(names::CALLBACKS, "kind" => kind_word(DeliveryKind::Status), "verdict" => outcome.as_str())
        .increment(1);
    outcome
}

#[cfg(test)]
mod tests {
    use super::signed_url;

    #[test]
    fn the_signed_address_comes_from_the_configuration() {
        assert_eq!(signed_url("https://f/cb", "job_id=a"), "https://f/cb?job_id=a");
        assert_eq!(
            signed_url("https://f/cb?x=1", "x=1&job_id=a"),
            "https://f/cb?x=1&job_id=a"
        );
        assert_eq!(signed_url("https://f/cb", ""), "https://f/cb");
    }
}
