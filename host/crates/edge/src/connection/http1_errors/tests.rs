//! Which bytes of the HTTP library are replaced.

use super::*;

#[test]
fn only_the_librarys_own_error_responses_are_replaced() {
    let bare = "HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\
                date: Mon, 01 Jan 2029 00:00:00 GMT\r\n\r\n";
    assert_eq!(bare_status(bare.as_bytes()), Some(431));
    for other in [
        bare.replace("431", "200"),
        bare.replace("date:", "x-request-id: a\r\ndate:"),
        bare.replace("content-length: 0", "content-length: 1"),
        format!("{bare}x"),
        format!("x{bare}"),
    ] {
        assert_eq!(bare_status(other.as_bytes()), None, "{other}");
    }
}
