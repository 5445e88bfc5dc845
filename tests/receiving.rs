//! Faxes that arrive.

mod crashes;
mod inbound;
