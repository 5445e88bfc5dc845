//! Metrics for Prometheus: one table of names, kinds, help texts and buckets.
//!
//! Labels have few values by design: routes, states and words of our own, never a path, a key or a number.

use std::sync::OnceLock;
use std::time::Duration;

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

/// Requests by `method`, `route`, `status`.
pub const HTTP_REQUESTS: &str = "faxgate_http_requests_total";
/// Time to the last byte of the answer's head, by `method`, `route`.
pub const HTTP_REQUEST_SECONDS: &str = "faxgate_http_request_seconds";
/// Requests answered 503 because there were too many at once.
pub const HTTP_REQUESTS_SHED: &str = "faxgate_http_requests_shed_total";
/// Open connections by `listener` (`http`, `https`).
pub const HTTP_CONNECTIONS: &str = "faxgate_http_connections";
/// Connections turned away, by `reason`.
pub const HTTP_CONNECTIONS_REFUSED: &str = "faxgate_http_connections_refused_total";
/// Failed authentications by `reason`.
pub const AUTH_FAILURES: &str = "faxgate_auth_failures_total";
/// Requests answered 429, by `limit`.
pub const RATE_LIMITED: &str = "faxgate_rate_limited_total";
/// Jobs by public `status`.
pub const JOBS: &str = "faxgate_jobs";
/// Faxes accepted.
pub const JOBS_ACCEPTED: &str = "faxgate_jobs_accepted_total";
/// Jobs that reached a final state, by `status` and `error_type`.
pub const JOBS_FINISHED: &str = "faxgate_jobs_finished_total";
/// Attempts to hand a fax to the provider, by `outcome`.
pub const DISPATCHES: &str = "faxgate_dispatches_total";
/// Time of one request to the provider, by `operation`.
pub const PROVIDER_SECONDS: &str = "faxgate_provider_request_seconds";
/// 1 while the queue is held because the provider refuses the credentials.
pub const DISPATCH_HELD: &str = "faxgate_dispatch_held";
/// Callbacks by `kind` and `verdict`.
pub const CALLBACKS: &str = "faxgate_callbacks_total";
/// Received faxes by `outcome`.
pub const INBOUND: &str = "faxgate_inbound_total";
/// Plugin calls by `plugin`, `slot`, `outcome` (`ok`, `busy`, or the kind of failure: `trap`, `cpu_deadline`, …).
pub const PLUGIN_CALLS: &str = "faxgate_plugin_calls_total";
/// Time of one plugin call, by `plugin`, `slot`.
pub const PLUGIN_CALL_SECONDS: &str = "faxgate_plugin_call_seconds";
/// Times a plugin was denied more memory, by `plugin`, `slot`.
pub const PLUGIN_DENIED_GROWTH: &str = "faxgate_plugin_denied_growth_total";
/// Plugins in use, by `slot`.
pub const PLUGINS: &str = "faxgate_plugins";
/// Files in the plugin folder that could not be loaded.
pub const PLUGIN_PROBLEMS: &str = "faxgate_plugin_problems";
/// Time of one durable commit.
pub const STORE_COMMIT_SECONDS: &str = "faxgate_store_commit_seconds";
/// Writes that shared one commit.
pub const STORE_COMMIT_WRITES: &str = "faxgate_store_commit_writes";
/// Time of one operation on documents, by `operation`.
pub const ARTIFACT_SECONDS: &str = "faxgate_artifact_seconds";
/// Documents destroyed by retention, by `outcome`.
pub const PURGED: &str = "faxgate_purged_total";
/// Log lines dropped because nobody read standard error in time.
pub const LOG_LINES_DROPPED: &str = "faxgate_log_lines_dropped_total";
/// Bytes of uploads under way.
pub const SPOOL_BYTES: &str = "faxgate_spool_bytes";
/// When each `certificate` in use ends, in Unix seconds.
pub const CERTIFICATE_EXPIRY: &str = "faxgate_certificate_expiry_timestamp_seconds";
/// Attempts to get a certificate from an authority, by `outcome`.
pub const CERTIFICATE_RENEWALS: &str = "faxgate_certificate_renewals_total";
/// Spans for the collector, by `outcome` (`exported`, `failed`, `dropped`).
pub const TRACE_SPANS: &str = "faxgate_trace_spans_total";
/// 1, with the `version`.
pub const BUILD_INFO: &str = "faxgate_build_info";

/// One line of the table.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// What it is, and with which buckets.
    pub kind: Kind,
    /// For whoever reads the graph.
    pub help: &'static str,
}

/// What a metric is.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counted in buckets with these upper bounds.
    Histogram(&'static [f64]),
}

/// Answers of the interface: from a read on a warm cache to a conversion at its limit.
const REQUEST: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];
/// Calls over the network.
const REMOTE: &[f64] = &[0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];
/// Plugin calls: a number takes microseconds, a long document seconds.
const CALL: &[f64] = &[
    0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0,
];
/// Disk work.
const DISK: &[f64] = &[
    0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.0, 2.0,
];
/// How many of something.
const COUNT: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

const fn counter(name: &'static str, help: &'static str) -> Metric {
    let kind = Kind::Counter;
    Metric { name, kind, help }
}

const fn gauge(name: &'static str, help: &'static str) -> Metric {
    let kind = Kind::Gauge;
    Metric { name, kind, help }
}

const fn histogram(name: &'static str, buckets: &'static [f64], help: &'static str) -> Metric {
    let kind = Kind::Histogram(buckets);
    Metric { name, kind, help }
}

/// Every metric there is.
pub const TABLE: &[Metric] = &[
    counter(HTTP_REQUESTS, "Requests by method, route and status"),
    histogram(
        HTTP_REQUEST_SECONDS,
        REQUEST,
        "Time from request to answer by method and route",
    ),
    counter(
        HTTP_REQUESTS_SHED,
        "Requests turned away because there were too many at once",
    ),
    gauge(HTTP_CONNECTIONS, "Open connections by listener"),
    counter(HTTP_CONNECTIONS_REFUSED, "Connections turned away by reason"),
    counter(AUTH_FAILURES, "Failed authentications by reason"),
    counter(RATE_LIMITED, "Requests answered 429 by limit"),
    gauge(JOBS, "Jobs by public status"),
    counter(JOBS_ACCEPTED, "Faxes accepted"),
    counter(
        JOBS_FINISHED,
        "Jobs that reached a final state by status and error type",
    ),
    counter(DISPATCHES, "Attempts to hand a fax to the provider by outcome"),
    histogram(
        PROVIDER_SECONDS,
        REMOTE,
        "Time of one request to the provider by operation",
    ),
    gauge(
        DISPATCH_HELD,
        "1 while the provider refuses the credentials and the queue waits",
    ),
    counter(CALLBACKS, "Callbacks by kind and verdict"),
    counter(INBOUND, "Received faxes by outcome"),
    counter(PLUGIN_CALLS, "Plugin calls by plugin, slot and outcome"),
    histogram(
        PLUGIN_CALL_SECONDS,
        CALL,
        "Time of one plugin call by plugin and slot",
    ),
    counter(
        PLUGIN_DENIED_GROWTH,
        "Times a plugin was denied more memory by plugin and slot",
    ),
    gauge(PLUGINS, "Plugins in use by slot"),
    gauge(
        PLUGIN_PROBLEMS,
        "Files in the plugin folder that could not be loaded",
    ),
    histogram(STORE_COMMIT_SECONDS, DISK, "Time of one durable commit"),
    histogram(STORE_COMMIT_WRITES, COUNT, "Writes that shared one commit"),
    histogram(
        ARTIFACT_SECONDS,
        DISK,
        "Time of one operation on documents by operation",
    ),
    counter(PURGED, "Documents destroyed by retention by outcome"),
    counter(
        LOG_LINES_DROPPED,
        "Log lines dropped because nobody read standard error in time",
    ),
    gauge(SPOOL_BYTES, "Bytes of uploads under way"),
    gauge(
        CERTIFICATE_EXPIRY,
        "When each certificate in use ends, in Unix seconds",
    ),
    counter(
        CERTIFICATE_RENEWALS,
        "Attempts to get a certificate from an authority by outcome",
    ),
    counter(TRACE_SPANS, "Spans for the collector by outcome"),
    gauge(BUILD_INFO, "1, with the version as a label"),
];

/// How often measurements are folded into their buckets when nobody asks for them.
const UPKEEP: Duration = Duration::from_secs(5);

/// Why metrics could not begin.
#[derive(Debug, thiserror::Error)]
#[error("metrics can't be recorded: {0}")]
pub struct MetricsError(#[from] BuildError);

/// Begins to record, for the whole process; a second call answers the same handle.
///
/// # Errors
/// When another recorder was installed in this process.
pub fn install() -> Result<PrometheusHandle, MetricsError> {
    static INSTALLED: OnceLock<PrometheusHandle> = OnceLock::new();
    if let Some(handle) = INSTALLED.get() {
        return Ok(handle.clone());
    }
    let handle = builder()?.install_recorder()?;
    describe();
    metrics::gauge!(BUILD_INFO, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    Ok(INSTALLED.get_or_init(|| handle).clone())
}

/// Folds measurements into their buckets for as long as it is polled: what is recorded but never asked for would
/// pile up otherwise.
pub async fn upkeep(handle: PrometheusHandle) {
    let mut ticks = tokio::time::interval(UPKEEP);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        handle.run_upkeep();
    }
}

fn builder() -> Result<PrometheusBuilder, BuildError> {
    TABLE
        .iter()
        .try_fold(PrometheusBuilder::new(), |builder, metric| match metric.kind {
            Kind::Histogram(buckets) => {
                builder.set_buckets_for_metric(Matcher::Full(metric.name.to_owned()), buckets)
            }
            Kind::Counter | Kind::Gauge => Ok(builder),
        })
}

fn describe() {
    for metric in TABLE {
        match metric.kind {
            Kind::Counter => metrics::describe_counter!(metric.name, metric.help),
            Kind::Gauge => metrics::describe_gauge!(metric.name, metric.help),
            Kind::Histogram(_) => metrics::describe_histogram!(metric.name, metric.help),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_follow_the_conventions() {
        let names: BTreeSet<&str> = TABLE.iter().map(|metric| metric.name).collect();
        assert_eq!(names.len(), TABLE.len());
        for metric in TABLE {
            assert!(metric.name.starts_with("faxgate_"), "{}", metric.name);
            let total = metric.name.ends_with("_total");
            assert_eq!(total, matches!(metric.kind, Kind::Counter), "{}", metric.name);
            if let Kind::Histogram(buckets) = metric.kind {
                assert!(buckets.is_sorted_by(|a, b| a < b), "{}", metric.name);
            }
        }
    }

    #[test]
    fn every_constant_is_in_the_table() {
        let source = include_str!("metrics.rs");
        let constants = source
            .lines()
            .filter(|line| line.starts_with("pub const ") && line.contains(": &str"));
        assert_eq!(constants.count(), TABLE.len());
    }

    #[test]
    fn what_is_recorded_is_shown_with_help_and_buckets() {
        let recorder = builder().unwrap().build_recorder();
        let handle = recorder.handle();
        metrics::with_local_recorder(&recorder, || {
            describe();
            metrics::counter!(DISPATCHES, "outcome" => "taken").increment(2);
            metrics::histogram!(STORE_COMMIT_SECONDS).record(0.003);
        });
        let text = handle.render();
        assert!(
            text.contains("faxgate_dispatches_total{outcome=\"taken\"} 2"),
            "{text}"
        );
        assert!(
            text.contains("# HELP faxgate_store_commit_seconds Time of one durable commit"),
            "{text}"
        );
        assert!(
            text.contains("faxgate_store_commit_seconds_bucket{le=\"0.002\"} 0"),
            "{text}"
        );
        assert!(
            text.contains("faxgate_store_commit_seconds_bucket{le=\"0.004\"} 1"),
            "{text}"
        );
    }

    #[test]
    fn installing_twice_is_installing_once() {
        let first = install().unwrap();
        metrics::gauge!(DISPATCH_HELD).set(1.0);
        assert!(install().unwrap().render().contains("faxgate_dispatch_held 1"));
        assert!(first.render().contains("faxgate_build_info{version="));
    }
}
