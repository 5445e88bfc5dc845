//! What can go wrong with a plugin: at load ([`ComponentErrors`]), in a call ([`PluginFailure`]) and for the set as a whole
//! ([`LoadError`]).

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::types::PluginProblem;
use faxgate_base::size;

/// An answer that is not the wished-for one.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError<R> {
    /// The policy says no, with a sentence for the sender.
    #[error("refused: {0}")]
    Refused(R),
    /// Every instance is busy and none came free in time. Worth trying again soon.
    #[error("all plugin instances are busy; try again in a few seconds or raise plugins.instances")]
    Busy,
    /// The plugin failed; nothing is known about the question.
    #[error(transparent)]
    Failed(#[from] PluginFailure),
}

/// One call of one plugin that went wrong. Other calls don't notice.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("plugin {plugin:?} failed ({kind}): {cause}; {}", kind.remedy())]
pub struct PluginFailure {
    /// Its name.
    pub plugin: String,
    /// The class.
    pub kind: FailureKind,
    /// What happened, without content of documents, numbers or secrets.
    pub cause: String,
}

/// Classes of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// It trapped: a panic, a division by zero, an access out of bounds.
    Trap,
    /// It used up its time on the processor.
    CpuDeadline,
    /// It used up its time altogether.
    WallDeadline,
    /// It ended because it was denied memory.
    OutOfMemory,
    /// It recursed too deeply.
    StackOverflow,
    /// It pushed more data to the gateway than a call may.
    TooMuchData,
    /// It answered something that its interface or the gateway's checks don't allow.
    BadAnswer,
    /// No plugin fills the slot.
    NoPlugin,
    /// A plugin that the configuration requires is not loaded, so that its slot must not be served.
    Missing,
    /// The gateway itself failed while serving the call.
    Host,
}

/// Why the set could not be built at all.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The engine refuses its settings.
    #[error("the WebAssembly engine can't start: {0}")]
    Engine(String),
    /// The folder can't be listed.
    #[error("the plugin folder {} can't be read: {source}; check plugins.dir and its permissions", dir.display())]
    Folder {
        /// The folder.
        dir: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The folder has gone, and with it policies that the operator believes in.
    #[error(
        "the plugin folder {} is gone; the plugins that lay there keep serving. Bring it back, or make an empty \
         folder to do without them",
        dir.display()
    )]
    Gone {
        /// The folder.
        dir: PathBuf,
    },
    /// A built-in component doesn't load: the binary is not whole.
    #[error("the built-in plugin {name:?} does not load: {unfit}")]
    Builtin {
        /// Its name.
        name: String,
        /// Why.
        unfit: ComponentErrors,
    },
}

/// Why a component can't serve: every flaw that was found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ComponentErrors(pub Vec<ComponentError>);

/// One flaw of a component, with its remedy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ComponentError {
    /// The file can't be read.
    #[error("the file can't be read: {0}; check its permissions")]
    Unreadable(String),
    /// A name that can't be a key of the configuration.
    #[error(
        "the file name {0:?} is not usable: use letters, digits, `-`, `_` and `.`, at most 64 characters"
    )]
    Name(String),
    /// Larger than a component may be.
    #[error("it has {} and the limit is {}; build it in release mode and strip it", size::human(*bytes), size::human(*cap))]
    Size {
        /// Its size in bytes.
        bytes: u64,
        /// The limit in bytes.
        cap: u64,
    },
    /// Not WebAssembly.
    #[error("it is not WebAssembly ({0}); put the output of `faxgate plugin build` here")]
    NotWasm(&'static str),
    /// A core module.
    #[error(
        "it is a core WebAssembly module, not a component; run `faxgate plugin build` on it or on its crate"
    )]
    CoreModule,
    /// Not the pinned file.
    #[error(
        "its SHA-256 is {found} but the configuration pins {pinned}; deploy the pinned file or update `sha256`"
    )]
    Pin {
        /// From the configuration.
        pinned: String,
        /// Of the file.
        found: String,
    },
    /// The compiler refuses it.
    #[error("it is not a valid component: {0}; build it again, the file may be damaged or cut")]
    Invalid(String),
    /// An import no plugin offers.
    #[error("it imports {name:?}, which plugins of this gateway don't get: {remedy}")]
    Import {
        /// Name of the import.
        name: String,
        /// What to do.
        remedy: &'static str,
    },
    /// No slot.
    #[error(
        "it exports none of converter, number-normalizer and callback-policy of faxgate:policy@1 (it exports: {0}); implement one of the worlds in wit/worlds.wit"
    )]
    NoSlot(String),
    /// More than one slot.
    #[error("it fills several slots ({0}); build one component for each")]
    SeveralSlots(String),
    /// No description.
    #[error("it does not export faxgate:policy/plugin@1; every world asks for it (describe, check-settings)")]
    NoDescription,
    /// Another major version.
    #[error(
        "it was built for {0}; this gateway serves faxgate:policy@1, build it with the interfaces in wit/"
    )]
    Version(String),
    /// An item of a known interface has another shape.
    #[error("it does not fit the interface: {0}; build it with the interfaces in wit/")]
    Shape(String),
    /// Needs more memory than it may have.
    #[error("it starts with {} of memory and may have {}; raise `memory_mb` of [plugins.{name:?}] or build it smaller", size::human(*needs), size::human(*cap))]
    Memory {
        /// Name of its section.
        name: String,
        /// What it needs at the start, in bytes.
        needs: u64,
        /// What it may have, in bytes.
        cap: u64,
    },
    /// Needs more than an instance may consist of.
    #[error("it consists of too much: {0}; build it without composition or adapters")]
    Parts(String),
    /// It fails already while being asked who it is.
    #[error("it fails at load: {0}")]
    Startup(PluginFailure),
    /// It says something about itself that can't be shown.
    #[error("its description is not usable: {0}")]
    Description(String),
    /// It doesn't like its settings.
    #[error("it refuses its settings: {0}; change [plugins.{1:?}.settings]")]
    Settings(String, String),
}

impl LoadError {
    /// The same as a problem of the set that keeps serving.
    pub(super) fn problem(&self, dir: &Path) -> PluginProblem {
        PluginProblem {
            plugin: match self {
                Self::Builtin { name, .. } => name.clone(),
                Self::Engine(_) | Self::Folder { .. } | Self::Gone { .. } => "plugin folder".to_owned(),
            },
            file: dir.display().to_string(),
            reason: self.to_string(),
            last_good_serves: true,
        }
    }
}

impl FailureKind {
    /// A word for metrics and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trap => "trap",
            Self::CpuDeadline => "cpu_deadline",
            Self::WallDeadline => "wall_deadline",
            Self::OutOfMemory => "out_of_memory",
            Self::StackOverflow => "stack_overflow",
            Self::TooMuchData => "too_much_data",
            Self::BadAnswer => "bad_answer",
            Self::NoPlugin => "no_plugin",
            Self::Missing => "missing",
            Self::Host => "host",
        }
    }

    /// What the operator can do.
    #[must_use]
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::Trap => "reproduce it with `faxgate plugin run` and report it to the plugin's author",
            Self::CpuDeadline => "raise its `cpu_ms` or make it faster",
            Self::WallDeadline => "raise its `timeout_ms`, or look for an overloaded machine",
            Self::OutOfMemory => "raise its `memory_mb` or give it smaller input",
            Self::StackOverflow => "the plugin recurses too deeply; report it to its author",
            Self::TooMuchData => "raise its `max_output_mb` or make it answer less",
            Self::BadAnswer => "the plugin breaks its contract; report it to its author",
            Self::NoPlugin => "put a component for this slot into plugins.dir",
            Self::Missing => "put its file into plugins.dir, or set `required = false` in its section",
            Self::Host => "look at the log line before this one",
        }
    }
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for ComponentErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, flaw) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("; also: ")?;
            }
            flaw.fmt(f)?;
        }
        Ok(())
    }
}

impl From<ComponentError> for ComponentErrors {
    fn from(flaw: ComponentError) -> Self {
        Self(vec![flaw])
    }
}

impl PluginFailure {
    /// A deadline that passed after this time.
    pub(super) fn late(plugin: &str, kind: FailureKind, span: Duration) -> Self {
        Self {
            plugin: plugin.to_owned(),
            kind,
            cause: format!("stopped after {} ms", span.as_millis()),
        }
    }
}
