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
mod clock_jumps;
mod crash;
mod edge;
mod every_way;
mod faxbot_client;
mod forgetting;
mod harness;
mod idempotency;
mod inbound;
mod keeping;
mod lifetimes;
mod line;
mod long_queue;
mod peer_faults;
mod plugins;
mod provider;
mod reception;
mod retention;
mod schedule;
mod secrecy;
mod send;
mod soak;
mod storage;
mod tampering;
mod tenants;
mod tidy;
