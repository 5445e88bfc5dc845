//! What a dialled string means here.
//!
//! As it stands, four digits are an internal extension: the setting `prefix` is put before them, and the
//! next normalizer reads the whole number. Everything else is left to that one.
//!
//! The rules are plain Rust with plain tests (`cargo test`); `guest.rs` is the only file that knows the component model.

#[cfg(target_family = "wasm")]
mod guest;

/// The text to read instead, or none when this policy has nothing to say about it.
///
/// `prefix` is the setting of that name, for example `+1 212 555`.
pub fn rewrite(raw: &str, prefix: &str) -> Option<String> {
    let is_extension = raw.len() == 4 && raw.bytes().all(|byte| byte.is_ascii_digit());
    is_extension.then(|| format!("{prefix}{raw}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_are_written_out() {
        assert_eq!(rewrite("0100", "+1212555").as_deref(), Some("+12125550100"));
    }

    #[test]
    fn other_numbers_are_left_alone() {
        for other in ["", "100", "01000", "010x", "+12125550100"] {
            assert_eq!(rewrite(other, "+1212555"), None);
        }
    }
}
