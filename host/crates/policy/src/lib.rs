//! Floor 4: policies in WebAssembly.
//!
//! What is a matter of taste or of local law (how a document becomes a fax page, what a dialled string means, which
//! callback to believe) is decided by components: built-in ones and those an operator drops into a folder. [`Plugins`]
//! is the only door; behind it every call gets a fresh instance with bounded memory and time, and whatever the
//! component does is at worst an error of that call.
//!
//! | file | concern |
//! |---|---|
//! | `wit`, `snapshot`, `encode`, `manifest` | the interfaces; from a core module to a component, and what the built-in ones were made from |
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
#[cfg(test)]
mod set_tests;
pub mod snapshot;
mod stats;
#[cfg(test)]
mod stress;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod ticker;
pub mod tiff;
mod types;
mod watch;
mod webhook;
pub mod wit;

use std::path::Path;
use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapOption};

pub use bench::{BenchError, Inspection, Run, Workbench};
pub use error::{FailureKind, Flaw, LoadError, PluginFailure, PolicyError, Unfit};
pub use types::{
    ConvertLimits, ConvertOptions, Converted, Delivery, DeliveryKind, FilePart, Grants, LimitsInfo, Opinion,
    Part, PluginInfo, PluginProblem, RawBody, Reading, ReloadReport, Slot,
};

pub use watch::{WatchError, Watcher};

use cache::Cache;
use engine::Runtime;
use faxgate_config::plugins::PluginsConfig;
use faxgate_telemetry::metrics::{PLUGIN_PROBLEMS, PLUGINS};
use fonts::Fonts;
use registry::{Builder, Set};
use watch::View;

/// The policies. Clones share them.
#[derive(Clone)]
pub struct Plugins(Arc<Inner>);

struct Inner {
    runtime: Arc<Runtime>,
    cache: Option<Arc<Cache>>,
    set: ArcSwap<Set>,
    /// The folder as it was before the first load.
    first: View,
    /// Why the last load made no set at all, if it did not.
    trouble: ArcSwapOption<PluginProblem>,
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
        let folder = config.dir.clone();
        let both = tokio::task::spawn_blocking(move || (Cache::open(&dir), View::of(&folder)));
        let (cache, first) = both.await.unwrap_or_default();
        let plugins = Self(Arc::new(Inner {
            runtime,
            cache: cache.map(Arc::new),
            set: ArcSwap::from_pointee(Set::default()),
            first,
            trouble: ArcSwapOption::empty(),
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
    /// When the folder can't be listed or has gone; the old set keeps serving and the reason is one of the problems.
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
        let new = match builder.build().await {
            Ok(new) => Arc::new(new),
            Err(error) => {
                self.0.trouble.store(Some(Arc::new(error.problem(&config.dir))));
                metrics::gauge!(PLUGIN_PROBLEMS).set(self.problems().len() as f64);
                return Err(error);
            }
        };
        self.0.trouble.store(None);
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

    /// Calls `changed`, which should reload, each time component files of the folder were added, replaced or removed
    /// since the first load and the folder has come to rest. The folder is made when it is missing. `changed` is not
    /// called again before its future has ended.
    ///
    /// Must be called inside a Tokio runtime.
    ///
    /// # Errors
    /// When the folder can't be made.
    pub fn watch<F, Fut>(&self, dir: &Path, changed: F) -> Result<Watcher, WatchError>
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send,
    {
        watch::watch(dir, self.0.first.clone(), changed)
    }

    /// The plugins that serve, by slot and in the order in which they are asked.
    #[must_use]
    pub fn list(&self) -> Vec<PluginInfo> {
        self.set().list()
    }

    /// What could not be loaded, with the remedy.
    #[must_use]
    pub fn problems(&self) -> Vec<PluginProblem> {
        let mut problems = self.set().problems().to_vec();
        problems.extend(self.0.trouble.load_full().map(|problem| (*problem).clone()));
        problems
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
