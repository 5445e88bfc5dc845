//! What the gateway offers to guests: generated bindings, log and settings, callbacks, fonts.

pub(crate) mod bindings;
pub(crate) mod fonts;
pub(crate) mod host_api;
pub(crate) mod webhook;
