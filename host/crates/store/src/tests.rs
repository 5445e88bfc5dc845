//! Tests of the store through its public operations, on real files and on storage that fails.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod audit;
mod counters;
mod crash;
mod destroyed;
mod disk;
pub(crate) mod fixtures;
mod full;
mod groups;
mod idempotency;
mod inbound;
mod jobs;
mod keys;
mod lists;
mod old_database;
mod opening;
mod serve;
