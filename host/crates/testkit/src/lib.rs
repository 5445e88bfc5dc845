//! What the tests and benches of all crates share: the real program, a simulated provider, a bucket, faulty networks,
//! documents. Never part of the service.
//!
//! Each feature brings what its part needs: `components` the WebAssembly encoder, `corpus` the image codecs, `s3` a
//! bucket, `program` the service as a process, `in-process` the service inside the test.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stderr,
    reason = "a test that meets something unexpected fails, and says so"
)]

#[cfg(feature = "components")]
pub mod components;
#[cfg(feature = "corpus")]
pub mod corpus;
pub mod documents;
#[cfg(feature = "program")]
pub mod network;
#[cfg(feature = "program")]
pub mod service;
pub mod storage;
mod util;

#[cfg(feature = "program")]
pub use service::installation::TestInstallation;
pub use util::{files, paths, ports, rng, wait};
