//! Export of spans to a collector: OTLP over HTTP with protobuf, in batches, in the background.
//!
//! Nothing waits for the collector: spans that find the queue full are dropped and counted, and a collector that does
//! not answer is told about once. Facts of a span are routes, states and words of our own, never a path, a key, a
//! number or an address.

mod wire;

use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{HeaderMap, HeaderName, HeaderValue};
use prost::Message as _;
use tokio::sync::{mpsc, oneshot};
use tokio::time::MissedTickBehavior;

use super::metrics::TRACE_SPANS;
use super::trace::{Side, Span};
use faxgate_config::telemetry::TelemetryConfig;

/// Spans that may wait.
const QUEUE: usize = 4096;
/// Spans of one message.
const BATCH: usize = 512;
/// The longest a span waits for company.
const PACE: Duration = Duration::from_secs(2);
/// How long the collector may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long the end of the service waits for the last spans.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// A fact of a span.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// A word.
    Text(String),
    /// A number.
    Number(i64),
}

/// Why spans can't be exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The header fields are not `name=value,…`.
    #[error(
        "telemetry.otlp_headers (OTEL_EXPORTER_OTLP_HEADERS) is not a list such as name=value,name=value"
    )]
    Headers,
    /// TLS could not be set up.
    #[error("spans can't be exported: {0}")]
    Client(#[from] reqwest::Error),
}

enum Order {
    Take(wire::Span),
    Flush(oneshot::Sender<()>),
}

static ORDERS: OnceLock<mpsc::Sender<Order>> = OnceLock::new();

/// Whether spans are exported in this process.
#[must_use]
pub fn is_on() -> bool {
    ORDERS.get().is_some()
}

/// Whether the settings can be used, without exporting anything.
///
/// # Errors
/// [`ExportError::Headers`]
pub fn check(config: &TelemetryConfig) -> Result<(), ExportError> {
    let text = config.otlp_headers.as_ref();
    text.map_or(Ok(()), |text| headers(text.reveal()).map(drop))
}

/// Begins to export, for the whole process and once, when the configuration names a collector.
///
/// # Errors
/// [`ExportError`]
pub fn begin(config: &TelemetryConfig) -> Result<(), ExportError> {
    let Some(endpoint) = &config.otlp_endpoint else {
        return Ok(());
    };
    let headers = config
        .otlp_headers
        .as_ref()
        .map(|text| headers(text.reveal()))
        .transpose()?;
    let client = reqwest::Client::builder()
        .timeout(PATIENCE)
        .default_headers(headers.unwrap_or_default())
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()?;
    let url = format!("{}/v1/traces", endpoint.as_str().trim_end_matches('/'));
    let (sender, orders) = mpsc::channel(QUEUE);
    if ORDERS.set(sender).is_ok() {
        let exporter = Exporter {
            client,
            url,
            told: false,
        };
        tokio::spawn(exporter.run(orders));
    }
    Ok(())
}

/// Sends what is left, for a moment.
pub async fn finish() {
    if let Some(orders) = ORDERS.get() {
        let (done, answer) = oneshot::channel();
        let flush = async {
            if orders.send(Order::Flush(done)).await.is_ok() {
                drop(answer.await);
            }
        };
        drop(tokio::time::timeout(LAST_WORDS, flush).await);
    }
}

/// Exports an ended span.
pub(super) fn export(span: Span, side: Side, name: &str, facts: Vec<(&'static str, Fact)>, failed: bool) {
    let Some(orders) = ORDERS.get() else {
        return;
    };
    let span = wire::Span {
        trace_id: span.context.trace_id.to_vec(),
        span_id: span.context.span_id.to_vec(),
        trace_state: span.state.as_deref().unwrap_or_default().to_owned(),
        parent_span_id: span.parent.map(Vec::from).unwrap_or_default(),
        name: name.to_owned(),
        kind: match side {
            Side::Server => wire::SERVER,
            Side::Client => wire::CLIENT,
        },
        start_time_unix_nano: nanos(span.started),
        end_time_unix_nano: nanos(SystemTime::now()),
        attributes: facts
            .into_iter()
            .map(|(name, fact)| wire::pair(name, fact))
            .collect(),
        status: failed.then_some(wire::Status { code: wire::ERROR }),
        flags: 1,
    };
    if orders.try_send(Order::Take(span)).is_err() {
        counted("dropped", 1);
    }
}

struct Exporter {
    client: reqwest::Client,
    url: String,
    /// The collector's failure has been told.
    told: bool,
}

impl Exporter {
    async fn run(mut self, mut orders: mpsc::Receiver<Order>) {
        let mut spans = Vec::new();
        let mut ticks = tokio::time::interval(PACE);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let order = tokio::select! {
                order = orders.recv() => order,
                _ = ticks.tick() => {
                    self.send(&mut spans).await;
                    continue;
                }
            };
            match order {
                Some(Order::Take(span)) => spans.push(span),
                Some(Order::Flush(done)) => {
                    self.send(&mut spans).await;
                    // Nobody waits any more: as good.
                    let _nobody = done.send(());
                }
                None => return self.send(&mut spans).await,
            }
            if spans.len() >= BATCH {
                self.send(&mut spans).await;
            }
        }
    }

    async fn send(&mut self, spans: &mut Vec<wire::Span>) {
        if spans.is_empty() {
            return;
        }
        let spans = std::mem::take(spans);
        let count = spans.len() as u64;
        let body = wire::request(spans).encode_to_vec();
        let asked = self
            .client
            .post(&self.url)
            .header("content-type", "application/x-protobuf")
            .body(body)
            .send()
            .await
            .and_then(reqwest::Response::error_for_status);
        match asked {
            Ok(_) => {
                counted("exported", count);
                self.told = false;
            }
            Err(error) => {
                counted("failed", count);
                if !std::mem::replace(&mut self.told, true) {
                    // Its address may hold credentials.
                    tracing::warn!(error = %error.without_url(), "the collector of spans does not take them");
                }
            }
        }
    }
}

fn counted(outcome: &'static str, count: u64) {
    metrics::counter!(TRACE_SPANS, "outcome" => outcome).increment(count);
}

fn nanos(at: SystemTime) -> u64 {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// Reads `name=value,name=value`, values percent-encoded (OpenTelemetry's environment variables).
fn headers(text: &str) -> Result<HeaderMap, ExportError> {
    let mut headers = HeaderMap::new();
    for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').ok_or(ExportError::Headers)?;
        // A plus sign stands for itself here.
        let value = format!("v={}", value.trim().replace('+', "%2B"));
        let (_, value) = url::form_urlencoded::parse(value.as_bytes())
            .next()
            .ok_or(ExportError::Headers)?;
        let name: HeaderName = name.trim().parse().map_err(|_| ExportError::Headers)?;
        let mut value = HeaderValue::from_str(&value).map_err(|_| ExportError::Headers)?;
        value.set_sensitive(true);
        headers.append(name, value);
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_pairs_with_encoded_values() {
        let read = headers("api-key=a%20b+c==, x=1,").expect("headers");
        assert_eq!(read["api-key"], "a b+c==");
        assert_eq!(read["x"], "1");
        for bad in ["key", "=v", "a b=c", "k=%0A"] {
            assert!(headers(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn without_a_collector_nothing_is_exported() {
        assert!(begin(&TelemetryConfig::default()).is_ok());
        assert!(!is_on());
    }
}
