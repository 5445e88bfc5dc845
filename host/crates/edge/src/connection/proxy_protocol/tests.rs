//! Headers of both versions, and what is none.

use super::*;

/// Reads a header; answers what was said and what is left.
async fn of(mut bytes: &[u8]) -> (Result<Option<Source>, ProxyError>, Vec<u8>) {
    let read = read(&mut bytes).await;
    (read, bytes.to_vec())
}

fn v2(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let length = u16::try_from(rest.len()).expect("length").to_be_bytes();
    [PROTOCOL_PREFIX, &[command, family], &length, rest, b"GET /"].concat()
}

const V4: [u8; 12] = [192, 0, 2, 7, 10, 0, 0, 1, 0x12, 0x67, 1, 0xbb];

#[tokio::test]
async fn both_versions_name_the_client_and_leave_the_rest() {
    let line = b"PROXY TCP4 192.0.2.7 10.0.0.1 4711 443\r\nGET /".to_vec();
    let six = [
        &[0x20, 1, 0xd, 0xb8][..],
        &[0; 11],
        &[9],
        &[0; 16],
        &[0, 80, 1, 0xbb],
    ]
    .concat();
    let ssl = [&V4[..], &[0x20, 0, 5, 1, 0, 0, 0, 0]].concat();
    for (bytes, address, tls) in [
        (line, "192.0.2.7:4711", false),
        (
            b"PROXY TCP6 2001:db8::9 2001:db8::1 80 443\r\nGET /".to_vec(),
            "[2001:db8::9]:80",
            false,
        ),
        (v2(0x21, 0x11, &V4), "192.0.2.7:4711", false),
        (v2(0x21, 0x21, &six), "[2001:db8::9]:80", false),
        (v2(0x21, 0x11, &ssl), "192.0.2.7:4711", true),
    ] {
        let (read, rest) = of(&bytes).await;
        let source = read.expect("header").expect("client");
        assert_eq!((source.address.to_string().as_str(), source.tls), (address, tls));
        assert_eq!(rest, b"GET /");
    }
}

#[tokio::test]
async fn a_connection_may_be_the_proxys_own() {
    for bytes in [
        b"PROXY UNKNOWN\r\nGET /".to_vec(),
        b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\nGET /".to_vec(),
        v2(0x20, 0x00, &[]),
        v2(0x20, 0x11, &V4),
        v2(0x21, 0x00, &[]),
    ] {
        let (read, rest) = of(&bytes).await;
        assert_eq!(read.expect("header"), None, "{bytes:?}");
        assert_eq!(rest, b"GET /");
    }
}

#[tokio::test]
async fn anything_else_is_no_header() {
    for bytes in [
        b"GET /health HTTP/1.1\r\n\r\n".to_vec(),
        b"PROXY".to_vec(),
        b"PROXY TCP4 192.0.2.7\r\n".to_vec(),
        b"PROXY TCP4 192.0.2.777 10.0.0.1 1 2\r\n".to_vec(),
        b"PROXY TCP4 192.0.2.7 10.0.0.1 1 70000\r\n".to_vec(),
        b"PROXY TCP4 2001:db8::9 2001:db8::1 80 443\r\n".to_vec(),
        [b"PROXY UNKNOWN ".to_vec(), vec![b'x'; 200]].concat(),
        v2(0x31, 0x11, &V4),
        v2(0x2f, 0x11, &V4),
        v2(0x21, 0x11, &V4[..8]),
        v2(0x21, 0x11, &[0; 5000]),
        v2(0x21, 0x11, &V4)[..20].to_vec(),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x00".to_vec(),
    ] {
        let (read, _) = of(&bytes).await;
        assert!(read.is_err(), "{:?}", String::from_utf8_lossy(&bytes));
    }
}
