//! How bytes become requests: listeners, TLS and ACME, the PROXY protocol, admission, rate limits, time-outs, request
//! ids and the access log.
//!
//! A request passes through these steps. [`Server`] accepts a connection when there is a permit for it and its address
//! holds few enough. `connection` reads the PROXY header, does the TLS handshake and speaks HTTP/1.1 or HTTP/2.
//! `request` validates the framing, names the client, gives the request an id, refuses what must not come in clear
//! and what exceeds the limits, and calls the application's router. `response` adds the common headers and writes the
//! access log.
//!
//! Nothing here knows what a fax is: the application behind it implements [`Application`].

mod connection;
pub mod problem;
pub mod ratelimit;
mod request;
mod response;
mod server;
mod timeouts;
pub mod tls;

pub use connection::admission::{Admission, Permit};
pub use request::body::is_slow;
pub use request::client::{Client, Connection, limit_key};
pub use request::scheme::Scheme;
pub use response::access_log::AccessLogEntry;
pub use server::acceptor::{Drained, Server, ServerParts};
pub use server::application::Application;
pub use server::listener::{ListenError, Listener};
pub use timeouts::Timeouts;
