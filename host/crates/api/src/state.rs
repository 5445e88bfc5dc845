//! What all handlers share.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::future::BoxFuture;

use crate::request::callback_limits::CallbackLimits;
use crate::request::rate_limits::RateLimits;
use crate::request::refusal_audit::RefusalAudit;
use faxgate_service::{App, Check};

/// How long the result of the readiness checks is served: everybody may ask for it.
const READINESS_AGE: Duration = Duration::from_secs(1);

/// Renders the page of `GET /metrics`.
pub type MetricsPage = Arc<dyn Fn() -> BoxFuture<'static, String> + Send + Sync>;

/// The results of the readiness checks.
pub(crate) type Readiness = Arc<Vec<Check>>;

/// The state of all handlers. Clones share it.
#[derive(Clone)]
pub(crate) struct AppState(Arc<Shared>);

struct Shared {
    app: App,
    metrics: MetricsPage,
    limits: RateLimits,
    callbacks: CallbackLimits,
    refusals: RefusalAudit,
    openapi: OnceLock<Bytes>,
    readiness: tokio::sync::Mutex<Option<(Instant, Readiness)>>,
}

impl AppState {
    /// State over these use cases.
    pub(crate) fn new(app: App, metrics: MetricsPage) -> Self {
        Self(Arc::new(Shared {
            app,
            metrics,
            limits: RateLimits::default(),
            callbacks: CallbackLimits::default(),
            refusals: RefusalAudit::default(),
            openapi: OnceLock::new(),
            readiness: tokio::sync::Mutex::new(None),
        }))
    }

    /// The use cases.
    pub(crate) fn app(&self) -> &App {
        &self.0.app
    }

    /// What is counted per key and per address.
    pub(crate) fn limits(&self) -> &RateLimits {
        &self.0.limits
    }

    /// The limits of callbacks.
    pub(crate) fn callbacks(&self) -> &CallbackLimits {
        &self.0.callbacks
    }

    /// Decides which refusals are recorded in the audit log.
    pub(crate) fn refusals(&self) -> &RefusalAudit {
        &self.0.refusals
    }

    /// The page of metrics.
    pub(crate) async fn metrics_page(&self) -> String {
        (self.0.metrics)().await
    }

    /// Sets the OpenAPI description, once.
    pub(crate) fn set_openapi(&self, description: Bytes) {
        // A second router over the same state has the same description.
        drop(self.0.openapi.set(description));
    }

    /// The OpenAPI description.
    pub(crate) fn openapi(&self) -> Bytes {
        self.0.openapi.get().cloned().unwrap_or_default()
    }

    /// The result of every readiness check. Requests at the same time share one round of checks.
    pub(crate) async fn readiness(&self) -> Readiness {
        let mut last = self.0.readiness.lock().await;
        if let Some((_, checks)) = last.as_ref().filter(|(at, _)| at.elapsed() < READINESS_AGE) {
            return Arc::clone(checks);
        }
        let checks = Arc::new(self.app().readiness().await);
        *last = Some((Instant::now(), Arc::clone(&checks)));
        checks
    }
}

impl fmt::Debug for AppState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppState").finish_non_exhaustive()
    }
}
