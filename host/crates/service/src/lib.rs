//! Floor 5: the use cases. What a client, the provider or an operator can ask for, without HTTP.
//!
//! [`App`] is cheap to clone. Rules live in `domain`, work is done by the adapters; here they are put in order.

mod access;
mod actor;
mod audit;
mod audit_file;
mod callbacks;
mod change;
pub mod dispatch;
mod documents;
mod error;
mod health;
mod inbound;
mod keys;
mod plugins;
mod read;
pub mod retention;
mod schedule;
mod send;
mod upload;
mod view;

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

pub use actor::Actor;
pub use audit::{AuditPage, AuditView};
pub use audit_file::AuditFile;
pub use callbacks::{CallbackOutcome, Incoming, IncomingFile};
pub use change::Resend;
pub use documents::{DocumentKey, OpenDocument};
pub use error::Error;
pub use health::Check;
pub use inbound::{CaughtUp, InboundQuery, Link, Received};
pub use keys::{KeyView, Keys, NewKey, NewToken};
pub use read::{FaxQuery, Page};
pub use schedule::Schedule;
pub use send::{SendRequest, Sent};
pub use upload::{Upload, UploadSink};
pub use view::{FaxJob, InboundView, TimelineView};

/// The parts the use cases work with. All are cheap to clone.
#[derive(Clone)]
pub struct Parts {
    /// Settings in force; a reload swaps them.
    pub config: Arc<ArcSwap<Config>>,
    /// Time.
    pub clock: Clock,
    /// Identifiers.
    pub ids: IdSource,
    /// Records.
    pub store: Store,
    /// Documents.
    pub artifacts: Artifacts,
    /// Policies.
    pub plugins: Plugins,
    /// The provider.
    pub phaxio: Phaxio,
    /// Key of links.
    pub links: LinkKey,
    /// What works and what doesn't, by name.
    pub board: Board,
    /// Wakes the dispatcher.
    pub work: Arc<Notify>,
}

/// The use cases.
#[derive(Clone)]
pub struct App {
    parts: Arc<Parts>,
    sending: Arc<send::InFlight>,
    spool: Arc<upload::Spool>,
}

impl App {
    /// Puts the use cases on top of their parts.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let config = parts.config.load();
        let spool = upload::Spool::new(config.spool_dir(), config.limits.max_spool_bytes);
        drop(config);
        Self {
            parts: Arc::new(parts),
            sending: Arc::default(),
            spool: Arc::new(spool),
        }
    }

    /// The settings in force.
    #[must_use]
    pub fn config(&self) -> Arc<Config> {
        self.parts.config.load_full()
    }

    /// The time.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.parts.clock
    }
}
