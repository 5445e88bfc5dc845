//! Whether a request comes from a program on this machine that speaks for itself.
//!
//! Not local: what a proxy or a tunnel on this machine forwards, what a page of another site makes a browser send, and
//! what reaches the service under a host name that somebody points to this machine (DNS rebinding).

use std::net::IpAddr;

use http::header::{HOST, HeaderName, ORIGIN};
use http::uri::Authority;
use http::{HeaderMap, Uri};
use url::Url;

use faxgate_edge::Client;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Whether the request is local. `public` is the public address of the service.
pub(super) fn is_local(client: &Client, uri: &Uri, headers: &HeaderMap, public: &Url) -> bool {
    client.is_local()
        && host(uri, headers).is_none_or(|host| is_own_host(&host, public))
        && has_no_foreign_origin(headers, public)
}

/// The host that the client called; only a client of HTTP/1.0, which is no browser, may name none.
fn host(uri: &Uri, headers: &HeaderMap) -> Option<String> {
    let authority = uri.authority().map(Authority::as_str);
    let header = || headers.get(HOST).map(|host| host.to_str().unwrap_or("?"));
    let authority = authority.or_else(header)?;
    Some(
        authority
            .parse::<Authority>()
            .map_or_else(|_| "?".to_owned(), |it| it.host().to_owned()),
    )
}

fn is_own_host(host: &str, public: &Url) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let is_loopback = bare.parse::<IpAddr>().map_or_else(
        |_| is_localhost(bare),
        |address| address.to_canonical().is_loopback(),
    );
    is_loopback
        || public
            .host_str()
            .is_some_and(|own| own.eq_ignore_ascii_case(host))
}

fn is_localhost(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

/// Browsers name the origin of the page that makes a request. Only pages of the service itself may.
fn has_no_foreign_origin(headers: &HeaderMap, public: &Url) -> bool {
    let site = headers.get(SEC_FETCH_SITE).map(http::HeaderValue::as_bytes);
    if !matches!(site, None | Some(b"none" | b"same-origin")) {
        return false;
    }
    headers.get_all(ORIGIN).iter().all(|origin| {
        let origin = origin.to_str().ok().and_then(|text| Url::parse(text).ok());
        origin.is_some_and(|origin| {
            let own = headers.get(HOST).and_then(|host| host.to_str().ok());
            let authority = origin.host_str().map(|host| match origin.port() {
                Some(port) => format!("{host}:{port}"),
                None => host.to_owned(),
            });
            origin.origin() == public.origin() || (own.is_some() && authority.as_deref() == own)
        })
    })
}

#[cfg(test)]
mod tests;
