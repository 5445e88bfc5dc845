//! The service under test, as a process and inside the test, with a client and a provider.

pub mod client;
pub mod delivery;
#[cfg(feature = "in-process")]
pub mod in_process;
pub mod installation;
pub mod provider;
pub mod server_process;
