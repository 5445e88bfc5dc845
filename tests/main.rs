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
mod callbacks;
mod certificates;
mod crash;
mod drain;
mod edge;
mod edge_hostile;
mod edge_transport;
mod faxbot_client;
mod floods;
mod forgetting;
mod harness;
mod idempotency;
mod inbound;
mod keeping;
mod line;
mod peer_faults;
mod plugins;
mod provider;
mod reception;
mod retention;
mod secrecy;
mod send;
mod smuggling;
mod smuggling_h2;
mod storage;
mod tampering;
mod tenants;
mod tidy;
