//! What the edge serves: the application's side of the contract.

use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use futures_util::future::BoxFuture;
use http::Request;

use crate::request::client::Client;
use faxgate_config::Config;

/// The application behind the listeners. Its routes are given to the server as a router; this trait has what the edge
/// asks beside them. The methods are called for every request and must not block.
pub trait Application: Send + Sync {
    /// The configuration in force. The edge reads `listen`, `public_url` and `enforce_public_https`.
    fn config(&self) -> Arc<Config>;

    /// The response to a request that needs neither HTTPS nor a permit: a liveness probe must be answered under load
    /// and in clear.
    fn immediate_response(&self, request: &Request<Body>) -> Option<Response>;

    /// Whether the request carries a credential, valid or not.
    fn has_credential(&self, request: &Request<Body>) -> bool;

    /// A request with a credential came in clear and is refused: others may have read the credential.
    fn credential_exposed(&self, client: &Client, request: &Request<Body>) -> BoxFuture<'static, ()>;
}
