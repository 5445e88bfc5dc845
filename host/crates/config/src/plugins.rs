//! `[plugins]` and `[numbers]`: policies.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use faxgate_base::secret::Secret;
use faxgate_base::size::MIB;

use super::check::Reader;
use super::raw::{Given, RawPlugin};

/// `[plugins]`
#[derive(Debug, Clone)]
pub struct PluginsConfig {
    /// `dir`, default `{data_dir}/plugins`: the drop-in folder
    pub dir: PathBuf,
    /// `cache_dir`, default `{data_dir}/cache`: compiled components
    pub cache_dir: PathBuf,
    /// `font_dir`, default `{data_dir}/fonts`: fonts by script, before those of the binary
    pub font_dir: PathBuf,
    /// `[plugins."NAME"]` by file name without `.wasm`
    pub named: BTreeMap<String, PluginConfig>,
    /// `instances`, default 32: calls under way at once
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
    /// `on_error`, default `deny`
    pub on_error: OnError,
}

/// What a failing plugin means.
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
    /// `default_region`, default `US`
    pub default_region: String,
    /// `strict`, default false: refuse numbers that are possible but not assigned
    pub strict: bool,
}

impl Default for PluginConfig {
    fn default() -> Self {
        Self {
            settings: BTreeMap::new(),
            secrets: BTreeMap::new(),
            sha256: None,
            memory: 256 * MIB,
            cpu: Duration::from_secs(10),
            wall: Duration::from_secs(30),
            max_output: 64 * MIB,
            on_error: OnError::Deny,
        }
    }
}

impl Default for NumbersConfig {
    fn default() -> Self {
        Self {
            default_region: "US".to_owned(),
            strict: false,
        }
    }
}

/// Default of `instances`.
const INSTANCES: u32 = 32;

impl PluginsConfig {
    pub(super) fn read(from: &mut Reader<'_>, data_dir: &Path) -> Self {
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
            instances: from.whole("plugins.instances", 1..=1000, INSTANCES),
        }
    }
}

impl PluginConfig {
    fn read(from: &mut Reader<'_>, name: &str, raw: &RawPlugin) -> Self {
        let default = Self::default();
        let key = |name_of_key: &str| format!("plugins.{name:?}.{name_of_key}");
        let mut number = |name: &str, most: u64, default: u64| match raw.values.get(name) {
            Some(given) => from.whole_of(&key(name), given, 1..=most, default),
            None => default,
        };
        let mebibytes = |number: u64| number.saturating_mul(MIB);
        Self {
            memory: mebibytes(number("memory_mb", 4096, default.memory / MIB)),
            cpu: Duration::from_millis(number("cpu_ms", 600_000, millis(default.cpu))),
            wall: Duration::from_millis(number("timeout_ms", 600_000, millis(default.wall))),
            max_output: mebibytes(number("max_output_mb", 1024, default.max_output / MIB)),
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
        }
    }
}

impl NumbersConfig {
    pub(super) fn read(from: &mut Reader<'_>) -> Self {
        const KEY: &str = "numbers.default_region";
        let default = Self::default();
        let region = from
            .text(KEY)
            .unwrap_or(default.default_region)
            .to_ascii_uppercase();
        if region.len() != 2 || !region.bytes().all(|b| b.is_ascii_uppercase()) {
            from.problem(
                KEY,
                format!("is {region:?}; give two letters of ISO 3166 such as US or DE"),
            );
        }
        Self {
            default_region: region,
            strict: from.flag("numbers.strict", default.strict),
        }
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
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
