//! Floor 4: policies in WebAssembly.
//!
//! What is a matter of taste or of local law (how a document becomes a fax page, what a dialled string means, which
//! callback to believe) is decided by components: built-in ones and those an operator drops into a folder. [`Plugins`]
//! is the only door; behind it every call gets a fresh instance with bounded memory and time, and whatever the
//! component does is at worst an error of that call.
//!
//! | file | concern |
//! |---|---|
//! | `snapshot`, `encode`, `manifest` | from a core module to a component, and what the built-in ones were made from |
//! | `engine` | the one engine, its pool, its clock, its threads |
//! | `bindings`, `convert` | types of `wit/`, and their translation with every check of an answer |
//! | `host_api`, `webhook`, `fonts` | what a component may call |
//! | `limits`, `call` | what a call may use, and what became of it |
//! | `compile`, `cache`, `load` | from a file to a plugin that serves |
//! | `registry`, `watch` | the set, and how it is replaced |
//! | `bench` | one plugin on its own, for its author |
//! | `number`, `document`, `render`, `callback` | the chains of the three slots |
//! | `tiff`, `png` | drawn pages as files |

mod bench;
mod bindings;
#[cfg(test)]
mod builtin_tests;
mod cache;
mod call;
mod callback;
mod compile;
mod convert;
mod document;
#[cfg(test)]
mod document_tests;
mod embedded;
pub mod encode;
mod engine;
mod error;
mod fonts;
mod host_api;
mod limits;
mod load;
pub mod manifest;
mod number;
pub mod png;
mod registry;
mod render;
pub mod snapshot;
mod stats;
#[cfg(test)]
mod stress;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
pub mod tiff;
mod types;
mod watch;
mod webhook;

use std::sync::Arc;

use arc_swap::ArcSwap;

pub use bench::{BenchError, Inspection, Run, Workbench};
pub use error::{FailureKind, Flaw, LoadError, PluginFailure, PolicyError, Unfit};
pub use types::{
    ConvertLimits, ConvertOptions, Converted, Delivery, DeliveryKind, FilePart, Grants, LimitsInfo, Opinion,
    Part, PluginInfo, PluginProblem, RawBody, Reading, ReloadReport, Slot,
};

pub use watch::{WatchError, Watcher, watch};

use crate::config::plugins::PluginsConfig;
use crate::telemetry::metrics::{PLUGIN_PROBLEMS, PLUGINS};
use cache::Cache;
use engine::Runtime;
use fonts::Fonts;
use registry::{Builder, Set};

/// The policies. Clones share them.
#[derive(Clone)]
pub struct Plugins(Arc<Inner>);

struct Inner {
    runtime: Arc<Runtime>,
    cache: Option<Arc<Cache>>,
    set: ArcSwap<Set>,
    /// One load at a time; calls never wait for it.
    loading: tokio::sync::Mutex<()>,
}

impl Plugins {
    /// Starts the engine and loads the built-in components and the drop-in folder. A file that doesn't load is a
    /// problem (see [`Plugins::problems`]), not an error.
    ///
    /// # Errors
    /// When the engine can't start, the folder can't be listed, or a built-in component doesn't load.
    pub async fn load(config: &PluginsConfig, grants: Grants) -> Result<Self, LoadError> {
        let runtime = Runtime::start(config.instances, false, Fonts::of(config.font_dir.clone()))?;
        let dir = config.cache_dir.clone();
        let cache = tokio::task::spawn_blocking(move || Cache::open(&dir))
            .await
            .ok()
            .flatten();
        let plugins = Self(Arc::new(Inner {
            runtime,
            cache: cache.map(Arc::new),
            set: ArcSwap::from_pointee(Set::default()),
            loading: tokio::sync::Mutex::new(()),
        }));
        plugins.reload(config, grants).await?;
        Ok(plugins)
    }

    /// Builds a new set beside the one that serves and puts it in its place at once; calls under way end on the old
    /// one. Components and settings that did not change keep their counters. `plugins.instances`,
    /// `plugins.cache_dir` and `plugins.font_dir` are read at start only.
    ///
    /// # Errors
    /// When the folder can't be listed; the old set keeps serving.
    pub async fn reload(&self, config: &PluginsConfig, grants: Grants) -> Result<ReloadReport, LoadError> {
        let _one = self.0.loading.lock().await;
        let old = self.set();
        let builder = Builder {
            runtime: &self.0.runtime,
            cache: self.0.cache.clone(),
            config,
            grants: &grants,
            old: &old,
        };
        let new = Arc::new(builder.build().await?);
        let report = old.changes(&new);
        metrics::gauge!(PLUGIN_PROBLEMS).set(report.problems.len() as f64);
        for slot in Slot::ALL {
            metrics::gauge!(PLUGINS, "slot" => slot.as_str()).set(new.chain(slot).len() as f64);
        }
        self.0.set.store(new);
        if report.changed_anything() {
            tracing::info!(
                added = ?report.added, changed = ?report.changed, removed = ?report.removed,
                "the set of plugins changed"
            );
        }
        Ok(report)
    }

    /// The plugins that serve, by slot and in the order in which they are asked.
    #[must_use]
    pub fn list(&self) -> Vec<PluginInfo> {
        self.set().list()
    }

    /// What could not be loaded, with the remedy.
    #[must_use]
    pub fn problems(&self) -> Vec<PluginProblem> {
        self.set().problems().to_vec()
    }

    fn set(&self) -> Arc<Set> {
        self.0.set.load_full()
    }

    /// Instances that exist right now, for tests; none without a pool.
    #[cfg(test)]
    fn instances(&self) -> Option<u64> {
        let pool = self.0.runtime.engine().pooling_allocator_metrics()?;
        Some(pool.component_instances())
    }

    fn runtime(&self) -> &Arc<Runtime> {
        &self.0.runtime
    }
}
