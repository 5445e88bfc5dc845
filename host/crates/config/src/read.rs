//! From a file and the environment to values with real types: sources, what was given, and what must hold between keys.

pub mod problem;
pub(crate) mod raw;
pub(crate) mod reader;
pub mod source;
