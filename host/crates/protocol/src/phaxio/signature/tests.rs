//! Known signatures in both directions, and what is no signature.

use super::*;

#[test]
fn order_of_fields_does_not_matter_unless_names_repeat() {
    let fields = [("b", "2"), ("a", "x"), ("a", "y"), ("B", "1")];
    let files = [("p", "00"), ("P", "11"), ("p", "22")];
    assert_eq!(form_message(fields, files), "B1axayb2P11p00p22");
    let reversed = [("B", "1"), ("a", "x"), ("a", "y"), ("b", "2")];
    assert_eq!(form_message(reversed, files), "B1axayb2P11p00p22");
    assert_eq!(form_message([], []), "");
}

#[test]
fn the_number_of_digits_names_the_scheme() {
    let scheme = |digits: usize| Signature::parse(&"0".repeat(digits)).map(|signature| signature.scheme);
    assert_eq!(scheme(40), Ok(SignatureScheme::Form));
    assert_eq!(scheme(64), Ok(SignatureScheme::Body));
    for digits in [0, 2, 38, 42, 62, 66, 128] {
        assert_eq!(scheme(digits), Err(SignatureTextError::Length), "{digits}");
    }
}

#[test]
fn other_texts_are_no_signature() {
    for text in [
        "0",
        "sha256=00",
        "00 ",
        "\u{fc}\u{fc}",
        &"g".repeat(40),
        &"0".repeat(39),
    ] {
        assert_eq!(
            Signature::parse(text),
            Err(SignatureTextError::NotHexadecimal),
            "{text}"
        );
    }
    let upper = "55AF46383F485912AE9EA3E7A18F2766CF9990D4";
    assert_eq!(Signature::parse(upper), Err(SignatureTextError::UpperCase));
    let lower = Signature::parse(&upper.to_lowercase()).expect("a signature");
    assert_eq!(lower.code.first_chunk(), Some(&[0x55, 0xaf]));
}
