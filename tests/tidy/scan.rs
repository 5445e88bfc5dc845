//! Just enough reading of Rust to tell code from comments and strings and to find where a function ends.

/// The text with comments, strings and characters blanked; lines stay where they were.
pub(super) fn code_only(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let end = skip(bytes, at);
        if end == at {
            out.push(bytes[at]);
            at += 1;
        } else {
            out.extend(
                bytes[at..end]
                    .iter()
                    .map(|&b| if b == b'\n' { b'\n' } else { b' ' }),
            );
            at = end;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The end of the comment or literal that begins at `at`; `at` itself when none does.
fn skip(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    let in_name = at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_');
    if rest.starts_with(b"//") {
        return at + rest.iter().position(|&b| b == b'\n').unwrap_or(rest.len());
    }
    if rest.starts_with(b"/*") {
        return at + block_comment(rest);
    }
    if rest[0] == b'"' {
        return at + string(rest);
    }
    if !in_name && (rest[0] == b'r' || rest.starts_with(b"br")) {
        return at + raw_string(rest);
    }
    if rest[0] == b'\'' {
        return at + character(rest);
    }
    at
}

fn block_comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        if rest[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    at
}

fn string(rest: &[u8]) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

fn raw_string(rest: &[u8]) -> usize {
    let start = rest.iter().position(|&b| b == b'r').unwrap_or(0) + 1;
    let hashes = rest[start..].iter().take_while(|&&b| b == b'#').count();
    if rest.get(start + hashes) != Some(&b'"') {
        return 0;
    }
    let close = [b"\"".as_slice(), &b"#".repeat(hashes)].concat();
    let body = start + hashes + 1;
    let found = rest[body..]
        .windows(close.len())
        .position(|window| window == close);
    found.map_or(rest.len(), |found| body + found + close.len())
}

/// A character literal; a lifetime is none.
fn character(rest: &[u8]) -> usize {
    if rest.get(1) == Some(&b'\\') {
        let close = rest.iter().skip(3).position(|&b| b == b'\'');
        return close.map_or(rest.len(), |close| close + 4);
    }
    let text = String::from_utf8_lossy(&rest[..rest.len().min(8)]);
    let mut chars = text.chars().skip(1);
    match (chars.next(), chars.next()) {
        (Some(c), Some('\'')) => 2 + c.len_utf8(),
        _ => 0,
    }
}

/// Name, first line and length in lines of every function that has a body.
pub(super) fn functions(text: &str) -> Vec<(String, usize, usize)> {
    let code = code_only(text);
    let mut found = Vec::new();
    for (at, _) in code.match_indices("fn ") {
        if code[..at]
            .chars()
            .next_back()
            .is_some_and(|c| c.is_alphanumeric() || c == '_')
        {
            continue;
        }
        let rest = &code[at + 3..];
        let name: String = rest
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect();
        if let Some(end) = body_end(rest)
            && !name.is_empty()
        {
            let first = code[..at].matches('\n').count() + 1;
            found.push((name, first, rest[..end].matches('\n').count() + 1));
        }
    }
    found
}

/// Where the body of a function closes; none when a semicolon comes before a body opens.
fn body_end(rest: &str) -> Option<usize> {
    let (mut depth, mut brackets) = (0_i32, 0_i32);
    for (at, c) in rest.char_indices() {
        match c {
            '(' | '[' if depth == 0 => brackets += 1,
            ')' | ']' if depth == 0 => brackets -= 1,
            ';' if depth == 0 && brackets == 0 => return None,
            '{' if brackets == 0 => depth += 1,
            '}' if brackets == 0 => {
                depth -= 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

#[test]
fn only_code_is_left() {
    let text = r##"let a = "x // y"; // crate::a
/* crate::b /* nested */ */ let b = r#"crate::"c""#; let c = '"'; let d: &'static str = "\"crate::e"; br'x'"##;
    let code = code_only(text);
    assert!(!code.contains("crate"), "{code}");
    assert!(code.contains("let b") && code.contains("&'static str"), "{code}");
    assert_eq!(code.lines().count(), text.lines().count());
}

#[test]
fn functions_and_their_lengths() {
    let text = "trait T {\n    fn open(&self, x: [u8; 4]);\n    fn short(&self) {}\n}\n\
                async fn long<F: Fn(u8)>(f: F)\nwhere\n    F: Send,\n{\n    if true { \"}\" } else {}\n}\n";
    let found = functions(text);
    assert_eq!(found, [("short".to_owned(), 3, 1), ("long".to_owned(), 5, 6)]);
}
