//! Clock, identifiers, secrets, sizes, private files and redaction, for every crate.

pub mod clock;
pub mod cpu;
pub mod crash;
pub mod id;
pub mod memory;
pub mod private_file;
pub mod redact;
pub mod secret;
pub mod size;
