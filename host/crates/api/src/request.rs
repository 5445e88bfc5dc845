//! What handlers and the authorization read from a request.

pub(crate) mod authorization;
pub(crate) mod body;
pub(crate) mod credential;
pub(crate) mod path;
pub(crate) mod query;
pub(crate) mod range;
pub(crate) mod rate_limits;
