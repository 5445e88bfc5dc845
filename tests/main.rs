//! The integration tests: one binary, a module for each subject.
//!
//! They start the real `faxgate` program on loopback and see what clients and the provider see.

mod callbacks;
mod crash;
mod edge;
mod faxbot_client;
mod harness;
mod idempotency;
mod inbound;
mod line;
mod peer_faults;
mod plugins;
mod provider;
mod retention;
mod secrecy;
mod send;
mod storage;
mod tenants;
mod tidy;
