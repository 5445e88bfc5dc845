//! Tests of the store through its door, on real files and on storage that fails.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod fixtures;
mod jobs;
mod opening;
