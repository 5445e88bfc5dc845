//! The integration tests: one binary, a module for each subject.
//!
//! They start the real `faxgate` program on loopback and see what clients and the provider see.

mod harness;
mod provider;
mod tidy;
