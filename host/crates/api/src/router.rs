//! The whole route table on one screen: each route with what it needs and what it counts against.

use axum::Router;
use axum::handler::Handler;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, on};
use http::{Method, Uri};

use super::auth::{self, Need, Rule};
use super::edge::Edge;
use super::error::{Kind, Problem};
use super::handlers::{admin, callback, document, fax, health, inbound, keys};
use super::limits::Class::{self, Exempt, General, InboundGet, InboundList};
use super::openapi;
use faxgate_domain::scope::Scope::{
    AdminRead, FaxRead, FaxSend, InboundList as ListInbound, InboundRead, KeysManage,
};

/// One route.
pub(crate) struct Route {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) need: Need,
    pub(crate) class: Class,
    handler: MethodRouter<Edge>,
}

/// Every route.
#[rustfmt::skip]
pub(crate) fn table() -> Vec<Route> {
    use Need::{LinkOr, LocalOr, Nothing, Scope, Signature};
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
        route(get,    "/openapi.json",                   Nothing,             Exempt,      openapi::serve),
    ]
}

/// The routes with their gates, and problems for everything else.
pub(super) fn build(edge: &Edge) -> Router {
    let mut router = Router::new();
    for route in table() {
        let rule = Rule {
            route: route.path,
            need: route.need,
            class: route.class,
        };
        let gate = from_fn_with_state((edge.clone(), rule), auth::gate);
        router = router.route(route.path, route.handler.route_layer(gate));
    }
    router
        .fallback(no_route)
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(edge.clone())
}

fn route<H, T>(filter: MethodFilter, path: &'static str, need: Need, class: Class, handler: H) -> Route
where
    H: Handler<T, Edge>,
    T: 'static,
{
    let method = match filter {
        MethodFilter::POST => Method::POST,
        MethodFilter::DELETE => Method::DELETE,
        _ => Method::GET,
    };
    Route {
        method,
        path,
        need,
        class,
        handler: on(filter, handler),
    }
}

async fn no_route(uri: Uri) -> Response {
    // The path may hold anything, so the answer doesn't repeat it.
    let detail = if uri.path().len() > 1 && uri.path().ends_with('/') {
        "there is nothing at this address; try it without the slash at the end"
    } else {
        "there is nothing at this address; GET /openapi.json lists what there is"
    };
    Problem::of(Kind::NoRoute, detail).into_response()
}

async fn method_not_allowed() -> Response {
    let detail = "this address exists, but not with this method; the Allow header names those it has";
    Problem::of(Kind::MethodNotAllowed, detail).into_response()
}
