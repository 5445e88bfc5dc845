//! Received faxes.

mod catch_up;
mod read;
mod receive;

pub use catch_up::CaughtUp;
pub use read::{InboundQuery, Link};
pub use receive::Received;
