//! The source of mails, forms and HTTP messages (RFC 5322, RFC 2045, RFC 7578).

use super::{after, lines};

/// Header fields that a program writes; a memo begins with From, To, Date and Subject alone.
const WRITTEN_BY_PROGRAMS: [&str; 9] = [
    "mime-version",
    "content-type",
    "content-transfer-encoding",
    "content-disposition",
    "received",
    "return-path",
    "dkim-signature",
    "message-id",
    "x-mailer",
];

/// Whether a text begins with the headers of a message, or has the parts of one.
pub(super) fn is_mail(text: &str) -> bool {
    begins_with_headers(text) || has_parts(text)
}

fn begins_with_headers(text: &str) -> bool {
    // A line of a mailbox file or the first one of HTTP may stand before.
    let mut unread = text.lines().peekable();
    let is_first = |line: &&str| {
        line.starts_with("From ")
            || line.starts_with("HTTP/")
            || line.ends_with(" HTTP/1.1")
            || line.ends_with(" HTTP/1.0")
    };
    unread.next_if(|line| is_first(line));
    let (mut fields, mut by_programs) = (0, 0);
    for line in unread.take_while(|line| !line.trim().is_empty()) {
        if fields > 0 && line.starts_with([' ', '\t']) {
            continue;
        }
        let Some(name) = field_name(line) else {
            return false;
        };
        fields += 1;
        by_programs += usize::from(
            WRITTEN_BY_PROGRAMS
                .iter()
                .any(|known| known.eq_ignore_ascii_case(name)),
        );
    }
    by_programs > 0 && fields > 1
}

/// Whether a boundary with the headers of a part stands somewhere.
fn has_parts(text: &str) -> bool {
    let mut after_boundary = false;
    for line in lines(text).filter(|line| !line.is_empty()) {
        if after_boundary
            && after(line, "content-").is_some_and(|rest| {
                ["type:", "disposition:", "transfer-encoding:", "id:"]
                    .iter()
                    .any(|name| after(rest, name).is_some())
            })
        {
            return true;
        }
        after_boundary = line
            .strip_prefix("--")
            .is_some_and(|boundary| boundary.len() >= 2 && !boundary.contains(' '));
    }
    false
}

/// The name of a header field.
fn field_name(line: &str) -> Option<&str> {
    let (name, _) = line.split_once(':')?;
    let named = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    named.then_some(name)
}
