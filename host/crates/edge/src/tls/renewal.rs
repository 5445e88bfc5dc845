//! Renews the certificate of an authority while the service runs.

use std::time::Duration;

use super::acme::client::{Acme, back_off};
use super::acme::error::AcmeError;
use super::server_tls::{ServerTls, Source};
use super::validity;
use faxgate_base::clock::Clock;
use faxgate_telemetry::board::Board;
use faxgate_telemetry::metrics::CERTIFICATE_RENEWALS;

/// The name of the check in readiness.
const CONDITION: &str = "certificate";

impl ServerTls {
    /// Gets certificates from the authority before they are needed. Never ends; does nothing without one.
    pub async fn renew(self, clock: Clock, board: Board) {
        let Source::Acme { acme, .. } = &self.source else {
            return std::future::pending().await;
        };
        let mut failures = 0;
        self.report(acme, &clock, &board, "no certificate of the authority yet");
        loop {
            // Computed anew each time: it has a random part, and the clock may have been set.
            clock.sleep_until(acme.due()).await;
            match acme.obtain().await {
                Ok(()) => {
                    failures = 0;
                    self.serve_new(acme, &clock, &board);
                }
                Err(error) => {
                    failures += 1;
                    let wait = back_off(failures);
                    self.report_failure(acme, &clock, &board, &error, wait);
                    tokio::select! {
                        () = clock.sleep(wait) => {}
                        () = acme.retry_requested() => {}
                    }
                }
            }
        }
    }

    /// Tries again at once if the last attempt failed: its cause may be gone.
    pub fn retry_now(&self) {
        if let Source::Acme { acme, .. } = &self.source {
            acme.retry_now();
        }
    }

    fn serve_new(&self, acme: &Acme, clock: &Clock, board: &Board) {
        metrics::counter!(CERTIFICATE_RENEWALS, "outcome" => "ok").increment(1);
        drop(self.reload());
        let not_after = self.not_after().map(tracing::field::display);
        tracing::info!(
            name = acme.name(),
            not_after,
            "certificate received from the authority"
        );
        self.report(acme, clock, board, "the authority's certificate can't be used");
    }

    fn report_failure(&self, acme: &Acme, clock: &Clock, board: &Board, error: &AcmeError, wait: Duration) {
        metrics::counter!(CERTIFICATE_RENEWALS, "outcome" => "failed").increment(1);
        tracing::error!(%error, retry_seconds = wait.as_secs(), "no new certificate; the last good one stays");
        self.report(acme, clock, board, &error.to_string());
    }

    /// Sets the condition: clients trust the service as long as a certificate of the authority is valid.
    fn report(&self, acme: &Acme, clock: &Clock, board: &Board, why_not: &str) {
        let ends = acme.stored().and_then(|stored| validity::not_after(&stored.cert));
        if ends.is_some_and(|end| end > clock.now()) {
            board.good(CONDITION);
        } else {
            board.bad(CONDITION, why_not);
        }
    }
}
