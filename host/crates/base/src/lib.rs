//! Floor 0: what every room may use: time, identifiers, secrets, sizes and redaction.

pub mod clock;
pub mod cpu;
pub mod crash;
pub mod id;
pub mod memory;
pub mod redact;
pub mod secret;
pub mod size;
