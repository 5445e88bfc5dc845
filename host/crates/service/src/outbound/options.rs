//! Checks of what a sender may ask for.

use crate::Error;
use faxgate_domain::code::Code;
use faxgate_domain::job::{JOB_TAG, SendOptions};

/// The provider's limit for the line at the top of a page, in characters.
const MAX_HEADER_TEXT: usize = 50;
/// The provider takes ten tags; one is ours.
const MAX_TAGS: usize = 9;
/// Longest name or value of a tag in bytes; the provider names no limit.
const MAX_TAG_BYTES: usize = 255;

/// Checks a country code.
pub(super) fn check_region(region: Option<&str>) -> Result<Option<String>, Error> {
    match region.map(str::trim).filter(|region| !region.is_empty()) {
        None => Ok(None),
        Some(region) if region.len() == 2 && region.bytes().all(|b| b.is_ascii_alphabetic()) => {
            Ok(Some(region.to_ascii_uppercase()))
        }
        Some(_) => Err(Error::new(
            Code::Invalid,
            "region is a country code of two letters, for example US",
        )),
    }
}

/// Checks the options of a fax.
pub(super) fn check_options(options: &SendOptions) -> Result<(), Error> {
    let invalid = |detail: String| Err(Error::new(Code::Invalid, detail));
    if let Some(text) = &options.header_text
        && (text.chars().count() > MAX_HEADER_TEXT || text.chars().any(char::is_control))
    {
        return invalid(format!(
            "header_text has at most {MAX_HEADER_TEXT} characters and no control characters"
        ));
    }
    if options.tags.len() > MAX_TAGS {
        return invalid(format!("at most {MAX_TAGS} tags fit on one fax"));
    }
    for (name, value) in &options.tags {
        if name == JOB_TAG {
            return invalid(format!(
                "the tag {JOB_TAG} belongs to the gateway: choose another name"
            ));
        }
        let odd = |text: &str| text.len() > MAX_TAG_BYTES || text.chars().any(char::is_control);
        if name.is_empty() || odd(name) || odd(value) || name.contains(['[', ']']) {
            return invalid(format!(
                "a tag has a name without brackets, and name and value have at most {MAX_TAG_BYTES} bytes and no control characters"
            ));
        }
    }
    Ok(())
}
