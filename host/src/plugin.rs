//! Floor 4: policies in WebAssembly.
