//! What handlers and the authorization read from a request.

pub(crate) mod authorization;
pub(crate) mod body;
pub(crate) mod callback_limits;
pub(crate) mod credential;
mod local;
pub(crate) mod path;
pub(crate) mod query;
pub(crate) mod range;
pub(crate) mod rate_limits;
pub(crate) mod refusal_audit;
