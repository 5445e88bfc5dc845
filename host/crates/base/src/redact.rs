//! How personal data looks where people who need not know it may read.

/// A phone number for logs and audit: the last two digits stay, the rest is masked, and so is its length.
#[must_use]
pub fn number(text: &str) -> String {
    let digits: Vec<char> = text.chars().filter(char::is_ascii_digit).collect();
    match digits.as_slice() {
        [.., a, b] if digits.len() > 4 => format!("…{a}{b}"),
        _ => "…".to_owned(),
    }
}

/// A request target for logs: the path without its query, since links carry tokens there.
#[must_use]
pub fn target(uri: &str) -> &str {
    uri.split(['?', '#']).next().unwrap_or_default()
}

/// Provider text for logs and job errors: runs of seven or more digits (numbers of people) are masked.
#[must_use]
pub fn provider_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut run = String::new();
    let mut digits = 0_usize;
    for c in text.chars().chain(std::iter::once('\0')) {
        let part_of_number = c.is_ascii_digit() || (digits > 0 && matches!(c, ' ' | '-' | '.' | '(' | ')'));
        if part_of_number {
            digits += usize::from(c.is_ascii_digit());
            run.push(c);
            continue;
        }
        if digits >= 7 {
            let tail = run.len() - run.trim_end_matches(|c: char| !c.is_ascii_digit()).len();
            out.push('…');
            out.push_str(run.get(run.len() - tail..).unwrap_or_default());
        } else {
            out.push_str(&run);
        }
        run.clear();
        digits = 0;
        if c != '\0' {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_masked() {
        assert_eq!(number("+12125550142"), "…42");
        assert_eq!(number("911"), "…");
        assert_eq!(number(""), "…");
    }

    #[test]
    fn queries_are_cut() {
        assert_eq!(target("/fax/x/pdf?token=abc"), "/fax/x/pdf");
    }

    #[test]
    fn provider_text_keeps_codes_and_hides_numbers() {
        assert_eq!(
            provider_text("error 117 at +1 212-555-0142 now"),
            "error 117 at +… now"
        );
        assert_eq!(provider_text("Busy (17)"), "Busy (17)");
    }
}
