//! Signs and checks callbacks. What is signed: [`super`].

use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use sha1::{Digest as _, Sha1};
use sha2::Sha256;

use super::{SignatureScheme, form_message};

/// Phaxio's signature of a form that is sent to `url`; fields and files as in [`form_message`].
#[must_use]
pub fn sign_form<'a>(
    token: &[u8],
    url: &str,
    fields: impl IntoIterator<Item = (&'a str, &'a str)>,
    files: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> String {
    let message = form_message(fields, files);
    written(keyed::<Hmac<Sha1>>(token, &[url.as_bytes(), message.as_bytes()]))
}

/// Faxbot's signature of a body.
#[must_use]
pub fn sign_body(secret: &[u8], body: &[u8]) -> String {
    written(keyed::<Hmac<Sha256>>(secret, &[body]))
}

/// Whether `code` is what `scheme` makes of `key` and the parts of a message. Takes the same time for every wrong
/// code.
#[must_use]
pub fn verify(scheme: SignatureScheme, key: &[u8], message: &[&[u8]], code: &[u8]) -> bool {
    match scheme {
        SignatureScheme::Form => holds(keyed::<Hmac<Sha1>>(key, message), code),
        SignatureScheme::Body => holds(keyed::<Hmac<Sha256>>(key, message), code),
    }
}

/// Lower-case hexadecimal SHA-1 of a file, as the signed message names it.
#[must_use]
pub fn file_digest(content: &[u8]) -> String {
    hex::encode(Sha1::digest(content))
}

/// The authentication code of a message. Always some: a key of any length is one for HMAC.
fn keyed<M: Mac + KeyInit>(key: &[u8], message: &[&[u8]]) -> Option<M> {
    let mut mac = <M as Mac>::new_from_slice(key).ok()?;
    for part in message {
        mac.update(part);
    }
    Some(mac)
}

fn written(mac: Option<impl Mac>) -> String {
    mac.map_or_else(String::new, |mac| hex::encode(mac.finalize().into_bytes()))
}

fn holds(mac: Option<impl Mac>, code: &[u8]) -> bool {
    mac.is_some_and(|mac| mac.verify_slice(code).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phaxio::signature::Signature;
    use crate::phaxio::signature::vectors::{BODY, FORM};

    #[test]
    fn the_known_signatures_come_out_and_hold() {
        for vector in FORM {
            let files: Vec<_> = vector
                .files
                .iter()
                .map(|(name, content)| (*name, file_digest(content)))
                .collect();
            let files = || files.iter().map(|(name, digest)| (*name, digest.as_str()));
            let fields = || vector.fields.iter().copied();
            let made = sign_form(vector.token.as_bytes(), vector.url, fields(), files());
            assert_eq!(made, vector.signature);
            let Signature { scheme, code } = Signature::parse(&made).expect("a signature");
            let message = form_message(fields(), files());
            let holds = |url: &str| {
                let message = [url.as_bytes(), message.as_bytes()];
                verify(scheme, vector.token.as_bytes(), &message, &code)
            };
            assert!(holds(vector.url));
            assert!(!holds("https://fax.example.test/"));
        }
        for vector in BODY {
            assert_eq!(sign_body(vector.secret.as_bytes(), vector.body), vector.signature);
            let Signature { scheme, code } = Signature::parse(vector.signature).expect("a signature");
            assert!(verify(scheme, vector.secret.as_bytes(), &[vector.body], &code));
            assert!(!verify(scheme, b"jefe", &[vector.body], &code));
        }
    }
}
