//! The whole route table on one screen: each route with what it requires and which limits it counts against.

use axum::Router;
use axum::handler::Handler;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, on};
use http::{Method, Uri};

use crate::handlers::{admin, callback, document, fax, health, inbound, keys};
use crate::openapi;
use crate::problem::{Kind, Problem};
use crate::request::authorization::{self, AuthRequirement, RouteRule};
use crate::request::rate_limits::RateClass::{self, Exempt, General, InboundGet, InboundList};
use crate::state::AppState;
use faxgate_domain::scope::Scope::{
    AdminRead, FaxRead, FaxSend, InboundList as ListInbound, InboundRead, KeysManage,
};

/// One route.
pub(crate) struct Route {
    pub(crate) method: Method,
    pub(crate) rule: RouteRule,
    handler: MethodRouter<AppState>,
}

/// Every route.
#[rustfmt::skip]
pub(crate) fn table() -> Vec<Route> {
    use AuthRequirement::{LinkOr, LocalOr, Nothing, Scope, Signature};
    let (get, post, delete) = (MethodFilter::GET, MethodFilter::POST, MethodFilter::DELETE);
    vec![
        route(post,   "/fax",                            Scope(FaxSend),      General,     fax::send),
        route(get,    "/fax",                            Scope(FaxRead),      General,     fax::list),
        route(get,    "/fax/{id}",                       Scope(FaxRead),      General,     fax::get),
        route(delete, "/fax/{id}",                       Scope(FaxSend),      General,     fax::destroy),
        route(get,    "/fax/{id}/events",                Scope(FaxRead),      General,     fax::events),
        route(get,    "/fax/{id}/pdf",                   LinkOr(FaxRead),     General,     document::fax_pdf),
        route(get,    "/fax/{id}/tiff",                  Scope(FaxRead),      General,     document::fax_tiff),
        route(get,    "/fax/{id}/preview/{page}",        Scope(FaxRead),      General,     document::fax_preview),
        route(post,   "/fax/{id}/cancel",                Scope(FaxSend),      General,     fax::cancel),
        route(post,   "/fax/{id}/resend",                Scope(FaxSend),      General,     fax::resend),
        route(post,   "/phaxio-callback",                Signature,           Exempt,      callback::status),
        route(post,   "/phaxio-inbound",                 Signature,           Exempt,      callback::inbound),
        route(get,    "/inbound",                        Scope(ListInbound),  InboundList, inbound::list),
        route(get,    "/inbound/{id}",                   Scope(InboundRead),  InboundGet,  inbound::get),
        route(post,   "/inbound/{id}/link",              Scope(InboundRead),  InboundGet,  inbound::link),
        route(get,    "/inbound/{id}/pdf",               LinkOr(InboundRead), InboundGet,  document::inbound_pdf),
        route(post,   "/admin/api-keys",                 Scope(KeysManage),   General,     keys::create),
        route(get,    "/admin/api-keys",                 Scope(KeysManage),   General,     keys::list),
        route(delete, "/admin/api-keys/{key_id}",        Scope(KeysManage),   General,     keys::revoke),
        route(post,   "/admin/api-keys/{key_id}/rotate", Scope(KeysManage),   General,     keys::rotate),
        route(get,    "/admin/config",                   Scope(AdminRead),    General,     admin::config),
        route(get,    "/admin/plugins",                  Scope(AdminRead),    General,     admin::plugins),
        route(post,   "/admin/plugins/reload",           Scope(KeysManage),   General,     admin::reload_plugins),
        route(get,    "/admin/audit",                    Scope(AdminRead),    General,     admin::audit),
        route(get,    "/admin/health-status",            Scope(AdminRead),    General,     admin::health_status),
        route(get,    "/health",                         Nothing,             Exempt,      health::live),
        route(get,    "/health/ready",                   Nothing,             Exempt,      health::ready),
        route(get,    "/metrics",                        LocalOr(AdminRead),  Exempt,      health::metrics),
        route(get,    "/openapi.json",                   Nothing,             Exempt,      admin::openapi),
    ]
}

/// The router: every route with its authorization, and problems for everything else.
pub(crate) fn build(state: &AppState) -> Router {
    let table = table();
    state.set_openapi(openapi::text(
        table.iter().map(|route| (&route.method, &route.rule)),
    ));
    let mut router = Router::new();
    for Route { rule, handler, .. } in table {
        let authorize = from_fn_with_state((state.clone(), rule), authorization::authorize);
        router = router.route(rule.path, handler.route_layer(authorize));
    }
    router
        .fallback(no_route)
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(state.clone())
}

fn route<H, T>(
    filter: MethodFilter,
    path: &'static str,
    requirement: AuthRequirement,
    class: RateClass,
    handler: H,
) -> Route
where
    H: Handler<T, AppState>,
    T: 'static,
{
    let method = match filter {
        MethodFilter::POST => Method::POST,
        MethodFilter::DELETE => Method::DELETE,
        _ => Method::GET,
    };
    let rule = RouteRule {
        path,
        requirement,
        class,
    };
    Route {
        method,
        rule,
        handler: on(filter, handler),
    }
}

async fn no_route(uri: Uri) -> Response {
    // The path may hold anything, so the response doesn't repeat it.
    let detail = if uri.path().len() > 1 && uri.path().ends_with('/') {
        "there is nothing at this address; try it without the slash at the end"
    } else {
        "there is nothing at this address; GET /openapi.json lists what there is"
    };
    Problem::of(Kind::NoRoute, detail).into_response()
}

async fn method_not_allowed() -> Response {
    let detail = "this address exists, but not with this method; the Allow header lists those it has";
    Problem::of(Kind::MethodNotAllowed, detail).into_response()
}
