//! The page of metrics, with the gauges that are read when it is asked for rather than counted.

use std::sync::Arc;

use metrics_exporter_prometheus::PrometheusHandle;

use faxgate_edge::tls::ServerTls;
use faxgate_service::App;
use faxgate_telemetry::board::Board;
use faxgate_telemetry::metrics as names;

/// The page of a service without metrics.
pub(super) fn empty_page() -> faxgate_api::MetricsPage {
    Arc::new(|| Box::pin(std::future::ready(String::new())))
}

/// Makes the page.
pub(super) fn metrics_page(
    handle: PrometheusHandle,
    app: App,
    board: Board,
    tls: Option<ServerTls>,
) -> faxgate_api::MetricsPage {
    metrics::gauge!(names::BUILD_INFO, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    Arc::new(move || {
        let (handle, app, board, tls) = (handle.clone(), app.clone(), board.clone(), tls.clone());
        Box::pin(async move {
            set_gauges(&app, &board, tls.as_ref()).await;
            handle.render()
        })
    })
}

async fn set_gauges(app: &App, board: &Board, tls: Option<&ServerTls>) {
    for (status, count) in app.depth().await.unwrap_or_default() {
        #[allow(clippy::cast_precision_loss, reason = "a count of jobs, far below 2^52")]
        metrics::gauge!(names::JOBS, "status" => status).set(count as f64);
    }
    #[allow(clippy::cast_precision_loss, reason = "bytes on a disk, far below 2^52")]
    metrics::gauge!(names::SPOOL_BYTES).set(app.spool_bytes() as f64);
    let held = board
        .all()
        .iter()
        .any(|(name, state)| *name == "provider" && state.is_err());
    metrics::gauge!(names::DISPATCH_HELD).set(f64::from(u8::from(held)));
    for expiry in tls.map(ServerTls::expiries).unwrap_or_default() {
        let Some(end) = expiry.not_after else { continue };
        #[allow(
            clippy::cast_precision_loss,
            reason = "seconds of our millennium, far below 2^52"
        )]
        metrics::gauge!(names::CERTIFICATE_EXPIRY, "certificate" => expiry.certificate)
            .set(end.as_second() as f64);
    }
}
