//! `[plugins]` and `[numbers]`: policies.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::base::secret::Secret;
use crate::base::size::MIB;

/// `[plugins]`
#[derive(Debug, Clone)]
pub struct PluginsConfig {
    /// `dir`, default `{data_dir}/plugins`: the drop-in folder
    pub dir: PathBuf,
    /// `cache_dir`, default `{data_dir}/cache`: compiled components
    pub cache_dir: PathBuf,
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
