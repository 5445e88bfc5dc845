//! One request: its framing, client, id and body, and the steps that it passes through.

pub(crate) mod body;
pub(crate) mod client;
mod forwarded;
pub(crate) mod https_enforcement;
pub(crate) mod id;
pub(crate) mod pipeline;
pub(crate) mod scheme;
pub(crate) mod validation;
