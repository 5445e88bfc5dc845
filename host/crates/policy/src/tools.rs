//! What plugin authors and the build use: WIT files, encoding, snapshots, inspection, the manifest of built-in components.

pub mod encode;
pub(crate) mod inspect;
pub mod manifest;
pub mod snapshot;
pub mod wit;
