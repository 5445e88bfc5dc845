//! Heads as clients write them.

use http::HeaderValue;

use super::*;

fn head(headers: &[(&'static str, &str)]) -> Result<PartHead, String> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let value = HeaderValue::from_bytes(value.as_bytes()).expect("value");
        map.append(HeaderName::from_static(name), value);
    }
    PartHead::read(&map).map_err(|problem| problem.detail().to_owned())
}

#[test]
fn parameter_names_are_case_insensitive() {
    for disposition in [
        "form-data; NAME=\"file\"; FILENAME=\"letter.txt\"",
        "FORM-DATA; Name=file; Filename=letter.txt",
        "form-data; name=\"file\"; filename*=UTF-8''letter.txt",
    ] {
        let head = head(&[("content-disposition", disposition)]).expect("head");
        assert_eq!(head.name, "file", "{disposition}");
        assert_eq!(head.file_name().as_deref(), Some("letter.txt"), "{disposition}");
    }
}

#[test]
fn an_empty_file_input_differs_from_a_text_field() {
    let empty = head(&[("content-disposition", "form-data; name=\"file\"; filename=\"\"")]).expect("head");
    assert_eq!(empty.declared_file_name.as_deref(), Some(""));
    assert_eq!(empty.file_name(), None);
    let text = head(&[("content-disposition", "form-data; name=\"to\"")]).expect("head");
    assert_eq!(text.declared_file_name, None);
}

#[test]
fn type_charset_and_encoding_are_read() {
    let head = head(&[
        ("content-disposition", "form-data; name=\"file\"; filename=\"a\""),
        ("content-type", "Text/Plain; Charset=\"Windows-1251\""),
        ("content-transfer-encoding", " Base64 "),
    ])
    .expect("head");
    assert_eq!(head.media_type.as_deref(), Some("text/plain"));
    assert_eq!(head.charset.as_deref(), Some("windows-1251"));
    assert_eq!(head.encoding, TransferEncoding::Base64);
}

#[test]
fn a_form_within_a_form_and_unknown_encodings_are_named() {
    let to = ("content-disposition", "form-data; name=\"to\"");
    let nested = head(&[to, ("content-type", "multipart/mixed; boundary=x")]).expect_err("nested");
    assert!(
        nested.contains("part `to`") && nested.contains("--form-string"),
        "{nested}"
    );
    let unknown = head(&[to, ("content-transfer-encoding", "uuencode")]).expect_err("unknown");
    assert!(
        unknown.contains("part `to`") && unknown.contains("base64"),
        "{unknown}"
    );
}

#[test]
fn file_names_lose_their_path_and_invisible_characters() {
    let clean = |name| clean_file_name(name).unwrap_or_default();
    assert_eq!(clean("a.pdf"), "a.pdf");
    assert_eq!(clean("../../etc/passwd"), "passwd");
    assert_eq!(clean("C:\\fax\\b.pdf"), "b.pdf");
    assert_eq!(clean("x\r\ny"), "xy");
    assert_eq!(clean("invoice\u{202e}fdp.exe"), "invoicefdp.exe");
    assert_eq!(clean(".."), "");
    assert_eq!(clean(&"ä".repeat(300)).chars().count(), 255);
    assert_eq!(
        decode_extended("UTF-8''r%C3%A9sum%c3%a9+.pdf").as_deref(),
        Some("résumé+.pdf")
    );
    assert_eq!(decode_extended("UTF-8''%C3"), None);
}
