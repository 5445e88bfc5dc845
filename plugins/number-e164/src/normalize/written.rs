//! A number as it is written: groups of digits and words between separators.
//!
//! Every character is accounted for. libphonenumber is lenient and skips what it can't use; a fax must not go to a
//! part of what somebody wrote.

use super::failure::{self, Failure, not_a_number};
use rlibphonenumber::PHONE_NUMBER_UTIL;

/// Digits or letters that stand together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Group {
    /// ASCII digits, whatever script they were written in; or letters.
    pub(super) text: String,
    /// Whether these are letters.
    pub(super) is_word: bool,
    /// Whether it stands in parentheses or brackets.
    pub(super) parenthesised: bool,
    /// Whether a slash stands between this group and the one before.
    pub(super) after_slash: bool,
}

/// A number as it is written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Written {
    /// Whether it begins with a plus sign.
    pub(super) plus: bool,
    /// Its groups in order, at least one; only the last ones are words.
    pub(super) groups: Vec<Group>,
}

/// What a character is for a number.
enum Character {
    Digit(char),
    Letter,
    Plus,
    Open,
    Close,
    Slash,
    Separator,
    /// Not shown, and without meaning for a number.
    Invisible,
    ServiceCode,
    Other,
}

fn classify(c: char) -> Character {
    match c {
        '0'..='9' => Character::Digit(c),
        '+' | '\u{ff0b}' => Character::Plus,
        '(' | '[' | '\u{ff08}' | '\u{ff3b}' => Character::Open,
        ')' | ']' | '\u{ff09}' | '\u{ff3d}' => Character::Close,
        '/' | '\u{ff0f}' => Character::Slash,
        '*' | '#' | '\u{ff0a}' | '\u{ff03}' => Character::ServiceCode,
        // Hyphens and dashes, the minus sign, full stops and middle dots; also the long vowel mark of Japanese, which
        // is typed as a dash.
        '-'
        | '\u{2010}'..='\u{2015}'
        | '\u{2212}'
        | '\u{30fc}'
        | '\u{ff0d}'
        | '.'
        | '\u{ff0e}'
        | '\u{b7}' => Character::Separator,
        c if c.is_whitespace() && !c.is_control() => Character::Separator,
        // Soft hyphen, zero-width space and joiner, and marks of direction. Overrides of direction are not among
        // them: they show digits in another order.
        '\u{ad}'
        | '\u{200b}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{202a}'..='\u{202c}'
        | '\u{2060}'
        | '\u{2066}'..='\u{2069}'
        | '\u{feff}' => Character::Invisible,
        c => match PHONE_NUMBER_UTIL
            .normalize_digits_only(c.encode_utf8(&mut [0; 4]))
            .chars()
            .next()
        {
            Some(digit) => Character::Digit(digit),
            None if c.is_alphabetic() => Character::Letter,
            None => Character::Other,
        },
    }
}

impl Written {
    /// Reads a text without white space around it.
    pub(super) fn read(text: &str) -> Result<Self, Failure> {
        let mut written = Self::default();
        let (mut open, mut depth, mut slash) = (None::<Group>, 0_u32, false);
        for c in text.trim_end_matches([',', ';', ':']).chars() {
            let class = classify(c);
            if let Character::Digit(_) | Character::Letter = class {
                let (is_word, c) = match class {
                    Character::Digit(digit) => (false, digit),
                    _ => (true, c),
                };
                let group = open.get_or_insert_with(|| Group {
                    is_word,
                    parenthesised: depth > 0,
                    after_slash: std::mem::take(&mut slash),
                    ..Group::default()
                });
                if group.is_word != is_word {
                    return Err(not_a_number(failure::LETTERS_AMONG_DIGITS));
                }
                group.text.push(c);
                continue;
            }
            if let Character::Invisible = class {
                continue;
            }
            written.end_group(&mut open)?;
            match class {
                Character::Plus if !written.plus && written.groups.is_empty() => written.plus = true,
                Character::Plus if written.groups.is_empty() => {
                    return Err(not_a_number(failure::WRONG_CHARACTERS));
                }
                Character::Plus => return Err(not_a_number(failure::SECOND_NUMBER)),
                Character::Open => depth += 1,
                Character::Close => depth = depth.saturating_sub(1),
                Character::Slash => slash = true,
                Character::ServiceCode => return Err(not_a_number(failure::SERVICE_CODE)),
                Character::Other => return Err(not_a_number(failure::WRONG_CHARACTERS)),
                _ => {}
            }
        }
        written.end_group(&mut open)?;
        if written.groups.is_empty() {
            return Err(failure::failure(failure::FailureKind::NotANumber));
        }
        Ok(written)
    }

    fn end_group(&mut self, open: &mut Option<Group>) -> Result<(), Failure> {
        let Some(group) = open.take() else {
            return Ok(());
        };
        if self.groups.is_empty() && group.is_word {
            return Err(not_a_number(failure::WORDS_BEFORE));
        }
        if let Some(word) = self.groups.last().filter(|last| last.is_word && !group.is_word) {
            // One letter is a mistyped digit rather than a word.
            return Err(not_a_number(if word.text.chars().count() == 1 {
                failure::LETTERS_AMONG_DIGITS
            } else {
                failure::WORDS_AFTER
            }));
        }
        self.groups.push(group);
        Ok(())
    }

    /// The digits of the first `count` groups, with the plus sign when there is one.
    pub(super) fn head(&self, count: usize) -> String {
        let plus = if self.plus { "+" } else { "" };
        let digits = self.groups.iter().take(count).map(|group| group.text.as_str());
        std::iter::once(plus).chain(digits).collect()
    }

    /// How many groups stand before the words at the end, which are all groups where there are none.
    pub(super) fn digit_groups(&self) -> usize {
        self.groups.iter().take_while(|group| !group.is_word).count()
    }
}
