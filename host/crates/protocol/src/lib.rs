//! The vocabulary of the providers' wire formats, each fact once.
//!
//! - [`status`]: where a fax stands, in words of no provider
//! - [`failure`]: why a fax failed, in classes of no provider
//! - [`json`]: reads members of JSON objects without being strict about their types
//! - [`phaxio`]: Phaxio's REST API versions 1 to 2.1 and its callbacks
//! - [`sinch`]: Sinch's Fax API version 3 and its callbacks
//!
//! The crate does no input or output, knows no HTTP library and no jobs, and builds for `wasm32-unknown-unknown`:
//! the provider client, the callback policies, the simulator and `verify-callback` all use it.

pub mod failure;
pub mod json;
pub mod phaxio;
pub mod sinch;
pub mod status;
