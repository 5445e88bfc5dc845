//! Writing to the terminal. A reader that has gone (`faxgate … | head`) is no reason to fail.
//!
//! What others wrote (a provider's words, the name of a form field) must not steer the terminal: every line is written
//! without control characters and without marks that change the direction of text.

use std::fmt;
use std::io::Write;

use serde::Serialize;

/// A line on standard output.
macro_rules! outln {
    () => { $crate::cli::output::write_line(std::io::stdout(), format_args!("")) };
    ($($text:tt)*) => { $crate::cli::output::write_line(std::io::stdout(), format_args!($($text)*)) };
}

/// A line on standard error.
macro_rules! errln {
    ($($text:tt)*) => { $crate::cli::output::write_line(std::io::stderr(), format_args!($($text)*)) };
}

pub(super) use {errln, outln};

/// Writes text and a line end.
pub(super) fn write_line(mut to: impl Write, text: fmt::Arguments<'_>) {
    let mut line = harmless(&text.to_string());
    line.push('\n');
    drop(to.write_all(line.as_bytes()));
}

/// The text with what steers a terminal or reverses text written as `\u001b`, which JSON reads as the same character.
fn harmless(text: &str) -> String {
    let mut shown = String::with_capacity(text.len() + 1);
    for character in text.chars() {
        let kept = matches!(character, '\n' | '\t')
            || !(character.is_control()
                || matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'));
        if kept {
            shown.push(character);
        } else {
            shown.push_str(&format!("\\u{:04x}", u32::from(character)));
        }
    }
    shown
}

/// A value as indented JSON.
pub(super) fn json(value: &impl Serialize) {
    match serde_json::to_string_pretty(value) {
        Ok(text) => outln!("{text}"),
        Err(error) => errln!("error: {error}"),
    }
}

/// Rows under a heading, every column as wide as its widest cell.
pub(super) fn table<const N: usize>(heading: [&str; N], rows: &[[String; N]]) {
    let mut widths = heading.map(|cell| cell.chars().count());
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: Vec<&str>| {
        let cells: Vec<String> = cells
            .into_iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        outln!("{}", cells.join("  ").trim_end());
    };
    line(heading.to_vec());
    for row in rows {
        line(row.iter().map(String::as_str).collect());
    }
}

#[cfg(test)]
mod tests {
    use super::harmless;

    #[test]
    fn nothing_steers_the_terminal() {
        assert_eq!(harmless("a\tb\n\u{1f4e0} é"), "a\tb\n\u{1f4e0} é");
        assert_eq!(
            harmless("\u{1b}[31mred\r\u{7}\u{9b}2J\u{202e}fdp\u{2066}\0"),
            "\\u001b[31mred\\u000d\\u0007\\u009b2J\\u202efdp\\u2066\\u0000"
        );
    }
}
