//! The fields that a form may have: any other name is refused, with the nearest known one.

use super::part_head::shown;
use crate::problem::Problem;
use faxgate_domain::code::Code;

/// The fields of `POST /fax`, apart from tags.
const SEND: &[&str] = &[
    "to",
    "file",
    "file[]",
    "region",
    "header_text",
    "caller_id",
    "send_at",
    "batch_delay",
    "paper",
    "page_size",
    "resolution",
    "halftone",
    "cover[to]",
    "cover[from]",
    "cover[subject]",
    "cover[message]",
    "tag[NAME]",
];
/// The fields of `POST /fax/{id}/resend`.
const RESEND: &[&str] = &["to", "send_at", "batch_delay"];
/// Longest name that is compared: the comparison is quadratic.
const MAX_COMPARED: usize = 40;

/// Whether the form of a new fax has this field.
///
/// # Errors
/// When it has not, with the nearest name.
pub(crate) fn check_send(name: &str, is_file: bool) -> Result<(), Problem> {
    let is_tag = name.starts_with("tag[") && name.ends_with(']');
    if is_tag || SEND.contains(&name) {
        return Ok(());
    }
    if is_file {
        let detail = format!("the document belongs in the part `file`, not in {}", shown(name));
        return Err(Problem::new(Code::Invalid, detail));
    }
    Err(unknown(name, SEND))
}

/// Whether the form of a repeated fax has this field.
///
/// # Errors
/// When it has not, with the nearest name.
pub(crate) fn check_resend(name: &str) -> Result<(), Problem> {
    if RESEND.contains(&name) {
        return Ok(());
    }
    Err(unknown(name, RESEND))
}

fn unknown(name: &str, known: &[&str]) -> Problem {
    let given: String = name.chars().take(MAX_COMPARED).collect();
    let given = given.to_ascii_lowercase();
    let likeness = |known: &str| strsim::normalized_damerau_levenshtein(&given, known);
    let nearest = known
        .iter()
        .max_by(|a, b| likeness(a).total_cmp(&likeness(b)))
        .copied()
        .unwrap_or_default();
    Problem::new(
        Code::Invalid,
        format!(
            "{} is not a field of this form; the nearest one is `{nearest}`",
            shown(name)
        ),
    )
}

#[cfg(test)]
mod tests;
