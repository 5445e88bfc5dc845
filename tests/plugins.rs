//! Policies as plugins: an operator's files in a running service, and the tools to make them.

pub(crate) mod developer_kit;
mod guide;
pub(crate) mod operator_plugins;
mod reload;
