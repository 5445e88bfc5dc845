//! Parameters of a header value: `form-data; name="file"; filename=letter.pdf` (RFC 2045, section 5.1).
//!
//! Names are case-insensitive, and white space around `=` is accepted. In a quoted value only `\"` is unescaped:
//! browsers of the past sent whole Windows paths with plain backslashes.

/// The parameters of `value` after its first semicolon: names in lower case, values without quotes.
pub(super) fn parameters(value: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = value.split_once(';').map_or("", |(_, rest)| rest);
    while !rest.is_empty() {
        let Some(at) = rest.find(['=', ';']) else {
            break;
        };
        let (name, after) = rest.split_at(at);
        let Some(after) = after.strip_prefix('=') else {
            // A parameter without a value.
            rest = after.strip_prefix(';').unwrap_or_default();
            continue;
        };
        let (value, after) = split_value(after.trim_start());
        found.push((name.trim().to_ascii_lowercase(), value));
        rest = after;
    }
    found
}

/// The first parameter of this name, given in lower case.
pub(super) fn parameter(value: &str, name: &str) -> Option<String> {
    let all = parameters(value).into_iter();
    all.filter(|(found, _)| found == name)
        .map(|(_, value)| value)
        .next()
}

/// A value, quoted or not, and what follows the next semicolon.
fn split_value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let (value, rest) = text.split_once(';').unwrap_or((text, ""));
        return (value.trim_end().to_owned(), rest);
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => {
                let rest = quoted.get(at + 1..).unwrap_or_default();
                return (value, rest.split_once(';').map_or("", |(_, rest)| rest));
            }
            '\\' if characters.peek().is_some_and(|(_, next)| *next == '"') => {
                value.push('"');
                characters.next();
            }
            other => value.push(other),
        }
    }
    // The closing quote is missing.
    (value, "")
}

#[cfg(test)]
mod tests;
