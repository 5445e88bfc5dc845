//! The integration tests: one binary, a module for each subject.
//!
//! They start the real `faxgate` program on loopback and see what clients and the provider see.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test that meets something unexpected fails, and says so"
)]

mod callbacks;
mod cli;
mod crash;
mod description;
mod edge;
mod faxbot_client;
mod forgetting;
mod harness;
mod idempotency;
mod inbound;
mod keeping;
mod lifecycle;
mod line;
mod packaging;
mod peer_faults;
mod plugins;
mod provider;
mod reception;
mod retention;
mod secrecy;
mod send;
mod storage;
mod tampering;
mod telemetry;
mod tenants;
mod tidy;
