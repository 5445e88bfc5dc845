//! faxgate: one binary that gives a VPS a secure fax API.
//!
//! This crate is the program: the command line, the composition root, the life cycle and the control socket. What the
//! service does lives in the crates below it, listed in `docs/architecture.md`.

pub mod cli;
pub mod compose;
pub mod control;
pub mod lifecycle;
