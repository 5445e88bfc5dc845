//! Faxes that are sent: the use cases of a client, and the provider's reports about them.

mod cancel;
mod idempotency;
mod options;
mod read;
mod resend;
mod schedule;
mod send;
mod status_update;

pub(crate) use cancel::conflict;
pub(crate) use idempotency::KeysInUse;
pub use read::{FaxQuery, Page};
pub use resend::Resend;
pub use schedule::Schedule;
pub use send::{SendRequest, Sent};
