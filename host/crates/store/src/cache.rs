//! What is kept in memory so that a request need not read or write the database.

pub(crate) mod job_cache;
pub(crate) mod key_cache;
pub(crate) mod last_used;
