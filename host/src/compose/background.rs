//! What runs beside the listeners: the dispatcher, retention, collectors, watchers, the control socket.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::Service;
use crate::control::{self, ControlHandler};
use faxgate_base::clock::{Clock, before};
use faxgate_service::retention::Sweeper;
use faxgate_service::{Actor, App, AuditFile, CaughtUp};
use faxgate_store::Store;

/// How often certificate files are looked at.
const CERTIFICATE_LOOK: Duration = Duration::from_secs(5);
/// How long a document may lie without a record before it counts as left behind by a crash.
const ORPHAN_AGE: Duration = Duration::from_secs(3600);
/// How often the last uses of keys are written.
const TOUCH_PACE: Duration = Duration::from_secs(60);
/// How often they are looked for.
const ORPHAN_LOOK: Duration = Duration::from_secs(24 * 3600);
/// How far back missed deliveries are looked for at the start; the provider retries for about three days.
const CATCH_UP_SPAN: Duration = Duration::from_secs(7 * 24 * 3600);

impl Service {
    /// Starts to send what is queued, unless sending is switched off.
    pub fn start_dispatcher(&mut self) {
        if self.parts.config.load().disabled {
            tracing::warn!("sending is switched off (FAX_DISABLED): faxes are accepted and kept");
            return;
        }
        let (dispatcher, stopped) = (self.dispatcher.clone(), self.stop.subscribe());
        let board = self.parts.board.clone();
        self.background.spawn(async move {
            if let Err(error) = dispatcher.run(stopped).await {
                tracing::error!(%error, "the dispatcher could not begin: restart the service");
                board.bad("dispatcher", error.to_string());
            }
        });
    }

    /// Starts retention, collectors, watchers and the control socket.
    pub fn start_maintenance(&mut self) {
        let (parts, stopped) = (self.parts.clone(), self.stop.subscribe());
        self.housekeeping(&parts, &stopped);
        self.watch_files(&parts, &stopped);
        self.open_control(&parts, &stopped);
    }

    fn housekeeping(&mut self, parts: &faxgate_service::Parts, stopped: &watch::Receiver<bool>) {
        let sweeper = Sweeper {
            config: Arc::clone(&parts.config),
            clock: parts.clock.clone(),
            store: parts.store.clone(),
            artifacts: parts.artifacts.clone(),
            board: parts.board.clone(),
        };
        self.background.spawn(sweeper.run(stopped.clone()));
        self.background
            .spawn(until(stopped.clone(), collect_orphans(parts.clone())));
        self.background.spawn(write_last_uses(
            parts.store.clone(),
            parts.clock.clone(),
            stopped.clone(),
        ));
        let config = parts.config.load();
        if !config.disabled {
            self.background
                .spawn(until(stopped.clone(), catch_up(self.app.clone())));
        }
        if let Some(file) = config.audit_file.clone() {
            let (store, clock) = (parts.store.clone(), parts.clock.clone());
            self.background
                .spawn(AuditFile::new(file, store, clock).run(stopped.clone()));
        }
    }

    fn watch_files(&mut self, parts: &faxgate_service::Parts, stopped: &watch::Receiver<bool>) {
        if let Some(tls) = &self.tls {
            self.background
                .spawn(until(stopped.clone(), tls.clone().watch(CERTIFICATE_LOOK)));
            let renewal = tls.clone().renew(parts.clock.clone(), parts.board.clone());
            self.background.spawn(until(stopped.clone(), renewal));
        }
        let app = self.app.clone();
        let reload = move || {
            let app = app.clone();
            async move {
                match app.reload_plugins(&Actor::operator()).await {
                    Ok(report) if report.changed_anything() => {
                        tracing::info!(added = ?report.added, changed = ?report.changed, removed = ?report.removed, "plugins loaded anew");
                    }
                    Ok(_) => {}
                    Err(error) => {
                        tracing::error!(%error, "plugins not loaded anew; the last good ones serve")
                    }
                }
            }
        };
        match parts.plugins.watch(&parts.config.load().plugins.dir, reload) {
            Ok(watcher) => drop(self.background.spawn(until(stopped.clone(), hold(watcher)))),
            Err(error) => tracing::warn!(%error, "plugins are not watched"),
        }
    }

    fn open_control(&mut self, parts: &faxgate_service::Parts, stopped: &watch::Receiver<bool>) {
        let config = parts.config.load();
        match control::bind(&config.control_socket()) {
            Ok(listener) => {
                let handler = ControlHandler::new(parts.store.clone(), parts.clock.clone());
                self.background
                    .spawn(until(stopped.clone(), control::serve(listener, handler)));
            }
            // Everything else works without it.
            Err(error) => {
                tracing::warn!(%error, "no control socket: `faxgate keys` needs the service stopped")
            }
        }
    }
}

/// Keeps `thing` until the service ends.
async fn hold<T>(thing: T) {
    std::future::pending::<()>().await;
    drop(thing);
}

/// Removes documents that a crash or a lost answer left without a record: at the start and once a day.
async fn collect_orphans(parts: faxgate_service::Parts) {
    loop {
        let store = parts.store.clone();
        // The collector asks on a thread that may block.
        let runtime = tokio::runtime::Handle::current();
        let known = move |place: &faxgate_domain::artifact::Place| runtime.block_on(is_known(&store, place));
        match parts.artifacts.collect_orphans(known, ORPHAN_AGE).await {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "removed documents without a record"),
            Err(error) => tracing::warn!(%error, "documents without a record could not be collected"),
        }
        parts.clock.sleep(ORPHAN_LOOK).await;
    }
}

/// Looks for received faxes whose delivery was missed: a week back at the start, then at the pace of polls.
async fn catch_up(app: App) {
    let mut since = before(app.clock().now(), CATCH_UP_SPAN);
    loop {
        if !app.config().inbound.enabled {
            // A reload may switch it on.
            app.clock().sleep(app.config().dispatch.poll_after).await;
            continue;
        }
        let began = app.clock().now();
        match app.catch_up(since).await {
            Ok(CaughtUp { taken, failed }) => {
                since = match failed {
                    // The provider lists with some delay: look back over the last interval once more.
                    0 => before(began, app.config().dispatch.poll_after.saturating_mul(2)),
                    // What could not be fetched is asked for again, for as long as the provider would deliver it.
                    _ => since.max(before(began, CATCH_UP_SPAN)),
                };
                if taken > 0 {
                    tracing::info!(taken, "took in faxes whose delivery was missed");
                }
            }
            Err(error) => tracing::warn!(%error, "the provider could not be asked for received faxes"),
        }
        app.clock().sleep(app.config().dispatch.poll_after).await;
    }
}

/// Writes when keys were last used, now and then and at the end.
async fn write_last_uses(store: Store, clock: Clock, mut stopped: watch::Receiver<bool>) {
    loop {
        let last = *stopped.borrow();
        if let Err(error) = store.write_last_uses().await {
            tracing::warn!(%error, "the last uses of keys could not be written");
        }
        if last {
            return;
        }
        tokio::select! {
            () = clock.sleep(TOUCH_PACE) => {}
            _ = stopped.wait_for(|stop| *stop) => {}
        }
    }
}

/// Whether a record points to `place`. What can't be read counts as known: better kept than lost.
async fn is_known(store: &Store, place: &faxgate_domain::artifact::Place) -> bool {
    use faxgate_artifacts::{Kind, document_of};
    use faxgate_domain::ids::{InboundId, JobId};
    let artifact = match document_of(place) {
        None => return true,
        Some((Kind::Outbound, id)) => store
            .job(JobId(id))
            .await
            .map(|job| job.and_then(|job| job.artifact)),
        Some((Kind::Inbound, id)) => store
            .inbound(InboundId(id))
            .await
            .map(|fax| fax.and_then(|fax| fax.artifact)),
    };
    artifact.map_or(true, |artifact| {
        artifact.is_some_and(|artifact| artifact.place == *place)
    })
}

async fn until(mut stopped: watch::Receiver<bool>, work: impl Future<Output = ()>) {
    tokio::select! {
        () = work => {}
        _ = stopped.wait_for(|stop| *stop) => {}
    }
}
