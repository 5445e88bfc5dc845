//! One response: the headers that every response carries, its body, and its line in the access log.

pub(crate) mod access_log;
pub(crate) mod body;
pub(crate) mod headers;
