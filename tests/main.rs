//! The integration tests: one binary, a folder of modules for each subject.
//!
//! They start the real `faxgate` program on loopback and see what clients and the provider see. What they share lies in
//! the crate `faxgate-testkit`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test that meets something unexpected fails, and says so"
)]

mod confidentiality;
mod documents;
mod failures;
mod http_edge;
mod operation;
mod plugins;
mod receiving;
mod retention;
mod sending;
mod source_rules;
