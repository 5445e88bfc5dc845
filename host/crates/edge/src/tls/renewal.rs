//! Keeps the certificate of an authority fresh for as long as the service runs.

use std::time::Duration;

use super::acme::{Acme, AcmeError, back_off};
use super::{ServerTls, Source};
use faxgate_base::clock::Clock;
use faxgate_telemetry::board::Board;
use faxgate_telemetry::metrics::CERTIFICATE_RENEWALS;

/// The condition that readiness shows.
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
            // Computed anew each time: it differs a little by chance, and the clock may have been set.
            clock.sleep_until(acme.due()).await;
            match acme.obtain().await {
                Ok(()) => {
                    failures = 0;
                    self.take_up(acme, &clock, &board);
                }
                Err(error) => {
                    failures += 1;
                    let wait = back_off(failures);
                    self.tell(acme, &clock, &board, &error, wait);
                    tokio::select! {
                        () = clock.sleep(wait) => {}
                        () = acme.hurried() => {}
                    }
                }
            }
        }
    }

    /// Tries again at once if the last attempt failed: somebody may have mended what was wrong.
    pub fn hurry(&self) {
        if let Source::Acme { acme, .. } = &self.source {
            acme.hurry();
        }
    }

    fn take_up(&self, acme: &Acme, clock: &Clock, board: &Board) {
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

    fn tell(&self, acme: &Acme, clock: &Clock, board: &Board, error: &AcmeError, wait: Duration) {
        metrics::counter!(CERTIFICATE_RENEWALS, "outcome" => "failed").increment(1);
        tracing::error!(%error, retry_seconds = wait.as_secs(), "no new certificate; the last good one stays");
        self.report(acme, clock, board, &error.to_string());
    }

    /// Clients trust us for as long as there is a certificate of the authority that has not ended.
    fn report(&self, acme: &Acme, clock: &Clock, board: &Board, why_not: &str) {
        let ends = acme
            .kept()
            .and_then(|kept| super::validity::not_after(&kept.cert));
        if ends.is_some_and(|end| end > clock.now()) {
            board.good(CONDITION);
        } else {
            board.bad(CONDITION, why_not);
        }
    }
}
