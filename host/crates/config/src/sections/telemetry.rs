//! `[telemetry]`: export of spans.

use url::Url;

use crate::read::reader::Reader;
use faxgate_base::secret::Secret;

/// `[telemetry]`
#[derive(Debug, Clone, Default)]
pub struct TelemetryConfig {
    /// `otlp_endpoint`: base address of a collector that takes OTLP over HTTP; none exports nothing
    pub otlp_endpoint: Option<Url>,
    /// `otlp_headers`: header fields for it, `name=value,…`, values percent-encoded
    pub otlp_headers: Option<Secret>,
}

impl TelemetryConfig {
    pub(crate) fn read(from: &mut Reader<'_>) -> Self {
        Self {
            otlp_endpoint: from.url("telemetry.otlp_endpoint"),
            otlp_headers: from.secret("telemetry.otlp_headers"),
        }
    }
}
