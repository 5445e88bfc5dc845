//! What an operator asks for: health, plugins and the audit log.

mod audit;
mod audit_file;
mod health;
mod plugins;

pub use audit::{AuditPage, AuditView};
pub use audit_file::AuditFile;
pub use health::Check;
