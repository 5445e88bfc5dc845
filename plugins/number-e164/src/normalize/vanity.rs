//! Words in numbers (ITU-T E.161): `1-800-FLOWERS`.
//!
//! A word is dialled only where it is certain that it stands for digits: whole groups of letters at the end that
//! complete a number which the plan assigns, after digits that are no number by themselves. Anything else may be a
//! mistyped digit, an extension or a remark.

use super::failure::{self, Failure, not_a_number};
use super::written::{Group, Written};
use super::{parse_digits, stands_alone};
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumber, Region};

/// Fewest letters of a word or of several together: an area code and `Fax` are no number.
const MIN_LETTERS: usize = 4;
/// Fewest letters of one group: a single letter is a mistyped digit or a remark.
const MIN_GROUP: usize = 2;
/// Letters that are typed for digits or read as such.
const LOOK_LIKE_DIGITS: &str = "OQDILZSBG";

/// Reads a number that ends with words.
pub(super) fn read(written: &Written, region: Option<Region>) -> Result<PhoneNumber, Failure> {
    let count = written.digit_groups();
    if stands_alone(&written.head(count), region) {
        return Err(not_a_number(failure::WORDS_AFTER));
    }
    let words = written.groups.get(count..).unwrap_or_default();
    if !are_words(words) {
        return Err(not_a_number(failure::LETTERS_AMONG_DIGITS));
    }
    let mut dialled = written.head(count);
    for word in words {
        dialled.push_str(&PHONE_NUMBER_UTIL.convert_alpha_characters_in_number(&word.text));
    }
    let number = parse_digits(&dialled, region)?;
    if number.is_valid() {
        Ok(number)
    } else {
        Err(not_a_number(failure::INCOMPLETE_VANITY))
    }
}

fn are_words(words: &[Group]) -> bool {
    let letters = || words.iter().flat_map(|word| word.text.chars());
    let whole = words
        .iter()
        .all(|word| word.text.len() >= MIN_GROUP && word.text.bytes().all(|byte| byte.is_ascii_alphabetic()));
    whole
        && letters().count() >= MIN_LETTERS
        && letters().any(|letter| !LOOK_LIKE_DIGITS.contains(letter.to_ascii_uppercase()))
}
