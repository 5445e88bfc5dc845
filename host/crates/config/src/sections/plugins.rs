//! `[plugins]` and `[numbers]`: plugins and how dialled numbers are read.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use faxgate_base::secret::Secret;
use faxgate_base::size::MIB;

use crate::keys::{DefaultValue, PLUGIN_KEYS};
use crate::read::raw::{Given, RawPlugin};
use crate::read::reader::{Reader, defaults};

/// `[plugins]`
#[derive(Debug, Clone)]
pub struct PluginsConfig {
    /// `dir`: the drop-in folder
    pub dir: PathBuf,
    /// `cache_dir`: compiled components
    pub cache_dir: PathBuf,
    /// `font_dir`: fonts by script, before those of the binary
    pub font_dir: PathBuf,
    /// `[plugins."NAME"]` by file name without `.wasm`
    pub named: BTreeMap<String, PluginConfig>,
    /// `order`: plugins that are asked first, in this order
    pub order: Vec<String>,
    /// `{data_dir}/plugins-last-good`: the last good version of each required plugin
    pub last_good_dir: PathBuf,
    /// `instances`: calls at the same time
    pub instances: u32,
}

/// `[plugins."NAME"]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginConfig {
    /// `settings`: handed to the plugin
    pub settings: BTreeMap<String, String>,
    /// `secrets`: usable by name in MAC checks, never readable
    pub secrets: BTreeMap<String, Secret>,
    /// `sha256`: refuse any other file
    pub sha256: Option<[u8; 32]>,
    /// `memory_mb`, here in bytes
    pub memory: u64,
    /// `cpu_ms`: time on the processor of one call
    pub cpu: Duration,
    /// `timeout_ms`: time of one call
    pub wall: Duration,
    /// `max_output_mb`, here in bytes
    pub max_output: u64,
    /// `on_error`
    pub on_error: OnError,
    /// `required`, default true: whether the slot may only be served with this plugin
    pub required: bool,
}

/// What follows when a plugin fails.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnError {
    /// The call fails.
    #[default]
    Deny,
    /// The next plugin of the slot is asked.
    Next,
}

/// `[numbers]`
#[derive(Debug, Clone)]
pub struct NumbersConfig {
    /// `default_region`
    pub default_region: String,
    /// `strict`: refuse numbers that are possible but not assigned
    pub strict: bool,
}

impl Default for PluginConfig {
    fn default() -> Self {
        defaults(|from| Self::read(from, "", &RawPlugin::default()))
    }
}

impl PluginsConfig {
    pub(crate) fn read(from: &mut Reader<'_>, data_dir: &Path) -> Self {
        let below = |given: Option<PathBuf>, name: &str| given.unwrap_or_else(|| data_dir.join(name));
        let raw = from.raw();
        Self {
            dir: below(from.path("plugins.dir"), "plugins"),
            cache_dir: below(from.path("plugins.cache_dir"), "cache"),
            font_dir: below(from.path("plugins.font_dir"), "fonts"),
            named: raw
                .plugins
                .iter()
                .map(|(name, raw)| (name.clone(), PluginConfig::read(from, name, raw)))
                .collect(),
            order: from.list("plugins.order"),
            last_good_dir: data_dir.join("plugins-last-good"),
            instances: from.whole("plugins.instances", 1..=1000),
        }
    }
}

impl PluginConfig {
    fn read(from: &mut Reader<'_>, name: &str, raw: &RawPlugin) -> Self {
        let key = |name_of_key: &str| format!("plugins.{name:?}.{name_of_key}");
        let mut number = |name: &str, most: u64| {
            from.whole_of(&key(name), raw.values.get(name), 1..=most, plugin_default(name))
        };
        let mebibytes = |number: u64| number.saturating_mul(MIB);
        Self {
            memory: mebibytes(number("memory_mb", 4096)),
            cpu: Duration::from_millis(number("cpu_ms", 600_000)),
            wall: Duration::from_millis(number("timeout_ms", 600_000)),
            max_output: mebibytes(number("max_output_mb", 1024)),
            settings: from.texts(&key("settings"), &raw.settings),
            secrets: secrets(from, &key("secrets"), &raw.secrets),
            sha256: raw
                .values
                .get("sha256")
                .and_then(|given| digest(from, &key("sha256"), given)),
            on_error: raw
                .values
                .get("on_error")
                .map_or_else(OnError::default, |given| on_error(from, &key("on_error"), given)),
            required: from.flag_of(
                &key("required"),
                raw.values.get("required"),
                plugin_default("required"),
            ),
        }
    }
}

impl NumbersConfig {
    pub(crate) fn read(from: &mut Reader<'_>) -> Self {
        const KEY: &str = "numbers.default_region";
        let region = from.text(KEY).unwrap_or_default().to_ascii_uppercase();
        if region.len() != 2 || !region.bytes().all(|b| b.is_ascii_uppercase()) {
            from.problem(
                KEY,
                format!("is {region:?}; give two letters of ISO 3166 such as US or DE"),
            );
        }
        Self {
            default_region: region,
            strict: from.flag("numbers.strict"),
        }
    }
}

/// Default of a key of `[plugins."NAME"]`.
fn plugin_default(name: &str) -> DefaultValue {
    let key = PLUGIN_KEYS.iter().find(|key| key.name == name);
    key.map_or(DefaultValue::Unset, |key| key.default)
}

/// `NAME = "text"` or `NAME_file = "path"`.
fn secrets(from: &mut Reader<'_>, table: &str, given: &BTreeMap<String, Given>) -> BTreeMap<String, Secret> {
    let names: BTreeSet<&str> = given
        .keys()
        .map(|name| name.strip_suffix("_file").unwrap_or(name))
        .collect();
    let mut secrets = BTreeMap::new();
    for name in names {
        let key = format!("{table}.{name}");
        let (outright, by_path) = (given.get(name), given.get(&format!("{name}_file")));
        if let Some(secret) = from.secret_of(&key, outright, by_path) {
            secrets.insert(name.to_owned(), secret);
        }
    }
    secrets
}

fn digest(from: &mut Reader<'_>, key: &str, given: &Given) -> Option<[u8; 32]> {
    let text = from.text_of(key, given).filter(|text| !text.is_empty())?;
    let mut digest = [0; 32];
    if hex::decode_to_slice(&text, &mut digest).is_err() {
        from.problem_at(
            key,
            given,
            "is not a SHA-256; give the 64 hexadecimal digits of the file",
        );
        return None;
    }
    Some(digest)
}

fn on_error(from: &mut Reader<'_>, key: &str, given: &Given) -> OnError {
    match from.text_of(key, given).as_deref() {
        Some("deny" | "") | None => OnError::Deny,
        Some("next") => OnError::Next,
        Some(other) => {
            from.problem_at(key, given, format!("is {other:?}; give one of deny, next"));
            OnError::Deny
        }
    }
}
