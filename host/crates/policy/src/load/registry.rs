//! The set of plugins that serves: which files are there, in which order they are asked, and how a new set takes
//! the place of the old one.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::error::{ComponentError, ComponentErrors, FailureKind, LoadError, PluginFailure};
use crate::load::cache::Cache;
use crate::load::compile::{Prepared, prepare};
use crate::load::embedded::{self, EMBEDDED};
use crate::load::last_good::LastGood;
use crate::load::plugin::{Plugin, PluginSpec, admit, check_name, check_pin};
use crate::runtime::engine::Runtime;
use crate::runtime::limits::COMPONENT_BYTES;
use crate::types::{Grants, PluginInfo, PluginProblem, ReloadReport, Slot};
use faxgate_config::plugins::{PluginConfig, PluginsConfig};

/// Plugins in the order in which they are asked: files by name, then built-in ones.
#[derive(Default)]
pub(crate) struct Set {
    chains: [Vec<Arc<Plugin>>; Slot::ALL.len()],
    problems: Vec<PluginProblem>,
    /// Required plugins of which no version serves.
    missing: Vec<Missing>,
}

/// A required plugin of which no version serves.
struct Missing {
    plugin: String,
    /// The slot it would fill; unknown for a file that was never loaded, which may belong to any.
    slot: Option<Slot>,
}

/// Where sets are built.
pub(crate) struct Builder<'a> {
    pub(crate) runtime: &'a Arc<Runtime>,
    pub(crate) cache: Option<Arc<Cache>>,
    pub(crate) config: &'a PluginsConfig,
    pub(crate) grants: &'a Grants,
    /// The set that serves now; its plugins are kept where nothing changed.
    pub(crate) old: &'a Set,
    pub(crate) last_good: &'a LastGood,
}

/// A component that a set should have.
struct Source {
    name: String,
    /// None for a built-in one.
    file: Option<PathBuf>,
}

impl Set {
    /// The plugins of a slot.
    pub(crate) fn chain(&self, slot: Slot) -> &[Arc<Plugin>] {
        let [converters, normalizers, policies] = &self.chains;
        match slot {
            Slot::Converter => converters,
            Slot::NumberNormalizer => normalizers,
            Slot::CallbackPolicy => policies,
        }
    }

    /// The plugins of a slot, when every plugin that the configuration requires for it is among them.
    ///
    /// # Errors
    /// With the name of a required plugin of which no version serves: nothing is decided without its rule.
    pub(crate) fn serving(&self, slot: Slot) -> Result<&[Arc<Plugin>], PluginFailure> {
        let mut missing = self.missing.iter();
        match missing.find(|missing| missing.slot.is_none_or(|of| of == slot)) {
            None => Ok(self.chain(slot)),
            Some(missing) => Err(PluginFailure {
                plugin: missing.plugin.clone(),
                kind: FailureKind::Missing,
                cause: format!("it is required, and the slot {slot} is not served without it"),
            }),
        }
    }

    /// Whether the slot is served, and by built-in policies only.
    pub(crate) fn is_builtin_only(&self, slot: Slot) -> bool {
        self.serving(slot)
            .is_ok_and(|chain| !chain.is_empty() && chain.iter().all(|plugin| plugin.builtin))
    }

    /// What could not be loaded.
    pub(crate) fn problems(&self) -> &[PluginProblem] {
        &self.problems
    }

    /// What the operator sees.
    pub(crate) fn list(&self) -> Vec<PluginInfo> {
        let numbered = self.chains.iter().flat_map(|chain| (1..).zip(chain));
        numbered.map(|(order, plugin)| plugin.info(order)).collect()
    }

    fn push(&mut self, plugin: Arc<Plugin>) {
        let [converters, normalizers, policies] = &mut self.chains;
        match plugin.callee.prepared.slot {
            Slot::Converter => converters.push(plugin),
            Slot::NumberNormalizer => normalizers.push(plugin),
            Slot::CallbackPolicy => policies.push(plugin),
        }
    }

    /// Puts the plugins into the order in which they are asked: those named in `order`, then files by name, then
    /// built-in ones.
    fn sort(&mut self, order: &[String]) {
        for chain in &mut self.chains {
            chain.sort_by_cached_key(|plugin| {
                let place = order.iter().position(|name| name == plugin.name());
                (
                    place.unwrap_or(usize::MAX),
                    plugin.builtin,
                    plugin.name().to_owned(),
                )
            });
        }
    }

    /// Whether the operator's folder added something.
    fn has_files(&self) -> bool {
        self.chains.iter().flatten().any(|plugin| !plugin.builtin)
    }

    fn find(&self, name: &str, builtin: bool) -> Option<&Arc<Plugin>> {
        self.chains
            .iter()
            .flatten()
            .find(|p| p.name() == name && p.builtin == builtin)
    }

    /// What is different in `new`.
    pub(crate) fn changes(&self, new: &Self) -> ReloadReport {
        let keyed = |set: &Self| -> BTreeMap<(String, bool), Arc<Plugin>> {
            let all = set.chains.iter().flatten();
            all.map(|p| ((p.name().to_owned(), p.builtin), Arc::clone(p)))
                .collect()
        };
        let (before, after) = (keyed(self), keyed(new));
        let mut report = ReloadReport {
            problems: new.problems.clone(),
            ..ReloadReport::default()
        };
        for (key, plugin) in &after {
            let list = match before.get(key) {
                None => &mut report.added,
                Some(old) if Arc::ptr_eq(old, plugin) => &mut report.unchanged,
                Some(_) => &mut report.changed,
            };
            list.push(key.0.clone());
        }
        report.removed = before
            .into_keys()
            .filter(|key| !after.contains_key(key))
            .map(|key| key.0)
            .collect();
        report
    }
}

impl Builder<'_> {
    /// Builds a set of the built-in components and the folder. A file that doesn't load becomes a problem, and its
    /// last good version keeps serving.
    ///
    /// # Errors
    /// When the folder can't be listed or has gone, or a built-in component doesn't load.
    pub(crate) async fn build(&self) -> Result<Set, LoadError> {
        let dir = self.config.dir.clone();
        let files = tokio::task::spawn_blocking(move || scan(&dir).map_err(|source| (dir, source)));
        let files = match files.await {
            Ok(files) => files.map_err(|(dir, source)| LoadError::Folder { dir, source })?,
            Err(error) => return Err(LoadError::Engine(error.to_string())),
        };
        let files = match files {
            Some(files) => files,
            // A mount that went away must not take a rule with it.
            None if self.old.has_files() => {
                let dir = self.config.dir.clone();
                return Err(LoadError::Gone { dir });
            }
            None => Vec::new(),
        };
        let mut set = Set::default();
        for file in &files {
            let name = file
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let source = Source {
                name,
                file: Some(file.clone()),
            };
            match self.load_file(file, &source.name).await {
                Ok(plugin) => set.push(plugin),
                Err(unfit) => self.fall_back(&mut set, &source, &unfit),
            }
        }
        for (embedded, sha256) in embedded::all() {
            let bytes = Bytes::from_static(embedded.wasm);
            match self.load(embedded.name, true, bytes, sha256).await {
                Ok(plugin) => set.push(plugin),
                // New settings may be wrong; a component that never loaded means a broken binary.
                Err(unfit) if self.old.find(embedded.name, true).is_some() => {
                    let source = Source {
                        name: embedded.name.to_owned(),
                        file: None,
                    };
                    self.fall_back(&mut set, &source, &unfit);
                }
                Err(unfit) => {
                    return Err(LoadError::Builtin {
                        name: embedded.name.to_owned(),
                        unfit,
                    });
                }
            }
        }
        self.require_configured(&files, &mut set).await;
        set.sort(&self.config.order);
        Ok(set)
    }

    async fn load_file(&self, file: &Path, name: &str) -> Result<Arc<Plugin>, ComponentErrors> {
        check_name(name)?;
        let path = file.to_owned();
        let bytes = tokio::task::spawn_blocking(move || read_capped(&path))
            .await
            .map_err(|error| ComponentError::Unreadable(error.to_string()))??;
        let sha256 = Sha256::digest(&bytes).into();
        let bytes = Bytes::from(bytes);
        let plugin = self.load(name, false, bytes.clone(), sha256).await?;
        self.keep_last_good(name, &bytes);
        Ok(plugin)
    }

    /// Loads a component, or takes what the old set has of it.
    async fn load(
        &self,
        name: &str,
        builtin: bool,
        bytes: Bytes,
        sha256: [u8; 32],
    ) -> Result<Arc<Plugin>, ComponentErrors> {
        let default = PluginConfig::default();
        let config = self.config.named.get(name).unwrap_or(&default);
        let terms = PluginSpec {
            name,
            builtin,
            config,
            grants: self.grants,
        };
        // Before anything is done with the bytes.
        check_pin(config, &sha256)?;
        let old = self
            .old
            .find(name, builtin)
            .filter(|old| old.callee.prepared.sha256 == sha256);
        let prepared = match old {
            Some(old) if old.same_spec(&terms) => return Ok(Arc::clone(old)),
            Some(old) => Arc::clone(&old.callee.prepared),
            None => Arc::new(self.compile(bytes, sha256).await?),
        };
        admit(self.runtime, prepared, terms).await.map(Arc::new)
    }

    async fn compile(&self, bytes: Bytes, sha256: [u8; 32]) -> Result<Prepared, ComponentErrors> {
        let runtime = Arc::clone(self.runtime);
        let cache = self.cache.clone();
        tokio::task::spawn_blocking(move || prepare(&runtime, cache.as_deref(), &bytes, sha256))
            .await
            // The compiler is not meant to panic, whatever the file; if it does, only the file suffers.
            .unwrap_or_else(|_| Err(ComponentError::Invalid("the compiler gave up on it".to_owned()).into()))
    }

    fn fall_back(&self, set: &mut Set, source: &Source, unfit: &ComponentErrors) {
        let old = self.old.find(&source.name, source.file.is_none());
        // A file may have any name; a line of the log is one line.
        let flat = |text: &str| text.replace(char::is_control, " ");
        let plugin = flat(&source.name);
        let file = match &source.file {
            Some(file) => flat(&file.display().to_string()),
            None => "built in".to_owned(),
        };
        tracing::error!(
            %plugin, %file, reason = %unfit, last_good_serves = old.is_some(),
            "a plugin does not load"
        );
        set.problems.push(PluginProblem {
            plugin,
            file,
            reason: unfit.to_string(),
            last_good_serves: old.is_some(),
        });
        if let Some(old) = old {
            set.push(Arc::clone(old));
        }
    }

    /// Sees to it that every configured plugin of the folder serves in its last good version, or that its slot is not
    /// served. A section whose plugin isn't there is most likely misspelled: a policy that the operator relies on.
    async fn require_configured(&self, files: &[PathBuf], set: &mut Set) {
        for (name, config) in &self.config.named {
            if EMBEDDED.iter().any(|embedded| embedded.name == name) || set.find(name, false).is_some() {
                continue;
            }
            let file = files
                .iter()
                .find(|file| file.file_stem().is_some_and(|stem| *stem == **name));
            if file.is_none() {
                set.problems.push(self.absent(name, config.required));
            }
            if !config.required {
                continue;
            }
            let old = self.old.find(name, false).cloned();
            let serves = match old {
                Some(old) => Some(old),
                None => self.load_last_good(name).await,
            };
            let last_good_serves = serves.is_some();
            match serves {
                Some(plugin) => set.push(plugin),
                None => {
                    let slot = self.slot_of(name, file).await;
                    set.missing.push(Missing {
                        plugin: name.clone(),
                        slot,
                    });
                }
            }
            tracing::error!(
                plugin = %name, last_good_serves,
                "a required plugin does not load from its file; where no earlier version serves, its slot answers 503"
            );
            for problem in set.problems.iter_mut().filter(|problem| problem.plugin == *name) {
                problem.last_good_serves = last_good_serves;
            }
        }
    }

    fn absent(&self, name: &str, required: bool) -> PluginProblem {
        let effect = if required {
            "; its last good version serves, or where there is none its slot answers 503"
        } else {
            ""
        };
        PluginProblem {
            plugin: name.to_owned(),
            file: self.config.dir.join(format!("{name}.wasm")).display().to_string(),
            reason: format!(
                "[plugins.{name:?}] is configured but there is no such file and no such built-in plugin; \
                 put the component there or remove the section{effect}"
            ),
            last_good_serves: false,
        }
    }

    /// The version of a required plugin that an earlier run kept, if it loads with the settings of now.
    async fn load_last_good(&self, name: &str) -> Option<Arc<Plugin>> {
        let bytes = self
            .last_good
            .read(name)
            .inspect_err(
                |error| tracing::error!(plugin = %name, %error, "the last good version can't be read"),
            )
            .ok()??;
        let sha256 = Sha256::digest(&bytes).into();
        self.load(name, false, bytes.into(), sha256)
            .await
            .inspect_err(|error| tracing::error!(plugin = %name, reason = %error, "the last good version does not load"))
            .ok()
    }

    /// The slot that a component fills which does not serve, from its file or from its last good version.
    async fn slot_of(&self, name: &str, file: Option<&PathBuf>) -> Option<Slot> {
        let of_file = file.and_then(|file| read_capped(file).ok());
        for bytes in [of_file, self.last_good.read(name).ok().flatten()]
            .into_iter()
            .flatten()
        {
            let sha256 = Sha256::digest(&bytes).into();
            if let Ok(prepared) = self.compile(bytes.into(), sha256).await {
                return Some(prepared.slot);
            }
        }
        None
    }

    /// Keeps what loaded, for the time when its file is missing or broken.
    fn keep_last_good(&self, name: &str, bytes: &[u8]) {
        let required = self.config.named.get(name).is_some_and(|config| config.required);
        if let Some(Err(error)) = required.then(|| self.last_good.keep(name, bytes)) {
            tracing::error!(
                plugin = %name, %error,
                "a required plugin could not be copied to the data folder: after a restart its rule depends on its file"
            );
        }
    }
}

/// The `.wasm` files of the folder by name; none when there is no folder. Hidden files are left alone: tools that
/// replace files write there first.
fn scan(dir: &Path) -> io::Result<Option<Vec<PathBuf>>> {
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let hidden = path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if !hidden && path.extension().is_some_and(|extension| extension == "wasm") {
            files.push(path);
        }
    }
    files.sort();
    Ok(Some(files))
}

/// Reads a component file without trusting its size.
fn read_capped(path: &Path) -> Result<Vec<u8>, ComponentError> {
    use std::io::Read as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let unreadable = |error: io::Error| ComponentError::Unreadable(error.to_string());
    // Opening a pipe would wait for somebody to write into it.
    let flags = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or(0);
    let mut open = std::fs::OpenOptions::new();
    let file = open
        .read(true)
        .custom_flags(flags)
        .open(path)
        .map_err(unreadable)?;
    let meta = file.metadata().map_err(unreadable)?;
    if !meta.is_file() {
        return Err(ComponentError::Unreadable("it is not a regular file".to_owned()));
    }
    let mut bytes = Vec::new();
    file.take(COMPONENT_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() as u64 > COMPONENT_BYTES {
        return Err(ComponentError::Size {
            bytes: meta.len().max(bytes.len() as u64),
            cap: COMPONENT_BYTES,
        });
    }
    Ok(bytes)
}
