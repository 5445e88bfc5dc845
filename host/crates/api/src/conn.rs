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

use super::activity::{Activity, Quiet};
use super::admission::Slot;
use super::client::{Connection, Scheme};
use super::refusal::Refusals;
use super::server::Inner;
use super::socket::Socket;
use super::timeouts::{
    CONNECTION_WINDOW, CROWD, CROWDED_BUFFER, MAX_BUFFER, MAX_HEAD, MAX_PENDING_RESETS, MAX_STREAMS,
    STREAM_WINDOW, Timeouts,
};
use super::{edge, proxy};
use faxgate_edge::tls::ServerTls;
use faxgate_telemetry::metrics::HTTP_CONNECTIONS_REFUSED;

/// Serves one connection to its end.
pub(super) async fn serve(
    server: Arc<Inner>,
    stream: TcpStream,
    connection: Connection,
    tls: Option<ServerTls>,
) {
    // Answers are written whole: waiting for more to fill a packet would only delay them.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY refused");
    }
    let Some((stream, connection, _slot)) = announced(&server, stream, connection).await else {
        return;
    };
    let activity = Activity::new();
    let socket = Socket::new(stream, server.edge.timeouts(), activity.unread().clone());
    let Some(tls) = tls else {
        return http1(server, socket, connection, activity).await;
    };
    // Boxed, since a connection outlives its handshake by far and would keep the room for it.
    let crowded = server.admission.in_use() > CROWD;
    let acceptor = TlsAcceptor::from(tls.acceptor_config());
    let handshake = Box::pin(acceptor.accept_with(socket, move |tls| {
        if crowded {
            tls.set_buffer_limit(Some(usize_of(CROWDED_BUFFER)));
        }
    }));
    let outcome = tokio::select! {
        // Nothing is in flight before the handshake is done.
        () = server.draining.cancelled() => return,
        outcome = tokio::time::timeout(server.edge.timeouts().handshake, handshake) => outcome,
    };
    match outcome {
        Ok(Ok(stream)) => {
            // The protocol is what was agreed on, not what the first bytes look like.
            match stream.get_ref().1.alpn_protocol() {
                Some(b"h2") => http2(server, stream, connection, activity).await,
                None | Some(b"http/1.1") => http1(server, stream, connection, activity).await,
                // A certificate authority has seen its proof: the handshake is all there is (RFC 8737, section 3).
                Some(_) => {}
            }
        }
        Ok(Err(error)) => {
            refused("handshake");
            tracing::debug!(%error, "TLS handshake failed");
        }
        Err(_) => refused("handshake_timeout"),
    }
}

/// Takes a trusted proxy's word for whom a connection is, and counts it against that address.
async fn announced(
    server: &Inner,
    mut stream: TcpStream,
    mut connection: Connection,
) -> Option<(TcpStream, Connection, Option<Slot>)> {
    if !server.edge.expects_proxy_header(connection.peer.ip()) {
        return Some((stream, connection, None));
    }
    let header = tokio::select! {
        () = server.draining.cancelled() => return None,
        header = tokio::time::timeout(server.edge.timeouts().handshake, proxy::read(&mut stream)) => header,
    };
    let source = match header {
        Ok(Ok(Some(source))) => source,
        Ok(Ok(None)) => return Some((stream, connection, None)),
        Ok(Err(error)) => {
            refused("proxy_header");
            tracing::warn!(%error, proxy = %connection.peer.ip(), "a trusted proxy sent no PROXY header");
            return None;
        }
        Err(_) => {
            refused("proxy_header_timeout");
            return None;
        }
    };
    connection.peer = source.address;
    connection.proxied = true;
    if source.tls {
        connection.scheme = Scheme::Https;
    }
    let slot = server.admission.slot(source.address.ip());
    if slot.is_none() && !server.edge.is_trusted_proxy(source.address.ip()) {
        refused("address");
        return None;
    }
    Some((stream, connection, slot))
}

fn http1<S>(
    server: Arc<Inner>,
    stream: S,
    connection: Connection,
    activity: Arc<Activity>,
) -> impl Future<Output = ()> + Send + use<S>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(server.edge.timeouts().head)
        .max_header_size(usize_of(MAX_HEAD))
        .max_buf_size(usize_of(MAX_BUFFER));
    let service = {
        let (server, activity) = (Arc::clone(&server), Arc::clone(&activity));
        service_fn(move |request| edge::answer(&server, connection, &activity, request))
    };
    let stream = Refusals::new(stream, Arc::clone(&server), connection, Arc::clone(&activity));
    let served = Box::pin(builder.serve_connection(TokioIo::new(stream), service));
    // A client that gives up an answer ends the connection with it.
    async move { drive(&server, &activity, served, std::future::pending()).await }
}

fn http2<S>(
    server: Arc<Inner>,
    stream: S,
    connection: Connection,
    activity: Arc<Activity>,
) -> impl Future<Output = ()> + Send + use<S>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let Timeouts { ping, .. } = *server.edge.timeouts();
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
        let (server, activity) = (Arc::clone(&server), Arc::clone(&activity));
        service_fn(move |request| edge::answer(&server, connection, &activity, request))
    };
    let served = Box::pin(builder.serve_connection(TokioIo::new(stream), service));
    async move { drive(&server, &activity, served, activity.abused()).await }
}

/// Runs a connection until it ends, is drained, falls silent, or has to be cut. It comes in a box: in a future, what is
/// handed over has room twice.
async fn drive<C>(
    server: &Inner,
    activity: &Activity,
    mut connection: Pin<Box<C>>,
    abused: impl Future<Output = ()>,
) where
    C: GracefulConnection,
    C::Error: std::fmt::Display,
{
    let timeouts = server.edge.timeouts();
    let drained = tokio::select! {
        result = connection.as_mut() => return ended(result),
        () = server.cut.cancelled() => return,
        () = server.draining.cancelled() => true,
        () = abused => return refused("resets"),
        quiet = activity.quiet(timeouts) => match quiet {
            Quiet::Idle => false,
            Quiet::Stuck => return,
        },
    };
    connection.as_mut().graceful_shutdown();
    tokio::select! {
        result = connection => ended(result),
        () = server.cut.cancelled() => {}
        () = overdue(activity, timeouts, drained) => {}
    }
}

/// Waits until a connection that was asked to close has had its time. The drain has a limit of its own for all
/// connections together, so that requests under way have that.
async fn overdue(activity: &Activity, timeouts: &Timeouts, drained: bool) {
    if !drained {
        return tokio::time::sleep(timeouts.close).await;
    }
    // What was answered last may still be on its way to a slow client; over HTTP/2, a client may never confirm that
    // it was told.
    loop {
        tokio::time::sleep(timeouts.close).await;
        if activity.is_idle() {
            return;
        }
    }
}

fn ended<E: std::fmt::Display>(result: Result<(), E>) {
    if let Err(error) = result {
        // Clients go away in the middle of things every day: nothing to wake anybody for.
        tracing::debug!(%error, "connection ended early");
    }
}

fn refused(reason: &'static str) {
    metrics::counter!(HTTP_CONNECTIONS_REFUSED, "reason" => reason).increment(1);
}

fn usize_of(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use hyper::body::Incoming;

    use super::*;

    /// Bytes of the future that `_function` makes.
    const fn of_connection<A, B, C, D, F: Future>(_function: &impl FnOnce(A, B, C, D) -> F) -> usize {
        size_of::<F>()
    }

    const fn of_request<F: Future>(
        _function: &impl FnOnce(&Inner, Connection, &Arc<Activity>, http::Request<Incoming>) -> F,
    ) -> usize {
        size_of::<F>()
    }

    #[test]
    fn connections_and_requests_take_little_room() {
        assert!(of_connection(&serve) < 4096, "{}", of_connection(&serve));
        let answer = of_request(&edge::answer::<Incoming>);
        assert!(answer < 1024, "{answer}");
    }
}
