//! The two measurements that every request makes, without building their labels anew each time.
//!
//! A `counter!` with labels allocates them and hashes them on every call, which a short answer notices. The handles
//! are kept here instead, by what they are labelled with: words of our own and a status, so there are few.

use std::collections::HashMap;
use std::time::Duration;

use metrics::{Counter, Histogram};
use parking_lot::RwLock;

use super::metrics::{HTTP_REQUEST_SECONDS, HTTP_REQUESTS};

/// The handles of every kind of request that was answered so far.
#[derive(Default)]
pub struct RequestMeter {
    kinds: RwLock<HashMap<Kind, Handles>>,
}

/// What a request is labelled with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Kind {
    method: &'static str,
    route: &'static str,
    status: u16,
}

struct Handles {
    count: Counter,
    seconds: Histogram,
}

impl RequestMeter {
    /// Counts one request: `route` is the pattern it matched, `took` the time to the head of its answer.
    pub fn record(&self, method: &'static str, route: &'static str, status: u16, took: Duration) {
        let kind = Kind {
            method,
            route,
            status,
        };
        if let Some(handles) = self.kinds.read().get(&kind) {
            handles.record(took);
            return;
        }
        self.kinds
            .write()
            .entry(kind)
            .or_insert_with(|| Handles::of(kind))
            .record(took);
    }
}

impl Handles {
    fn of(kind: Kind) -> Self {
        let Kind {
            method,
            route,
            status,
        } = kind;
        Self {
            count: metrics::counter!(
                HTTP_REQUESTS,
                "method" => method, "route" => route, "status" => status.to_string()
            ),
            seconds: metrics::histogram!(HTTP_REQUEST_SECONDS, "method" => method, "route" => route),
        }
    }

    fn record(&self, took: Duration) {
        self.count.increment(1);
        self.seconds.record(took.as_secs_f64());
    }
}

impl std::fmt::Debug for RequestMeter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RequestMeter").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;

    #[test]
    fn requests_are_counted_by_what_they_are() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        metrics::with_local_recorder(&recorder, || {
            let meter = RequestMeter::default();
            for status in [200, 404, 200] {
                meter.record("GET", "/fax/{id}", status, Duration::from_millis(2));
            }
        });
        let page = handle.render();
        for line in [
            "faxgate_http_requests_total{method=\"GET\",route=\"/fax/{id}\",status=\"200\"} 2",
            "faxgate_http_requests_total{method=\"GET\",route=\"/fax/{id}\",status=\"404\"} 1",
            "faxgate_http_request_seconds_count{method=\"GET\",route=\"/fax/{id}\"} 3",
        ] {
            assert!(page.contains(line), "{line}\n{page}");
        }
    }
}
