//! Floor 4: policies in WebAssembly.

pub mod encode;
pub mod manifest;
