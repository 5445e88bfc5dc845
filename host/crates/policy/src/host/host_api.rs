//! What the gateway offers to every plugin: a log and its settings. And the state behind one call.

use std::collections::BTreeMap;
use std::sync::Arc;

use wasmtime::component::ResourceTable;

use crate::host::bindings::callback::faxgate::policy::host::{self, Level};
use crate::host::bindings::callback::faxgate::policy::types;
use crate::host::fonts::Fonts;
use crate::runtime::limits::{CpuBudget, HANDLES, Limiter};
use faxgate_base::redact;
use faxgate_base::secret::Secret;

/// Bytes of one log line.
const LINE_BYTES: usize = 1024;
/// Log lines of one call.
const LINES: u32 = 16;

/// Who a plugin is and what the operator gave it; never changes while it is loaded.
#[derive(Debug)]
pub(crate) struct Identity {
    /// Name: the file name without `.wasm`.
    pub(crate) name: String,
    /// `[plugins."NAME".settings]`
    pub(crate) settings: BTreeMap<String, String>,
    /// Granted secrets; `None` is granted but not configured.
    pub(crate) secrets: BTreeMap<String, Option<Secret>>,
}

/// The state of one call.
pub(crate) struct CallState {
    pub(crate) identity: Arc<Identity>,
    pub(crate) table: ResourceTable,
    pub(crate) limiter: Limiter,
    pub(crate) cpu: CpuBudget,
    pub(crate) macs: crate::host::webhook::MacBudget,
    pub(crate) fonts: Arc<Fonts>,
    pub(crate) fonts_asked: u32,
    lines: u32,
}

impl CallState {
    /// A fresh state.
    pub(crate) fn new(identity: Arc<Identity>, limiter: Limiter, cpu: CpuBudget) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(HANDLES);
        Self {
            identity,
            table,
            limiter,
            cpu,
            macs: crate::host::webhook::MacBudget::default(),
            fonts: Arc::default(),
            fonts_asked: 0,
            lines: 0,
        }
    }
}

impl host::Host for CallState {
    fn log(&mut self, level: Level, message: String) -> wasmtime::Result<()> {
        self.lines = self.lines.saturating_add(1);
        let plugin = self.identity.name.as_str();
        if self.lines > LINES {
            if self.lines == LINES + 1 {
                tracing::warn!(plugin, "further log lines of this call are dropped");
            }
            return Ok(());
        }
        let line = printable(&message);
        match level {
            Level::Debug => tracing::debug!(plugin, "{line}"),
            Level::Info => tracing::info!(plugin, "{line}"),
            Level::Warn => tracing::warn!(plugin, "{line}"),
            Level::Error => tracing::error!(plugin, "{line}"),
        }
        Ok(())
    }

    fn setting(&mut self, key: String) -> wasmtime::Result<Option<String>> {
        Ok(self.identity.settings.get(&key).cloned())
    }
}

impl types::Host for CallState {}

/// Text of a plugin as it may stand in our log: cut, one line, without phone numbers.
pub(crate) fn printable(text: &str) -> String {
    let end = text.floor_char_boundary(LINE_BYTES);
    let cut = text.get(..end).unwrap_or_default();
    let line: String = cut
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    redact::provider_text(&line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_flat_and_without_numbers() {
        assert_eq!(printable("a\nb\x1b[31m"), "a b [31m");
        assert!(printable(&"x".repeat(5000)).len() <= LINE_BYTES);
        assert!(!printable("dialled +1 212 555 0100").contains("555"));
        // A cut never falls into a character.
        assert!(printable(&"é".repeat(600)).chars().all(|c| c == 'é'));
    }
}
