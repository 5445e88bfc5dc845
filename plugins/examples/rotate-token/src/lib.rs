//! Vouches for callbacks that are still signed with the previous callback token, so that a token can be changed
//! without losing the callbacks of faxes under way.
//!
//! ```toml
//! [plugins."rotate-token".secrets]
//! old-callback-token = "the previous token"
//! ```
//!
//! It only vouches for the proof; the built-in policy reads the content. Remove it when the last fax of the old
//! token is done.

#[cfg(target_family = "wasm")]
mod guest;

/// A name and a value.
pub type Pair = (String, String);

/// The raw code of the one `x-phaxio-signature` header, when it has the 40 digits of Phaxio's own scheme.
pub fn claimed(headers: &[Pair]) -> Option<Vec<u8>> {
    let mut claims = headers.iter().filter(|(name, _)| name == "x-phaxio-signature");
    let (_, claim) = claims.next()?;
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = claim.as_bytes().as_chunks::<2>();
    if claims.next().is_some() || !rest.is_empty() || pairs.len() != 20 {
        return None;
    }
    pairs
        .iter()
        .map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?))
        .collect()
}

/// The signed text (<https://www.phaxio.com/docs/security/callbacks>): address, fields sorted by name, files
/// sorted by part name, nothing between them. `files` are part names with their SHA-1.
///
/// None when the request holds what that scheme does not cover or what could be cut in another way: to vouch for
/// a request is to vouch for all of it.
pub fn message(url: &str, headers: &[Pair], mut fields: Vec<Pair>, mut files: Vec<Pair>) -> Option<String> {
    let form = |kind: &str| {
        kind.starts_with("multipart/form-data") || kind.starts_with("application/x-www-form-urlencoded")
    };
    let is_form = headers
        .iter()
        .any(|(name, value)| name == "content-type" && form(&value.to_ascii_lowercase()));
    let has_fax = fields.iter().filter(|(name, _)| name == "fax").count() == 1;
    let odd = |text: &str| text.contains(['{', '"']);
    if !is_form || !has_fax || odd(url) || fields.iter().any(|(name, _)| odd(name)) {
        return None;
    }
    fields.sort_by(|a, b| a.0.cmp(&b.0));
    files.sort_by(|a, b| a.0.cmp(&b.0));
    let tail = fields
        .iter()
        .chain(&files)
        .flat_map(|(name, value)| [name.as_str(), value.as_str()]);
    Some(std::iter::once(url).chain(tail).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(name: &str, value: &str) -> Pair {
        (name.to_owned(), value.to_owned())
    }

    fn form() -> Vec<Pair> {
        vec![pair("content-type", "multipart/form-data; boundary=x")]
    }

    #[test]
    fn the_text_is_sorted_and_unseparated() {
        let fields = vec![pair("fax", "{}"), pair("event_type", "fax_completed")];
        let files = vec![pair("file", "b"), pair("a", "c")];
        assert_eq!(
            message("https://h/c", &form(), fields, files).as_deref(),
            Some("https://h/cevent_typefax_completedfax{}acfileb")
        );
    }

    #[test]
    fn nothing_is_vouched_for_that_is_not_covered() {
        let fax = || vec![pair("fax", "{}")];
        let json = [pair("content-type", "application/json")];
        assert_eq!(message("https://h", &json, fax(), vec![]), None);
        assert_eq!(message("https://h", &form(), vec![], vec![]), None);
        assert_eq!(message("https://h?x{", &form(), fax(), vec![]), None);
    }

    #[test]
    fn only_forty_hexadecimal_digits_are_a_signature() {
        let of = |value: &str| claimed(&[pair("x-phaxio-signature", value)]);
        assert_eq!(of(&"0f".repeat(20)), Some(vec![15; 20]));
        for other in ["", "zz", &"0f".repeat(32), &"0F".repeat(20), &"g0".repeat(20)] {
            assert_eq!(of(other), None);
        }
        assert_eq!(claimed(&[]), None);
    }
}
