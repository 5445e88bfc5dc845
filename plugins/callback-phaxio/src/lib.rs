//! Built-in callback policy: believes a callback of Phaxio when its signature holds, and says what happened.
//!
//! - [`delivery`]: the callback as the gateway shows it, as a trait so that every rule runs natively in tests
//! - [`proof`]: which proof a callback claims and whether it holds
//! - [`event`]: what happened, in words of no provider
//! - [`policy`]: the proof first, then the event
//!
//! Status words, payload shapes and signature schemes are those of [`faxgate_protocol::phaxio`]. `guest` is the only
//! file that knows the component model.

pub mod delivery;
pub mod event;
#[cfg(target_family = "wasm")]
mod guest;
pub mod policy;
pub mod proof;
#[cfg(test)]
mod testing;
