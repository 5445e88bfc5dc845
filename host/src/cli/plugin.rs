//! `faxgate plugin`: policies from the first line to the drop-in folder.

pub mod build;
