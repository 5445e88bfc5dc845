//! The use cases: what a client, the provider or an operator can ask the service to do, independent of HTTP.
//!
//! [`App`] holds them and is cheap to clone. The rules are in `faxgate-domain`; database, document storage, provider
//! and plugins are crates of their own, and the use cases call them in order.

mod access;
mod callbacks;
pub mod dispatch;
mod documents;
mod error;
mod inbound;
mod operations;
mod outbound;
pub mod retention;
mod views;

use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::Notify;

use faxgate_artifacts::Artifacts;
use faxgate_base::clock::Clock;
use faxgate_base::id::IdSource;
use faxgate_config::Config;
use faxgate_domain::link::LinkKey;
use faxgate_policy::Plugins;
use faxgate_provider::phaxio::Phaxio;
use faxgate_store::Store;
use faxgate_telemetry::board::Board;

pub use access::{Actor, KeyView, Keys, NewKey, NewToken};
pub use callbacks::{CallbackOutcome, Incoming, IncomingFile};
pub use documents::{DocumentKey, OpenDocument, Upload, UploadSink};
pub use error::Error;
pub use inbound::{CaughtUp, InboundQuery, Link, Received};
pub use operations::{AuditFile, AuditPage, AuditView, Check};
pub use outbound::{FaxQuery, Page, Resend, Schedule, SendRequest, Sent};
pub use views::{FaxJob, InboundView, TimelineView};

/// What the use cases work with. Every part is cheap to clone.
#[derive(Clone)]
pub struct Parts {
    /// The settings in force; a reload replaces them.
    pub config: Arc<ArcSwap<Config>>,
    /// The wall clock and the monotonic clock.
    pub clock: Clock,
    /// Makes sortable identifiers.
    pub ids: IdSource,
    /// The database.
    pub store: Store,
    /// Documents that are not in the database.
    pub artifacts: Artifacts,
    /// Converters, number normalisers and callback policies.
    pub plugins: Plugins,
    /// The client of the provider.
    pub phaxio: Phaxio,
    /// Signs and verifies document links.
    pub links: LinkKey,
    /// The health of each part, for readiness.
    pub board: Board,
    /// Notified when the dispatcher may have work.
    pub work: Arc<Notify>,
}

/// The use cases.
#[derive(Clone)]
pub struct App {
    parts: Arc<Parts>,
    keys_in_use: Arc<outbound::KeysInUse>,
    spool: Arc<documents::Spool>,
}

impl App {
    /// The use cases over `parts`.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let config = parts.config.load();
        let spool = documents::Spool::new(config.spool_dir(), config.limits.max_spool_bytes);
        drop(config);
        Self {
            parts: Arc::new(parts),
            keys_in_use: Arc::default(),
            spool: Arc::new(spool),
        }
    }

    /// The settings in force.
    #[must_use]
    pub fn config(&self) -> Arc<Config> {
        self.parts.config.load_full()
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.parts.clock
    }
}
