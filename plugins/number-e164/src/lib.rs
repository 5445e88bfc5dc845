//! Built-in number normalizer: reads a dialled string as libphonenumber does and writes it as E.164.
//!
//! The rules are plain Rust in [`normalize`]; `guest` is the only file that knows the component model.

#[cfg(target_family = "wasm")]
mod guest;
mod normalize;

pub use normalize::{Dialled, Failure, FailureKind, Kind, Number, normalize};
