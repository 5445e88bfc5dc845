//! Data for printers.

use super::lines;

/// Begins and ends a job of any language on printers of HP and many others.
const UNIVERSAL_EXIT: &str = "%-12345X";
/// Starts an escape sequence.
const ESCAPE: char = '\u{1b}';

/// Whether a text is written in the language of a printer.
pub(super) fn is_printer_data(text: &str) -> bool {
    let first = lines(text)
        .map(str::trim)
        .find(|line| !line.is_empty())
        .unwrap_or_default();
    first.starts_with(UNIVERSAL_EXIT)
        || first.starts_with("@PJL")
        || first.starts_with(") HP-PCL XL;")
        || is_label(text)
        || is_plot(text)
        || has_escapes(text)
}

/// Whether a text has escape sequences of PCL or ESC/P. A few that programs of old or terminals leave behind are none.
fn has_escapes(text: &str) -> bool {
    let mut commands = 0;
    for (index, sequence) in text.split(ESCAPE).enumerate().skip(1) {
        let first = index == 1 && text.starts_with(ESCAPE);
        if sequence.starts_with(UNIVERSAL_EXIT) || is_parameterized(sequence) {
            return true;
        }
        let mut chars = sequence.chars();
        match chars.next() {
            // Reset: PCL and ESC/P begin with it.
            Some('E' | '@') if first => return true,
            // Bold, italic, underline, pitch, line spacing, margins, pictures.
            Some(
                '@' | '!' | '$' | '*' | '-' | '/' | '0'..='9' | '=' | '>' | '\\' | 'A'..='Z' | 'a'..='z',
            ) => {
                commands += 1;
            }
            _ => {}
        }
    }
    commands >= 3
}

/// Whether this begins as a parameterized sequence of PCL does: `&l1O`, `(s0p10h…`, `*t300R`.
fn is_parameterized(sequence: &str) -> bool {
    let Some(rest) = sequence.strip_prefix(['&', '(', ')', '*', '%']) else {
        return false;
    };
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_lowercase());
    let value = rest.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.'));
    value.len() < rest.len() && value.starts_with(|c: char| c.is_ascii_alphabetic() || c == '@')
}

/// Whether a text is a label in ZPL.
fn is_label(text: &str) -> bool {
    (text.starts_with("^XA") || text.starts_with("~DG")) && text.contains("^XZ")
}

/// Whether a text is a drawing in HP-GL: instructions of two letters with numbers, each with a semicolon after it.
fn is_plot(text: &str) -> bool {
    const PENS: [&str; 4] = ["PU", "PD", "PA", "SP"];
    if !text.contains("IN;") {
        return false;
    }
    let (mut all, mut instructions, mut pens) = (0, 0, 0);
    for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
        all += 1;
        let (name, numbers) = part.split_at_checked(2).unwrap_or((part, ""));
        let is_instruction = name.len() == 2
            && name.bytes().all(|byte| byte.is_ascii_uppercase())
            && numbers
                .bytes()
                .all(|byte| byte.is_ascii_digit() || matches!(byte, b',' | b'.' | b'-' | b' '));
        instructions += usize::from(is_instruction);
        pens += usize::from(is_instruction && PENS.contains(&name));
    }
    pens >= 3 && instructions * 10 >= all * 8
}
