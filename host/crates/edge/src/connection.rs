//! One connection: the socket, the PROXY header, HTTP over it, and how it ends.

pub(crate) mod admission;
pub(crate) mod http1_errors;
pub(crate) mod idle;
pub(crate) mod proxy_protocol;
pub(crate) mod serve;
pub(crate) mod socket;
