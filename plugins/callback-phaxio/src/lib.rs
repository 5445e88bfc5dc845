//! Built-in callback policy: believes a callback of Phaxio when its signature holds, and says what happened.
//!
//! - [`delivery`]: the callback as the gateway shows it, as a trait so that every rule runs natively in tests
//! - [`signature`]: which proof a callback claims and whether it holds
//! - [`payload`]: finds the fax object in every shape it is posted in
//! - [`value`]: reads members that are numbers in one version and text in another
//! - [`news`]: says what happened in words of no provider
//! - [`policy`]: the three joined
//!
//! `guest` is the only file that knows the component model.

pub mod delivery;
#[cfg(target_family = "wasm")]
mod guest;
pub mod news;
pub mod payload;
pub mod policy;
pub mod signature;
#[cfg(test)]
mod testing;
pub mod value;
