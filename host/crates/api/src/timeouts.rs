//! Every time-out and size of the edge in one table.

use std::time::Duration;

use faxgate_base::size::{KIB, MIB};

/// How long the edge waits, and how much it takes in, before it lets go of a client.
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
    /// A write that the client doesn't take.
    pub write: Duration,
    /// A connection without any request, HTTP/2 included.
    pub idle: Duration,
    /// A request during which nothing moves in either direction; longer than any handler may take.
    pub stuck: Duration,
    /// Between asking a connection to close and cutting it.
    pub close: Duration,
    /// Reading on after our side is closed, so that a client that is still sending can read its answer.
    pub linger: Duration,
    /// Between two HTTP/2 pings, and for the answer to one.
    pub ping: Duration,
    /// Requests in flight at the end of the service.
    pub drain: Duration,
}

/// Connections beyond which each has less memory: whoever opens thousands and reads nothing shall not fill it.
pub(super) const CROWD: usize = 256;
/// Encrypted bytes that may wait for a client to take them, on a connection beyond [`CROWD`]; a record of TLS.
pub(super) const CROWDED_BUFFER: u64 = 16 * KIB;
/// Most bytes of a request head.
pub(super) const MAX_HEAD: u64 = 32 * KIB;
/// Most bytes that HTTP/1 buffers of one connection.
pub(super) const MAX_BUFFER: u64 = 128 * KIB;
/// Requests that one HTTP/2 connection may have in flight.
pub(super) const MAX_STREAMS: u32 = 100;
/// Streams reset by the client before we looked at them; more end the connection (rapid reset).
pub(super) const MAX_PENDING_RESETS: usize = 20;
/// Requests that a client may give up on one connection before their answer is whole, beyond those it waited for;
/// more end the connection.
pub(super) const MAX_GIVEN_UP: usize = 100;
/// Bytes of one HTTP/2 request body on the wire that we haven't read yet.
pub(super) const STREAM_WINDOW: u32 = 256 * 1024;
/// The same of all streams of a connection.
pub(super) const CONNECTION_WINDOW: u32 = 1024 * 1024;
/// Most bytes of a JSON or form body.
pub(super) const MAX_SMALL_BODY: u64 = 64 * KIB;
/// Most bytes of a status callback.
pub(super) const MAX_CALLBACK: u64 = MIB;
/// Most bytes of a delivered fax: the provider's limit for one document and room for what comes with it.
pub(super) const MAX_INBOUND: u64 = 21 * MIB;
/// What a multipart upload may be larger than its file: the other fields, part headers and boundaries.
pub(super) const MULTIPART_OVERHEAD: u64 = 256 * KIB;

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(15),
            head: Duration::from_secs(15),
            body: Duration::from_secs(30),
            body_window_bytes: 16 * KIB,
            write: Duration::from_secs(30),
            idle: Duration::from_secs(60),
            stuck: Duration::from_secs(300),
            close: Duration::from_secs(15),
            linger: Duration::from_secs(5),
            ping: Duration::from_secs(20),
            drain: Duration::from_secs(30),
        }
    }
}
