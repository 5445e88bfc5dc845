//! API keys: who is calling, and managing the keys.

mod actor;
mod authenticate;
mod keys;

pub use actor::Actor;
pub use keys::{KeyView, Keys, NewKey, NewToken};
