//! Connections and requests: TLS, certificates, proxies, limits, malformed and hostile HTTP.

mod acme;
mod certificates;
mod http1_smuggling;
mod http2_floods;
mod http2_violations;
mod openapi;
mod overload;
mod requests;
mod transport;
