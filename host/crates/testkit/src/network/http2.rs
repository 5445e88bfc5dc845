//! HTTP/2 frame by frame (RFC 9113), with header blocks written literally (RFC 7541): a client that can break every
//! rule.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::network::http1;

/// Frame type of a piece of a body.
pub const DATA: u8 = 0;
/// Frame type that opens a stream.
pub const HEADERS: u8 = 1;
/// Frame type that ends a stream early.
pub const RST_STREAM: u8 = 3;
/// Frame type of connection settings.
pub const SETTINGS: u8 = 4;
/// Frame type of a ping.
pub const PING: u8 = 6;
/// Frame type that ends the connection.
pub const GOAWAY: u8 = 7;
/// Frame type that allows more data.
pub const WINDOW_UPDATE: u8 = 8;
/// Frame type of further header fields.
pub const CONTINUATION: u8 = 9;

/// Flag: the sender's last frame of the stream.
pub const END_STREAM: u8 = 1;
/// Flag: answers settings or a ping.
pub const ACK: u8 = 1;
/// Flag: no CONTINUATION follows.
pub const END_HEADERS: u8 = 4;

/// What opens every connection.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// `SETTINGS_HEADER_TABLE_SIZE` of nothing: answers refer to no earlier ones, so that they can be read one by one.
const NO_TABLE: [u8; 6] = [0, 1, 0, 0, 0, 0];

/// One frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The frame type.
    pub kind: u8,
    /// The flags.
    pub flags: u8,
    /// The stream, 0 for the connection.
    pub stream: u32,
    /// What follows the nine bytes of the head.
    pub payload: Vec<u8>,
}

/// A connection.
pub struct H2 {
    /// The connection below.
    pub wire: TlsStream<TcpStream>,
}

/// How a stream or its connection ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// An answer with this status.
    Answer(u16),
    /// The stream was reset, with this code.
    Reset(u32),
    /// The connection was ended: with this code, or without a word.
    Gone(Option<u32>),
}

impl H2 {
    /// Connects and exchanges the first settings.
    pub async fn connect(address: SocketAddr, cert_pem: &str) -> Self {
        let mut h2 = Self::silent(address, cert_pem).await;
        h2.send(PREFACE).await;
        h2.frame(SETTINGS, 0, 0, &NO_TABLE).await;
        h2.frame(SETTINGS, ACK, 0, &[]).await;
        h2
    }

    /// Connects and says nothing.
    pub async fn silent(address: SocketAddr, cert_pem: &str) -> Self {
        Self {
            wire: http1::tls(address, cert_pem, b"h2").await,
        }
    }

    /// Sends bytes; false when the server has closed.
    pub async fn send(&mut self, bytes: &[u8]) -> bool {
        self.wire.write_all(bytes).await.is_ok() && self.wire.flush().await.is_ok()
    }

    /// Sends a frame; false when the connection has ended.
    pub async fn frame(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> bool {
        self.send(&frame(kind, flags, stream, payload)).await
    }

    /// A request's head in one frame.
    pub async fn request(&mut self, stream: u32, fields: &[(&str, &str)], end: bool) -> bool {
        let flags = END_HEADERS | if end { END_STREAM } else { 0 };
        self.frame(HEADERS, flags, stream, &block(fields)).await
    }

    /// The next frame, pings answered; none when the server has closed.
    pub async fn next(&mut self) -> Option<Frame> {
        let frame = self.read().await?;
        if frame.kind == PING && frame.flags & ACK == 0 {
            self.frame(PING, ACK, 0, &frame.payload).await;
        }
        Some(frame)
    }

    async fn read(&mut self) -> Option<Frame> {
        let read = async {
            let mut head = [0; 9];
            self.wire.read_exact(&mut head).await.ok()?;
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            let mut payload = vec![0; usize::try_from(length).expect("length")];
            self.wire.read_exact(&mut payload).await.ok()?;
            Some(Frame {
                kind: head[3],
                flags: head[4],
                stream: u32::from_be_bytes([head[5] & 0x7f, head[6], head[7], head[8]]),
                payload,
            })
        };
        tokio::time::timeout(http1::PATIENCE, read)
            .await
            .expect("a frame or the end")
    }

    /// Reads until `stream` is answered whole or reset, or the connection ends.
    pub async fn end_of(&mut self, stream: u32) -> End {
        let mut status = None;
        loop {
            let Some(frame) = self.next().await else {
                return End::Gone(None);
            };
            match frame.kind {
                GOAWAY => return End::Gone(Some(code(&frame.payload[4..8]))),
                RST_STREAM if frame.stream == stream => {
                    // A server that has answered whole may say that it wants no more of the body.
                    return status.map_or_else(|| End::Reset(code(&frame.payload)), End::Answer);
                }
                HEADERS if frame.stream == stream => {
                    status = Some(status_of(&frame.payload));
                }
                _ => {}
            }
            if let (HEADERS | DATA, Some(status)) = (frame.kind, status)
                && frame.stream == stream
                && frame.flags & END_STREAM != 0
            {
                return End::Answer(status);
            }
        }
    }

    /// Whether a request on another stream is answered as it should be.
    pub async fn still_serves(&mut self, stream: u32) -> bool {
        self.request(stream, &get("/health"), true).await;
        self.end_of(stream).await == End::Answer(200)
    }
}

/// The head of a plain request.
pub fn get(path: &str) -> [(&str, &str); 4] {
    [
        (":method", "GET"),
        (":scheme", "https"),
        (":authority", "localhost"),
        (":path", path),
    ]
}

/// The bytes of a frame.
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("length").to_be_bytes();
    let head = [&length[1..], &[kind, flags], &stream.to_be_bytes()].concat();
    [head, payload.to_vec()].concat()
}

/// A header block of literals, none of them kept in a table.
pub fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        text(&mut block, name);
        text(&mut block, value);
    }
    block
}

/// A string literal (RFC 7541, section 5.2), without Huffman coding.
fn text(block: &mut Vec<u8>, text: &str) {
    let mut length = text.len();
    if length < 127 {
        block.push(u8::try_from(length).expect("short"));
    } else {
        block.push(127);
        length -= 127;
        while length >= 128 {
            block.push(u8::try_from(length % 128).expect("digit") | 128);
            length /= 128;
        }
        block.push(u8::try_from(length).expect("digit"));
    }
    block.extend_from_slice(text.as_bytes());
}

/// The error code at the start of a RST_STREAM payload or in a GOAWAY.
pub fn code(bytes: &[u8]) -> u32 {
    u32::from_be_bytes(bytes[..4].try_into().expect("a code"))
}

/// The status, which comes first in a block: from the fixed table, or as a literal that may be Huffman-coded.
fn status_of(block: &[u8]) -> u16 {
    let mut rest = block;
    // Changes of the table's size.
    while rest[0] & 0xe0 == 0x20 {
        rest = &rest[1..];
    }
    match rest[0] {
        0x88 => 200,
        0x89 => 204,
        0x8a => 206,
        0x8b => 304,
        0x8c => 400,
        0x8d => 404,
        0x8e => 500,
        0x48 | 0x08 | 0x18 => digits(rest[1], &rest[2..]).parse().expect("status"),
        other => panic!("not a status: {other:#x}"),
    }
}

fn digits(length: u8, bytes: &[u8]) -> String {
    let bytes = &bytes[..usize::from(length & 0x7f)];
    if length & 0x80 == 0 {
        return String::from_utf8(bytes.to_vec()).expect("digits");
    }
    let bits: Vec<u8> = bytes
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1))
        .collect();
    let number = |bits: &[u8]| bits.iter().fold(0_u32, |sum, bit| sum << 1 | u32::from(*bit));
    let (mut text, mut rest) = (String::new(), bits.as_slice());
    // 0, 1 and 2 have five bits, the other digits six (RFC 7541, appendix B).
    while text.len() < 3 {
        let (digit, used) = match number(&rest[..5]) {
            short @ 0..=2 => (short, 5),
            _ => (number(&rest[..6]) - 0b01_1001 + 3, 6),
        };
        text.push(char::from_digit(digit, 10).expect("digit"));
        rest = &rest[used..];
    }
    text
}

#[test]
fn statuses_are_read_in_every_form() {
    assert_eq!(status_of(&[0x20, 0x88]), 200);
    assert_eq!(status_of(&[0x48, 3, b'4', b'0', b'1']), 401);
    // 401: 011010 00000 00001
    assert_eq!(status_of(&[0x48, 0x82, 0b0110_1000, 0b0000_0001]), 401);
}
