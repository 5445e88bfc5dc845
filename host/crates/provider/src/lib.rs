//! Clients of the fax providers.

pub mod phaxio;
