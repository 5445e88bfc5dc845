//! How things are written down: records, keys of tables, page markers and the audit chain. Knows no database.

pub(crate) mod audit_chain;
pub(crate) mod cursor;
pub(crate) mod record;
pub(crate) mod table_key;
