//! Who may pass: each route says what it needs, and that is decided from the head of the request alone.

use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderMap, HeaderName, Uri};

use super::client::Client;
use super::edge::{Edge, Seen};
use super::error::Problem;
use super::limits::Class;
use super::query;
use faxgate_domain::access::Principal;
use faxgate_domain::code::Code;
use faxgate_domain::scope::Scope;
use faxgate_service::Actor;
use faxgate_telemetry::metrics::AUTH_FAILURES;

const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// What a route asks of the one who calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// Nothing.
    Nothing,
    /// A key with this scope.
    Scope(Scope),
    /// A link's `?token=`, or a key with this scope.
    LinkOr(Scope),
    /// A proof in the body or in the headers, which the callback policy looks at.
    Signature,
    /// A program on this machine, or a key with this scope.
    LocalOr(Scope),
}

/// The rule of one route.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    /// The route's pattern.
    pub(crate) route: &'static str,
    /// What it asks.
    pub(crate) need: Need,
    /// What it counts against.
    pub(crate) class: Class,
}

/// How a request got in.
#[derive(Clone, Debug)]
pub(crate) enum Access {
    /// Nothing was asked.
    Open,
    /// With a key.
    Key(Principal),
    /// With a link's token, which the use case checks against the object.
    Link(String),
}

/// The one who asks with a key, for handlers of routes that need one.
#[derive(Clone, Debug)]
pub(crate) struct Asker(pub(crate) Actor);

/// Lets a request through to its handler, or answers why not.
pub(super) async fn gate(
    State((edge, rule)): State<(Edge, Rule)>,
    mut request: Request,
    next: Next,
) -> Response {
    let Some(client) = request.extensions().get::<Client>().copied() else {
        return Problem::internal().into_response();
    };
    let (response, who) = match admit(&edge, rule.need, &client, request.uri(), request.headers()).await {
        Err(problem) => (problem.into_response(), None),
        Ok(Access::Key(principal)) => {
            let who = principal.credential.name();
            let config = edge.app().config();
            let verdict = edge
                .limits()
                .request(&principal, client.address, rule.class, &config.limits);
            let response = match verdict.refusal() {
                Some(refusal) => refusal.into_response(),
                None => {
                    request.extensions_mut().insert(Access::Key(principal));
                    let mut response = next.run(request).await;
                    verdict.tell(response.headers_mut());
                    response
                }
            };
            (response, Some(who))
        }
        Ok(access) => {
            let who = matches!(access, Access::Link(_)).then(|| "link".to_owned());
            request.extensions_mut().insert(access);
            (next.run(request).await, who)
        }
    };
    let mut response = response;
    response.extensions_mut().insert(Seen {
        route: rule.route,
        who,
    });
    response
}

async fn admit(
    edge: &Edge,
    need: Need,
    client: &Client,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<Access, Problem> {
    match need {
        Need::Nothing | Need::Signature => Ok(Access::Open),
        Need::Scope(scope) => keyed(edge, scope, client, headers).await,
        Need::LinkOr(scope) => match query::first(uri.query(), "token") {
            Some(token) => Ok(Access::Link(token)),
            None => keyed(edge, scope, client, headers).await,
        },
        Need::LocalOr(_) if client.is_local() && !has_credential(headers) => Ok(Access::Open),
        Need::LocalOr(scope) => keyed(edge, scope, client, headers).await,
    }
}

async fn keyed(edge: &Edge, scope: Scope, client: &Client, headers: &HeaderMap) -> Result<Access, Problem> {
    let principal = match credential(headers)? {
        Some(token) => verify(edge, client, token).await?,
        None => anonymous(edge, scope, client).ok_or_else(|| {
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

/// Whose key this is. A wrong one counts against the client's address.
pub(super) async fn verify(edge: &Edge, client: &Client, token: &str) -> Result<Principal, Problem> {
    edge.app().authenticate(token).await?.ok_or_else(|| {
        metrics::counter!(AUTH_FAILURES, "reason" => "key").increment(1);
        let counted = edge.limits().failure(client.address, &edge.app().config().limits);
        counted.refusal().unwrap_or_else(|| {
            Problem::new(
                Code::Unauthenticated,
                "this API key is unknown, expired or revoked: ask the operator for a new one",
            )
        })
    })
}

/// What to answer when a link doesn't open. A wrong token counts as a wrong credential.
pub(super) fn link_failed(edge: &Edge, client: &Client, id: &str, error: faxgate_service::Error) -> Problem {
    if error.code != Code::BadLink {
        return error.into();
    }
    metrics::counter!(AUTH_FAILURES, "reason" => "link").increment(1);
    if edge.limits().may_note() {
        edge.app().link_refused(id, client.address);
    }
    let counted = edge.limits().failure(client.address, &edge.app().config().limits);
    counted.refusal().unwrap_or_else(|| error.into())
}

/// Somebody without a key, where the configuration allows it: not for administration, and only where nobody
/// else can reach us.
fn anonymous(edge: &Edge, scope: Scope, client: &Client) -> Option<Principal> {
    let principal = edge.app().anonymous()?;
    (client.connection.loopback_listener && principal.scopes.allow(scope)).then_some(principal)
}

/// Whether the request shows a key, right or wrong.
pub(super) fn has_credential(headers: &HeaderMap) -> bool {
    headers.contains_key(X_API_KEY) || headers.contains_key(AUTHORIZATION)
}

/// The key that a request shows. Two different ones are one too many: which of them counts would be a guess.
pub(super) fn credential(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let mut found: Option<&str> = None;
    for value in headers.get_all(X_API_KEY) {
        let text = value.to_str().map_err(|_| unreadable())?.trim();
        found = Some(same(found, text)?);
    }
    for value in headers.get_all(AUTHORIZATION) {
        let text = value.to_str().map_err(|_| unreadable())?;
        let (scheme, token) = text.trim().split_once(' ').ok_or_else(unreadable)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(unreadable());
        }
        found = Some(same(found, token.trim())?);
    }
    // An empty X-API-Key is what a client without a key sends by mistake.
    Ok(found.filter(|token| !token.is_empty()))
}

fn same<'a>(found: Option<&'a str>, text: &'a str) -> Result<&'a str, Problem> {
    match found {
        Some(found) if found != text => Err(Problem::new(
            Code::Unauthenticated,
            "the request shows two different API keys: send one",
        )),
        _ => Ok(text),
    }
}

fn unreadable() -> Problem {
    Problem::new(
        Code::Unauthenticated,
        "the credentials can't be read: send the API key as X-API-Key or as Authorization: Bearer",
    )
}

impl<S: Sync> FromRequestParts<S> for Asker {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let address = parts.extensions.get::<Client>().map(|client| client.address);
        match parts.extensions.get::<Access>() {
            Some(Access::Key(principal)) => Ok(Self(Actor {
                principal: principal.clone(),
                address,
            })),
            // A route whose rule and handler disagree: nobody gets in by that.
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

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn shown(headers: &[(HeaderName, &str)]) -> Result<Option<String>, String> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name, HeaderValue::from_str(value).expect("value"));
        }
        credential(&map)
            .map(|token| token.map(str::to_owned))
            .map_err(|problem| problem.detail().to_owned())
    }

    #[test]
    fn a_key_travels_in_either_header() {
        assert_eq!(shown(&[]), Ok(None));
        assert_eq!(shown(&[(X_API_KEY, "k")]), Ok(Some("k".into())));
        assert_eq!(shown(&[(AUTHORIZATION, "Bearer k")]), Ok(Some("k".into())));
        assert_eq!(shown(&[(AUTHORIZATION, "bearer  k ")]), Ok(Some("k".into())));
        assert_eq!(
            shown(&[(X_API_KEY, "k"), (AUTHORIZATION, "Bearer k")]),
            Ok(Some("k".into()))
        );
        assert_eq!(shown(&[(X_API_KEY, "")]), Ok(None));
    }

    #[test]
    fn what_is_unclear_is_refused() {
        for headers in [
            &[(X_API_KEY, "k"), (AUTHORIZATION, "Bearer other")][..],
            &[(X_API_KEY, "k"), (X_API_KEY, "other")],
            &[(AUTHORIZATION, "Basic dXNlcjpwYXNz")],
            &[(AUTHORIZATION, "k")],
        ] {
            assert!(shown(headers).is_err(), "{headers:?}");
        }
    }
}
