//! From a prepared component to a plugin that serves: settings, limits, secrets, and the first calls, in which it
//! says who it is and what it thinks of its settings.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;

use crate::error::{ComponentError, ComponentErrors};
use crate::host::host_api::{Identity, printable};
use crate::load::compile::{Entry, Prepared};
use crate::runtime::call::{Budget, CallTarget, Ended, run};
use crate::runtime::engine::{Runtime, SlowCallCounter};
use crate::runtime::latency::CallStatistics;
use crate::types::{Grants, LimitsInfo, PluginInfo, Slot};
use faxgate_config::plugins::{OnError, PluginConfig};
use faxgate_telemetry::metrics::{PLUGIN_CALL_SECONDS, PLUGIN_CALLS, PLUGIN_DENIED_GROWTH};

/// Time a plugin has to say who it is; unoptimised builds of the gateway are given more.
const STARTUP_CPU: Duration = Duration::from_millis(if cfg!(debug_assertions) { 2000 } else { 50 });
/// The same on the wall, where a busy machine counts too.
const STARTUP_WALL: Duration = Duration::from_secs(10);

/// A plugin that serves.
pub(crate) struct Plugin {
    pub(crate) callee: Arc<CallTarget>,
    pub(crate) budget: Budget,
    pub(crate) config: PluginConfig,
    pub(crate) grants: Grants,
    pub(crate) builtin: bool,
    about: SelfDescription,
    stats: CallStatistics,
}

/// Who a plugin says it is.
struct SelfDescription {
    title: String,
    version: String,
    description: String,
}

/// What a plugin is given: its place in the configuration.
#[derive(Clone, Copy)]
pub(crate) struct PluginSpec<'a> {
    pub(crate) name: &'a str,
    pub(crate) builtin: bool,
    pub(crate) config: &'a PluginConfig,
    pub(crate) grants: &'a Grants,
}

/// Checks a name: it becomes a key of the configuration, a label of metrics and part of log lines.
///
/// # Errors
/// When it holds other characters than letters, digits, `-`, `_` and `.`, or is longer than 64.
pub(crate) fn check_name(name: &str) -> Result<(), ComponentError> {
    let fits = (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        && !name.starts_with('.');
    if fits {
        Ok(())
    } else {
        Err(ComponentError::Name(printable(name)))
    }
}

/// Checks the pin of a file.
///
/// # Errors
/// When the configuration pins another digest.
pub(crate) fn check_pin(config: &PluginConfig, found: &[u8; 32]) -> Result<(), ComponentError> {
    match config.sha256 {
        Some(pinned) if pinned != *found => Err(ComponentError::Pin {
            pinned: hex::encode(pinned),
            found: hex::encode(found),
        }),
        Some(_) | None => Ok(()),
    }
}

/// Makes a plugin of a component: instantiates it under its limits and asks it who it is.
///
/// # Errors
/// With the flaw that keeps it from serving.
pub(crate) async fn admit(
    runtime: &Arc<Runtime>,
    prepared: Arc<Prepared>,
    terms: PluginSpec<'_>,
) -> Result<Plugin, ComponentErrors> {
    let PluginSpec {
        name,
        builtin,
        config,
        grants,
    } = terms;
    check_pin(config, &prepared.sha256)?;
    if prepared.memory > config.memory {
        return Err(ComponentErrors::from(ComponentError::Memory {
            name: name.to_owned(),
            needs: prepared.memory,
            cap: config.memory,
        }));
    }
    let budget = Budget::of(config, prepared.slot);
    let callee = Arc::new(CallTarget {
        identity: Arc::new(identity(&terms, prepared.slot)),
        prepared,
        pace: SlowCallCounter::default(),
    });
    let startup = Budget {
        cpu: STARTUP_CPU,
        wall: STARTUP_WALL,
        ..budget
    };
    let (about, settings) = ask(runtime, &callee, startup)
        .await
        .outcome
        .map_err(ComponentError::Startup)?;
    settings.map_err(|reason| ComponentError::Settings(sentence(&reason), name.to_owned()))?;
    let Some(version) = short(&about.version) else {
        return Err(ComponentError::Description(
            "the version must have 1 to 64 printable characters".to_owned(),
        )
        .into());
    };
    let Some(title) = short(&about.title) else {
        return Err(ComponentError::Description(
            "the name must have 1 to 64 printable characters".to_owned(),
        )
        .into());
    };
    Ok(Plugin {
        callee,
        budget,
        config: config.clone(),
        grants: grants.clone(),
        builtin,
        about: SelfDescription {
            title,
            version,
            description: sentence(&about.description),
        },
        stats: CallStatistics::new(),
    })
}

/// Who a plugin is. Only callback policies can have a MAC checked, so that nothing else is granted a secret; the
/// provider's own are for the built-in policy alone.
fn identity(terms: &PluginSpec<'_>, slot: Slot) -> Identity {
    let mut secrets = BTreeMap::new();
    if slot == Slot::CallbackPolicy {
        if terms.builtin {
            secrets.insert("callback-token".to_owned(), terms.grants.callback_token.clone());
            secrets.insert("api-secret".to_owned(), terms.grants.api_secret.clone());
        }
        let own = terms.config.secrets.iter();
        secrets.extend(own.map(|(name, secret)| (name.clone(), Some(secret.clone()))));
    } else if !terms.config.secrets.is_empty() {
        tracing::warn!(
            plugin = terms.name,
            slot = slot.as_str(),
            "secrets are of no use to a plugin of this slot and were not granted; remove them from its section"
        );
    }
    Identity {
        name: terms.name.to_owned(),
        settings: terms.config.settings.clone(),
        secrets,
    }
}

/// `describe` and `check-settings` in one instance.
async fn ask(
    runtime: &Arc<Runtime>,
    callee: &Arc<CallTarget>,
    budget: Budget,
) -> Ended<(SelfDescription, Result<(), String>)> {
    // The three worlds export the same interface, but as three types.
    macro_rules! ask {
        ($pre:expr, $session:expr) => {{
            let instance = $pre.instantiate_async(&mut $session.store).await?;
            let guest = instance.faxgate_policy_plugin();
            let about = guest.call_describe(&mut $session.store).await?;
            $session.next_step();
            let settings = guest.call_check_settings(&mut $session.store).await?;
            let about = SelfDescription {
                title: about.name,
                version: about.version,
                description: about.description,
            };
            Ok((about, settings))
        }};
    }
    run(runtime, callee, budget, None, |session, callee| {
        async move {
            match &callee.prepared.entry {
                Entry::Converter(pre) => ask!(pre, session),
                Entry::Number(pre) => ask!(pre, session),
                Entry::Callback(pre) => ask!(pre, session),
            }
        }
        .boxed()
    })
    .await
}

/// A word for a table: 1 to 64 printable characters.
fn short(text: &str) -> Option<String> {
    let text = text.trim();
    let fits = (1..=64).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    fits.then(|| text.to_owned())
}

/// A sentence by a plugin: one line of at most 300 characters.
pub(crate) fn sentence(text: &str) -> String {
    let flat: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(300)
        .collect();
    flat.trim().to_owned()
}

impl Plugin {
    /// Its name: the file name without `.wasm`.
    pub(crate) fn name(&self) -> &str {
        &self.callee.identity.name
    }

    /// Whether a failure lets the next plugin of the slot be asked.
    pub(crate) fn next_on_error(&self) -> bool {
        self.config.on_error == OnError::Next
    }

    /// Whether it is what these terms would make of the same component.
    pub(crate) fn same_spec(&self, terms: &PluginSpec<'_>) -> bool {
        let granted = self.builtin && self.callee.prepared.slot == Slot::CallbackPolicy;
        self.config == *terms.config && (!granted || self.grants == *terms.grants)
    }

    /// Counts a call that ended, and logs it when it failed.
    pub(crate) fn record<T>(&self, ended: &Ended<T>) {
        let slot = self.callee.prepared.slot.as_str();
        let time = ended.meter.elapsed();
        let labels = [("plugin", self.name().to_owned()), ("slot", slot.to_owned())];
        metrics::histogram!(PLUGIN_CALL_SECONDS, &labels).record(time.as_secs_f64());
        let denied = ended.meter.denied();
        if denied > 0 {
            metrics::counter!(PLUGIN_DENIED_GROWTH, &labels).increment(denied);
        }
        let failure = ended.outcome.as_ref().err();
        if let Some(failure) = failure {
            tracing::warn!(
                plugin = self.name(),
                slot,
                kind = failure.kind.as_str(),
                cause = %failure.cause,
                remedy = failure.kind.remedy(),
                "a plugin failed"
            );
        }
        self.count(failure.map_or("ok", |failure| failure.kind.as_str()));
        let error = failure.map(|failure| format!("{}: {}", failure.kind, failure.cause));
        self.stats.ended(time, ended.meter.memory_peak(), error);
    }

    /// Counts one call by its outcome.
    pub(crate) fn count(&self, outcome: &'static str) {
        let slot = self.callee.prepared.slot.as_str();
        let plugin = self.name().to_owned();
        metrics::counter!(PLUGIN_CALLS, "plugin" => plugin, "slot" => slot, "outcome" => outcome)
            .increment(1);
    }

    /// What the operator sees of it.
    pub(crate) fn info(&self, order: usize) -> PluginInfo {
        let prepared = &self.callee.prepared;
        PluginInfo {
            name: self.name().to_owned(),
            title: self.about.title.clone(),
            version: self.about.version.clone(),
            description: self.about.description.clone(),
            slot: prepared.slot,
            order,
            builtin: self.builtin,
            sha256: hex::encode(prepared.sha256),
            imports: prepared.imports.clone(),
            limits: LimitsInfo::of(&self.config),
            on_error: match self.config.on_error {
                OnError::Deny => "deny",
                OnError::Next => "next",
            },
            secrets: self.callee.identity.secrets.keys().cloned().collect(),
            calls: self.stats.calls(),
            errors: self.stats.errors(),
            p50_us: self.stats.quantile_us(500),
            p99_us: self.stats.quantile_us(990),
            memory_peak_bytes: self.stats.memory_peak(),
            last_error: self.stats.last_error(),
        }
    }
}
