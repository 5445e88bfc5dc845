//! The application as the edge sees it, and the server made of both.

use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};
use http::{Method, Request};

use crate::handlers::health;
use crate::request::{authorization, credential, query};
use crate::routes;
use crate::state::{AppState, MetricsPage};
use faxgate_base::id::IdSource;
use faxgate_config::Config;
use faxgate_edge::{Application, Client, Server, ServerParts, Timeouts};
use faxgate_service::App;

/// What the server is made of.
pub struct ApiParts {
    /// The use cases.
    pub app: App,
    /// Identifiers, for request ids.
    pub ids: IdSource,
    /// Renders the page of `GET /metrics`.
    pub metrics: MetricsPage,
    /// How long to wait for clients.
    pub timeouts: Timeouts,
}

/// The server of the whole API, without listeners.
#[must_use]
pub fn server(parts: ApiParts) -> Server {
    let ApiParts {
        app,
        ids,
        metrics,
        timeouts,
    } = parts;
    over(AppState::new(app, metrics), ids, timeouts)
}

/// The server over this state.
pub(crate) fn over(state: AppState, ids: IdSource, timeouts: Timeouts) -> Server {
    let clock = state.app().clock().clone();
    Server::new(ServerParts {
        router: routes::build(&state),
        application: Arc::new(state),
        ids,
        clock,
        timeouts,
    })
}

impl Application for AppState {
    fn config(&self) -> Arc<Config> {
        self.app().config()
    }

    fn immediate_response(&self, request: &Request<Body>) -> Option<Response> {
        let reads = matches!(*request.method(), Method::GET | Method::HEAD);
        (reads && request.uri().path() == health::LIVENESS_PATH).then(health::alive)
    }

    fn has_credential(&self, request: &Request<Body>) -> bool {
        query::first(request.uri().query(), "token").is_some() || credential::is_present(request.headers())
    }

    /// The audit log keeps which key was exposed. Only valid ones: made-up keys would fill the log.
    fn credential_exposed(&self, client: &Client, request: &Request<Body>) -> BoxFuture<'static, ()> {
        let Ok(Some(token)) = credential::read(request.headers()) else {
            return ready(()).boxed();
        };
        let (state, client, token) = (self.clone(), *client, token.to_owned());
        async move {
            if let Ok(principal) = authorization::verify(&state, &client, &token).await {
                state.refusals().record(state.app(), client.address, |app| {
                    app.key_exposed(&principal, client.address);
                });
            }
        }
        .boxed()
    }
}
