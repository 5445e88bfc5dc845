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

mod acme;
mod bombs;
mod callbacks;
mod certificates;
mod cli;
mod clock_jumps;
mod corpus;
mod crash;
mod description;
mod documents;
mod drain;
mod edge;
mod edge_hostile;
mod edge_transport;
mod every_way;
mod faxbot_client;
mod floods;
mod forgetting;
mod harness;
mod idempotency;
mod inbound;
mod keeping;
mod lifecycle;
mod lifetimes;
mod line;
mod long_queue;
mod mutations;
mod packaging;
mod peer_faults;
mod plugins;
mod plugins_guide;
mod plugins_kit;
mod plugins_reload;
mod provider;
mod reception;
mod retention;
mod schedule;
mod secrecy;
mod send;
mod smuggling;
mod smuggling_h2;
mod soak;
mod storage;
mod tampering;
mod telemetry;
mod tenants;
mod tidy;
