//! What requests mean: the route table, authorization, handlers, error responses and the OpenAPI description.
//!
//! [`server`] puts the routes and the state behind the listeners of `faxgate-edge`. A request that the edge has admitted
//! finds its route in `routes`; `request::authorization` decides from the head alone whether it may pass; a handler takes
//! it apart, calls its use case and answers. Handlers hold no rules; only `problem` maps errors to status codes.

mod application;
mod form;
mod handlers;
mod openapi;
mod problem;
mod request;
mod response;
mod routes;
mod state;

pub use application::{ApiParts, server};
pub use state::MetricsPage;

#[cfg(test)]
mod tests;
