//! Who may use a route: each route says what it requires, and that is decided from the head of the request alone.

use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, Uri};

use super::rate_limits::RateClass;
use super::{credential, local, query};
use crate::problem::Problem;
use crate::state::AppState;
use faxgate_domain::access::Principal;
use faxgate_domain::code::Code;
use faxgate_domain::scope::Scope;
use faxgate_edge::{AccessLogEntry, Client};
use faxgate_service::Actor;
use faxgate_telemetry::metrics::AUTH_FAILURES;

/// What a route requires of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AuthRequirement {
    /// Nothing.
    Nothing,
    /// A key with this scope.
    Scope(Scope),
    /// A link's `?token=`, or a key with this scope.
    LinkOr(Scope),
    /// A signature in the body or in the headers, which the callback policy verifies.
    Signature,
    /// A program on this machine, or a key with this scope.
    LocalOr(Scope),
}

/// The rule of one route.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RouteRule {
    /// The route's pattern.
    pub(crate) path: &'static str,
    /// What it requires.
    pub(crate) requirement: AuthRequirement,
    /// Which limits it counts against.
    pub(crate) class: RateClass,
}

/// How a request was authorized.
#[derive(Clone, Debug)]
pub(crate) enum Access {
    /// Nothing was required.
    Open,
    /// By a key.
    Key(Principal),
    /// By a link's token, which the use case checks against the object.
    Link(String),
}

/// The caller of a route that requires a key.
#[derive(Clone, Debug)]
pub(crate) struct AuthenticatedCaller(pub(crate) Actor);

impl AuthRequirement {
    /// The scope that a key needs, where a key is accepted.
    pub(crate) const fn scope(self) -> Option<Scope> {
        match self {
            Self::Scope(scope) | Self::LinkOr(scope) | Self::LocalOr(scope) => Some(scope),
            Self::Nothing | Self::Signature => None,
        }
    }
}

/// Passes a request on to its handler, or answers why not.
pub(crate) async fn authorize(
    State((state, rule)): State<(AppState, RouteRule)>,
    mut request: Request,
    next: Next,
) -> Response {
    let Some(client) = request.extensions().get::<Client>().copied() else {
        return Problem::internal().into_response();
    };
    let (mut response, caller) = match decide(
        &state,
        rule.requirement,
        &client,
        request.uri(),
        request.headers(),
    )
    .await
    {
        Err(problem) => (problem.into_response(), None),
        Ok(Access::Key(principal)) => {
            let caller = principal.credential.name();
            let config = state.app().config();
            let status = state
                .limits()
                .request(&principal, client.address, rule.class, &config.limits);
            let response = match status.refusal() {
                Some(refusal) => refusal.into_response(),
                None => {
                    request.extensions_mut().insert(Access::Key(principal));
                    let mut response = next.run(request).await;
                    status.add_headers(response.headers_mut());
                    response
                }
            };
            (response, Some(caller))
        }
        Ok(access) => {
            let caller = matches!(access, Access::Link(_)).then(|| "link".to_owned());
            request.extensions_mut().insert(access);
            (next.run(request).await, caller)
        }
    };
    response.extensions_mut().insert(AccessLogEntry {
        route: rule.path,
        caller,
    });
    response
}

async fn decide(
    state: &AppState,
    requirement: AuthRequirement,
    client: &Client,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<Access, Problem> {
    match requirement {
        AuthRequirement::Nothing | AuthRequirement::Signature => Ok(Access::Open),
        AuthRequirement::Scope(scope) => by_key(state, scope, client, uri, headers).await,
        AuthRequirement::LinkOr(scope) => match query::first(uri.query(), "token") {
            Some(token) => Ok(Access::Link(token)),
            None => by_key(state, scope, client, uri, headers).await,
        },
        AuthRequirement::LocalOr(_)
            if is_local(state, client, uri, headers) && !credential::is_present(headers) =>
        {
            Ok(Access::Open)
        }
        AuthRequirement::LocalOr(scope) => by_key(state, scope, client, uri, headers).await,
    }
}

fn is_local(state: &AppState, client: &Client, uri: &Uri, headers: &HeaderMap) -> bool {
    local::is_local(client, uri, headers, &state.app().config().public_url)
}

async fn by_key(
    state: &AppState,
    scope: Scope,
    client: &Client,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<Access, Problem> {
    let principal = match credential::read(headers)? {
        Some(token) => verify(state, client, token).await?,
        None => anonymous(state, scope, client, uri, headers).ok_or_else(|| {
            Problem::new(
                Code::Unauthenticated,
                "this address needs an API key: send it as X-API-Key or as Authorization: Bearer",
            )
        })?,
    };
    if !principal.scopes.allow(scope) {
        return Err(Problem::new(
            Code::Forbidden,
            format!("this API key lacks the scope {scope}: use a key that has it"),
        ));
    }
    Ok(Access::Key(principal))
}

/// The owner of a key. A wrong key counts against the client's address.
pub(crate) async fn verify(state: &AppState, client: &Client, token: &str) -> Result<Principal, Problem> {
    let config = state.app().config();
    // Over the limit the bootstrap key is not compared: guessing must not find it.
    let may_guess = state.limits().may_fail(client.address, &config.limits);
    let principal = state.app().authenticate(token, may_guess).await?;
    principal.ok_or_else(|| {
        metrics::counter!(AUTH_FAILURES, "reason" => "key").increment(1);
        let counted = state.limits().failure(client.address, &config.limits);
        counted.refusal().unwrap_or_else(|| {
            Problem::new(
                Code::Unauthenticated,
                "this API key is unknown, expired or revoked: ask the operator for a new one",
            )
        })
    })
}

/// The response when a link is refused. A wrong token counts as a wrong credential.
pub(crate) fn link_failed(
    state: &AppState,
    client: &Client,
    id: &str,
    error: faxgate_service::Error,
) -> Problem {
    if error.code != Code::BadLink {
        return error.into();
    }
    metrics::counter!(AUTH_FAILURES, "reason" => "link").increment(1);
    state.refusals().record(state.app(), client.address, |app| {
        app.link_refused(id, client.address);
    });
    let counted = state
        .limits()
        .failure(client.address, &state.app().config().limits);
    counted.refusal().unwrap_or_else(|| error.into())
}

/// A caller without a key, where the configuration allows it: not for administration, and only a program on this
/// machine.
fn anonymous(
    state: &AppState,
    scope: Scope,
    client: &Client,
    uri: &Uri,
    headers: &HeaderMap,
) -> Option<Principal> {
    let principal = state.app().anonymous()?;
    let allowed = client.connection.loopback_listener
        && is_local(state, client, uri, headers)
        && principal.scopes.allow(scope);
    allowed.then_some(principal)
}

impl<S: Sync> FromRequestParts<S> for AuthenticatedCaller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let address = parts.extensions.get::<Client>().map(|client| client.address);
        match parts.extensions.get::<Access>() {
            Some(Access::Key(principal)) => Ok(Self(Actor {
                principal: principal.clone(),
                address,
            })),
            // The rule of the route and its handler disagree: nobody may pass.
            _ => Err(Problem::internal()),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Access {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or_else(Problem::internal)
    }
}
