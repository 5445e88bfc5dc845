//! Keys of a `[plugins."NAME"]` table.

use super::DefaultValue::{self, Flag, Text, Unset, Whole};

/// One key of the table of a plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PluginKey {
    /// Its name.
    pub name: &'static str,
    /// Its value when none is given.
    pub default: DefaultValue,
    /// What it means, in one or two sentences.
    pub meaning: &'static str,
    /// A value for the example file, where the default says too little.
    pub example: Option<&'static str>,
}

const fn key(name: &'static str, default: DefaultValue, meaning: &'static str) -> PluginKey {
    PluginKey {
        name,
        default,
        meaning,
        example: None,
    }
}

const fn table(name: &'static str, example: &'static str, meaning: &'static str) -> PluginKey {
    PluginKey {
        name,
        default: Unset,
        meaning,
        example: Some(example),
    }
}

/// The table. Every key takes effect with the next reload.
#[rustfmt::skip]
pub const PLUGIN_KEYS: &[PluginKey] = &[
    key("sha256", Unset,
        "SHA-256 of the file, in hexadecimal. Any other file is refused."),
    key("memory_mb", Whole(256),
        "Memory of one call, in MiB."),
    key("cpu_ms", Whole(10_000),
        "Processor time of one call, in milliseconds."),
    key("timeout_ms", Whole(30_000),
        "Duration of one call, in milliseconds."),
    key("max_output_mb", Whole(64),
        "Answer of one call, in MiB."),
    key("on_error", Text("deny"),
        "What follows when a call fails: deny fails the request, next asks the next plugin of the slot."),
    key("required", Flag(true),
        "Whether the slot may only be served with this plugin. While it is missing or broken its last good version \
         serves; where there is none, the slot answers 503. false: the other plugins of the slot serve without it."),
    table("settings", "{ country = \"US\" }",
        "Passed to the plugin as texts."),
    table("secrets", "{ partner = \"secret\" }",
        "Used by name to check signatures, never readable for the plugin. NAME_file = \"PATH\" reads one from a file."),
];
