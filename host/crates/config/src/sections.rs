//! The sections of the configuration, each with its structure and how it is read. Defaults are in
//! [`keys`](crate::keys).

pub mod dispatch;
pub(crate) mod network;
pub mod phaxio;
pub mod plugins;
pub mod retention;
pub mod storage;
pub mod telemetry;
