//! The zero in `+49 (0)30 …`: a trunk prefix that is dialled inside the country only.

use super::failure::{self, Failure, not_a_number};
use super::parse_digits;
use super::written::Written;
use rlibphonenumber::{PhoneNumber, Region};

/// Countries in which a number begins with a zero that is dialled from abroad too: Italy, Côte d'Ivoire, Gabon, Congo.
pub(super) const ZERO_IS_DIALLED: [i32; 4] = [39, 225, 241, 242];

/// Reads a number with a zero in parentheses after its country code; none when it has none.
pub(super) fn read(written: &Written, region: Option<Region>) -> Option<Result<PhoneNumber, Failure>> {
    let at = written
        .groups
        .iter()
        .position(|group| group.parenthesised && group.text == "0")?;
    let rest = written.groups.get(at + 1..)?;
    if at == 0 || rest.is_empty() {
        return None;
    }
    let before = written.head(at);
    let rest: String = rest.iter().map(|group| group.text.as_str()).collect();
    let dropped = parse_digits(&format!("{before}{rest}"), region).ok()?;
    if !is_country_code(&before, dropped.country_code) {
        return None;
    }
    let kept = parse_digits(&format!("{before}0{rest}"), region).ok();
    Some(choose(dropped, kept))
}

/// Whether the digits are the code of the country, after a plus sign or an international prefix.
fn is_country_code(before: &str, code: i32) -> bool {
    let code = code.to_string();
    match before.strip_prefix('+') {
        Some(digits) => digits == code,
        None => before.len() > code.len() && before.ends_with(&code),
    }
}

/// Chooses between a number without the zero and one with it: the one that its plan assigns, or else the one without,
/// unless numbers of that country may begin with a zero.
fn choose(dropped: PhoneNumber, kept: Option<PhoneNumber>) -> Result<PhoneNumber, Failure> {
    let Some(kept) = kept.filter(|kept| *kept != dropped) else {
        return Ok(dropped);
    };
    match (dropped.is_valid(), kept.is_valid()) {
        (true, false) => Ok(dropped),
        (false, true) => Ok(kept),
        _ if ZERO_IS_DIALLED.contains(&dropped.country_code) => Err(not_a_number(failure::TRUNK_ZERO)),
        _ => Ok(dropped),
    }
}

/// Whether a number begins with a zero that should not be there: it is not assigned, and without it would be.
pub(super) fn has_stray_zero(number: &PhoneNumber) -> bool {
    number.italian_leading_zero() && !number.is_valid() && {
        let without = PhoneNumber {
            country_code: number.country_code,
            national_number: number.national_number,
            ..PhoneNumber::default()
        };
        without.is_valid()
    }
}
