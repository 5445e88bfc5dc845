//! Every time-out and size limit of connections in one table.

use std::time::Duration;

use faxgate_base::size::KIB;

/// How long to wait for clients.
#[derive(Clone, Debug)]
pub struct Timeouts {
    /// A TLS handshake, from the accepted connection on.
    pub handshake: Duration,
    /// A request head on HTTP/1, also the wait for the next one on an open connection.
    pub head: Duration,
    /// A window in which [`Timeouts::body_window_bytes`] of a request body must arrive.
    pub body: Duration,
    /// See [`Timeouts::body`].
    pub body_window_bytes: u64,
    /// A write of which the client reads nothing.
    pub write: Duration,
    /// A connection without any request, HTTP/2 included.
    pub idle: Duration,
    /// A request during which nothing moves in either direction; longer than any handler may take.
    pub stalled: Duration,
    /// Between asking a connection to close and cutting it.
    pub close: Duration,
    /// Discarding input after the sending side is closed, so that a client that is still sending can read its response.
    pub linger: Duration,
    /// Between two HTTP/2 pings, and for the answer to one.
    pub ping: Duration,
    /// Requests in flight at the end of the service.
    pub drain: Duration,
}

/// Connections beyond which each new one gets smaller buffers: thousands of clients that read nothing must not fill the
/// memory.
pub(crate) const MANY_CONNECTIONS: usize = 256;
/// Encrypted bytes that may wait until the client reads them, on a connection beyond [`MANY_CONNECTIONS`]: one record of
/// TLS.
pub(crate) const SMALL_TLS_BUFFER: u64 = 16 * KIB;
/// Most bytes of a request head.
pub(crate) const MAX_HEAD: u64 = 32 * KIB;
/// Most bytes that HTTP/1 buffers of one connection.
pub(crate) const MAX_BUFFER: u64 = 128 * KIB;
/// Requests that one HTTP/2 connection may have in flight.
pub(crate) const MAX_STREAMS: u32 = 100;
/// Streams that the client reset before they were handled; more end the connection (rapid reset).
pub(crate) const MAX_PENDING_RESETS: usize = 20;
/// Requests that a client may abandon on one connection before their response is whole, beyond the number of those that
/// completed; more end the connection.
pub(crate) const MAX_ABANDONED: usize = 100;
/// Most unread bytes of one HTTP/2 request body.
pub(crate) const STREAM_WINDOW: u32 = 256 * 1024;
/// The same of all streams of a connection.
pub(crate) const CONNECTION_WINDOW: u32 = 1024 * 1024;

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(15),
            head: Duration::from_secs(15),
            body: Duration::from_secs(30),
            body_window_bytes: 16 * KIB,
            write: Duration::from_secs(30),
            idle: Duration::from_secs(60),
            stalled: Duration::from_secs(300),
            close: Duration::from_secs(15),
            linger: Duration::from_secs(5),
            ping: Duration::from_secs(20),
            drain: Duration::from_secs(30),
        }
    }
}
