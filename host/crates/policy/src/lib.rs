//! Policies in WebAssembly: the runtime and the slots that plugins fill.
//!
//! How a document becomes a fax page, what a dialled string means and which callback to believe is decided by
//! components: built-in ones and those that an operator drops into a folder. [`Plugins`] is the only way to them.
//! Every call gets a fresh instance with bounded memory and time; a failing component is an error of that call only.
//!
//! | folder | content |
//! |---|---|
//! | `runtime` | the engine, one call, its limits and measurements |
//! | `host` | what a component may call; types generated from `wit/` |
//! | `load` | from a file to a plugin that serves; the set of plugins |
//! | `slots` | the chains of the slots and the translation of answers |
//! | `tools` | for plugin authors and the build |
//! | `image` | fax pages as TIFF and PNG |

mod error;
mod host;
pub mod image;
mod load;
mod runtime;
mod slots;
#[cfg(test)]
mod tests;
pub mod tools;
mod types;

use std::path::Path;
use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapOption};

pub use error::{ComponentError, ComponentErrors, FailureKind, LoadError, PluginFailure, PolicyError};
pub use tools::inspect::{InspectError, Inspection, Inspector, Run};
pub use types::{
    ConvertLimits, ConvertOptions, Converted, Delivery, DeliveryKind, FilePart, Grants, LimitsInfo,
    NormalizedNumber, Part, PluginInfo, PluginProblem, PolicyDecision, RawBody, ReloadReport, Slot,
};

pub use load::folder_watch::{WatchError, Watcher};

use faxgate_config::plugins::PluginsConfig;
use faxgate_telemetry::metrics::{PLUGIN_PROBLEMS, PLUGINS};
use host::fonts::Fonts;
use load::cache::Cache;
use load::folder_watch::FolderSnapshot;
use load::last_good::LastGood;
use load::registry::{Builder, Set};
use runtime::engine::Runtime;

/// The policies. Clones share them.
#[derive(Clone)]
pub struct Plugins(Arc<Inner>);

struct Inner {
    runtime: Arc<Runtime>,
    cache: Option<Arc<Cache>>,
    set: ArcSwap<Set>,
    /// The folder as it was before the first load.
    first: FolderSnapshot,
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
        let both = tokio::task::spawn_blocking(move || (Cache::open(&dir), FolderSnapshot::of(&folder)));
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
        let last_good = LastGood::new(config.last_good_dir.clone());
        let builder = Builder {
            runtime: &self.0.runtime,
            cache: self.0.cache.clone(),
            config,
            grants: &grants,
            old: &old,
            last_good: &last_good,
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
        last_good.retain(|name| config.named.get(name).is_some_and(|plugin| plugin.required));
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
        load::folder_watch::watch(dir, self.0.first.clone(), changed)
    }

    /// The plugins that serve, by slot and in the order in which they are asked.
    #[must_use]
    pub fn list(&self) -> Vec<PluginInfo> {
        self.set().list()
    }

    /// Whether callbacks are judged by built-in policies only, whose rules are known.
    #[must_use]
    pub fn callbacks_are_builtin(&self) -> bool {
        self.set().is_builtin_only(Slot::CallbackPolicy)
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
