//! One connection, from the accepted socket to its end.

use std::pin::Pin;
use std::sync::Arc;

use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulConnection;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::admission::AddressSlot;
use super::http1_errors::ErrorBodies;
use super::idle::{IdleTracker, Inactivity};
use super::proxy_protocol;
use super::socket::Socket;
use crate::request::client::Connection;
use crate::request::pipeline;
use crate::request::scheme::Scheme;
use crate::server::state::ServerState;
use crate::timeouts::{
    CONNECTION_WINDOW, MANY_CONNECTIONS, MAX_BUFFER, MAX_HEAD, MAX_PENDING_RESETS, MAX_STREAMS,
    SMALL_TLS_BUFFER, STREAM_WINDOW, Timeouts,
};
use crate::tls::ServerTls;
use faxgate_telemetry::metrics::HTTP_CONNECTIONS_REFUSED;

/// Serves one connection to its end.
pub(crate) async fn serve(
    state: Arc<ServerState>,
    stream: TcpStream,
    connection: Connection,
    tls: Option<ServerTls>,
) {
    // Responses are written whole: waiting for more bytes to fill a packet would only delay them.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY refused");
    }
    let Some((stream, connection, _slot)) = read_proxy_header(&state, stream, connection).await else {
        return;
    };
    let tracker = IdleTracker::new();
    let socket = Socket::new(stream, &state.timeouts, tracker.unread_input().clone());
    let Some(tls) = tls else {
        return http1(state, socket, connection, tracker).await;
    };
    // Boxed: a connection outlives its handshake by far and would keep the memory for it.
    let many = state.connections.in_use() > MANY_CONNECTIONS;
    let acceptor = TlsAcceptor::from(tls.acceptor_config());
    let handshake = Box::pin(acceptor.accept_with(socket, move |tls| {
        if many {
            tls.set_buffer_limit(Some(usize_of(SMALL_TLS_BUFFER)));
        }
    }));
    let outcome = tokio::select! {
        // No request is in flight before the handshake is done.
        () = state.draining.cancelled() => return,
        outcome = tokio::time::timeout(state.timeouts.handshake, handshake) => outcome,
    };
    match outcome {
        Ok(Ok(stream)) => {
            // The protocol is the negotiated one, not what the first bytes look like.
            match stream.get_ref().1.alpn_protocol() {
                Some(b"h2") => http2(state, stream, connection, tracker).await,
                None | Some(b"http/1.1") => http1(state, stream, connection, tracker).await,
                // A certificate authority has seen its proof in the handshake (RFC 8737, section 3).
                Some(_) => {}
            }
        }
        Ok(Err(error)) => {
            count_refused("handshake");
            tracing::debug!(%error, "TLS handshake failed");
        }
        Err(_) => count_refused("handshake_timeout"),
    }
}

/// Reads the PROXY header of a trusted proxy, and counts the connection against the address that it names. None when
/// the connection is refused.
async fn read_proxy_header(
    state: &ServerState,
    mut stream: TcpStream,
    mut connection: Connection,
) -> Option<(TcpStream, Connection, Option<AddressSlot>)> {
    if !state.expects_proxy_header(connection.peer.ip()) {
        return Some((stream, connection, None));
    }
    let header = tokio::select! {
        () = state.draining.cancelled() => return None,
        header = tokio::time::timeout(state.timeouts.handshake, proxy_protocol::read(&mut stream)) => header,
    };
    let source = match header {
        Ok(Ok(Some(source))) => source,
        Ok(Ok(None)) => return Some((stream, connection, None)),
        Ok(Err(error)) => {
            count_refused("proxy_header");
            tracing::warn!(%error, proxy = %connection.peer.ip(), "a trusted proxy sent no PROXY header");
            return None;
        }
        Err(_) => {
            count_refused("proxy_header_timeout");
            return None;
        }
    };
    connection.peer = source.address;
    connection.proxied = true;
    if source.tls {
        connection.scheme = Scheme::Https;
    }
    let slot = state.connections.address_slot(source.address.ip());
    if slot.is_none() && !state.is_trusted_proxy(source.address.ip()) {
        count_refused("address");
        return None;
    }
    Some((stream, connection, slot))
}

fn http1<S>(
    state: Arc<ServerState>,
    stream: S,
    connection: Connection,
    tracker: Arc<IdleTracker>,
) -> impl Future<Output = ()> + Send + use<S>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(state.timeouts.head)
        .max_header_size(usize_of(MAX_HEAD))
        .max_buf_size(usize_of(MAX_BUFFER));
    let service = {
        let (state, tracker) = (Arc::clone(&state), Arc::clone(&tracker));
        service_fn(move |request| pipeline::answer(&state, connection, &tracker, request))
    };
    let stream = ErrorBodies::new(stream, Arc::clone(&state), connection, Arc::clone(&tracker));
    let served = Box::pin(builder.serve_connection(TokioIo::new(stream), service));
    // A client that abandons a response ends its connection with it: there is no limit of abandoned ones.
    async move { drive(&state, &tracker, served, std::future::pending()).await }
}

fn http2<S>(
    state: Arc<ServerState>,
    stream: S,
    connection: Connection,
    tracker: Arc<IdleTracker>,
) -> impl Future<Output = ()> + Send + use<S>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let Timeouts { ping, .. } = state.timeouts;
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_pending_accept_reset_streams(MAX_PENDING_RESETS)
        .max_header_list_size(u32::try_from(MAX_HEAD).unwrap_or(u32::MAX))
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .keep_alive_interval(ping)
        .keep_alive_timeout(ping);
    let service = {
        let (state, tracker) = (Arc::clone(&state), Arc::clone(&tracker));
        service_fn(move |request| pipeline::answer(&state, connection, &tracker, request))
    };
    let served = Box::pin(builder.serve_connection(TokioIo::new(stream), service));
    async move { drive(&state, &tracker, served, tracker.too_many_abandoned()).await }
}

/// Runs a connection until it ends, is drained, becomes idle, or has to be cut. It is boxed: a future that takes it
/// over would contain it twice.
async fn drive<C>(
    state: &ServerState,
    tracker: &IdleTracker,
    mut connection: Pin<Box<C>>,
    abused: impl Future<Output = ()>,
) where
    C: GracefulConnection,
    C::Error: std::fmt::Display,
{
    let timeouts = &state.timeouts;
    let drained = tokio::select! {
        result = connection.as_mut() => return log_end(result),
        () = state.cut.cancelled() => return,
        () = state.draining.cancelled() => true,
        () = abused => return count_refused("resets"),
        inactivity = tracker.inactivity(timeouts) => match inactivity {
            Inactivity::Idle => false,
            Inactivity::Stalled => return,
        },
    };
    connection.as_mut().graceful_shutdown();
    tokio::select! {
        result = connection => log_end(result),
        () = state.cut.cancelled() => {}
        () = close_deadline(tracker, timeouts, drained) => {}
    }
}

/// Waits until a connection that was asked to close has had its time. A drain has a limit of its own for all
/// connections together: until then requests in flight may go on.
async fn close_deadline(tracker: &IdleTracker, timeouts: &Timeouts, drained: bool) {
    if !drained {
        return tokio::time::sleep(timeouts.close).await;
    }
    // The last response may still be on its way to a slow client; over HTTP/2, a client may never confirm that it
    // received GOAWAY.
    loop {
        tokio::time::sleep(timeouts.close).await;
        if tracker.is_idle() {
            return;
        }
    }
}

fn log_end<E: std::fmt::Display>(result: Result<(), E>) {
    if let Err(error) = result {
        // Clients disconnect at any time: this is not a fault of the service.
        tracing::debug!(%error, "connection ended early");
    }
}

fn count_refused(reason: &'static str) {
    metrics::counter!(HTTP_CONNECTIONS_REFUSED, "reason" => reason).increment(1);
}

fn usize_of(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
