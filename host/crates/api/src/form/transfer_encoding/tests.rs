//! Encoded parts, cut into pieces at every place.

use super::*;

fn decode(encoding: TransferEncoding, pieces: &[&str]) -> Result<Vec<u8>, Malformed> {
    let mut decoder = Decoder::new(encoding);
    let mut decoded = Vec::new();
    for piece in pieces {
        decoded.extend_from_slice(&decoder.decode(Bytes::copy_from_slice(piece.as_bytes()))?);
    }
    decoded.extend_from_slice(&decoder.finish()?);
    Ok(decoded)
}

#[test]
fn both_encodings_are_decoded_however_they_are_cut() {
    use TransferEncoding::{Base64, QuotedPrintable};
    for (encoding, text, expected) in [
        (Base64, "JVBERi0xLjcK", "%PDF-1.7\n"),
        (Base64, "JVBE\r\nRi0x\r\nLjc=\r\n", "%PDF-1.7"),
        (Base64, "JVBERi0xLjc", "%PDF-1.7"),
        (Base64, "", ""),
        (
            QuotedPrintable,
            "Gr=C3=BC=C3=9Fe, n=\r\n=c3=a4chste",
            "Grüße, nächste",
        ),
        (QuotedPrintable, "a=\nb\r\nc=", "ab\r\nc"),
    ] {
        for first in 0..=text.len() {
            for second in first..=text.len() {
                let pieces = [&text[..first], &text[first..second], &text[second..]];
                let decoded = decode(encoding, &pieces);
                assert_eq!(decoded.as_deref(), Ok(expected.as_bytes()), "{pieces:?}");
            }
        }
    }
}

#[test]
fn what_is_not_encoded_as_it_says_is_refused() {
    use TransferEncoding::{Base64, QuotedPrintable};
    for (encoding, text) in [
        (Base64, "%PDF-1.7"),
        (Base64, "JVBERi0xLjc=JVBE"),
        (Base64, "J"),
        (QuotedPrintable, "100=%"),
        (QuotedPrintable, "a=C"),
        (QuotedPrintable, "a=\rb"),
    ] {
        assert_eq!(decode(encoding, &[text]), Err(Malformed), "{text}");
    }
}

#[test]
fn the_identity_encodings_change_nothing() {
    for name in ["", "7bit", "8BIT", " binary "] {
        assert_eq!(
            TransferEncoding::of(name.as_bytes()),
            Some(TransferEncoding::Identity)
        );
    }
    assert_eq!(TransferEncoding::of(b"x-uuencode"), None);
    assert_eq!(
        decode(TransferEncoding::Identity, &["a=C3"]),
        Ok(b"a=C3".to_vec())
    );
}
