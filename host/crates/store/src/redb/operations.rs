//! The operations of the store: each loads the rows it concerns, asks for the decision and applies it.

pub(crate) mod api_keys;
pub(crate) mod audit;
pub(crate) mod documents;
pub(crate) mod inbound;
pub(crate) mod inbound_retention;
pub(crate) mod job_queries;
pub(crate) mod jobs;
pub(crate) mod retention;
