//! Floor 6: the edge. Listeners, connections, routes, who may pass, answers.
//!
//! A request's way: [`server`] accepts (a permit before, a place per address after), `conn` does the TLS
//! handshake and speaks HTTP/1.1 or HTTP/2, `edge` names the request and refuses what came in clear, `router`
//! finds the route, `auth` decides from the head alone who may pass, and a handler takes the request apart,
//! calls its use case and answers. Handlers hold no rules; only `error` knows status codes.

mod activity;
mod admission;
mod auth;
mod body;
mod clear;
mod client;
mod conn;
mod edge;
mod error;
mod extract;
mod framing;
mod handlers;
mod limits;
mod multipart;
mod openapi;
mod proxy;
mod query;
mod range;
mod refusal;
mod router;
mod server;
mod socket;
mod timeouts;

pub use edge::{Edge, EdgeParts, MetricsPage};
pub use server::{Drained, ListenError, Listener, Server};
pub use timeouts::Timeouts;

#[cfg(test)]
mod access_tests;
#[cfg(test)]
mod matrix_tests;
#[cfg(test)]
mod sockets_tests;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
