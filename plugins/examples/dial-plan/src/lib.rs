//! A dial plan: internal extensions are written out as full numbers, some prefixes may not be dialled.
//!
//! ```toml
//! [plugins."dial-plan".settings]
//! extension-digits = "4"            # how long an extension is
//! extension-prefix = "+1 212 555"   # what stands before it outside
//! country = "1"                     # calling code of numbers written without one
//! blocked = "+1900, +1976, +44870"  # nobody may fax there
//! ```
//!
//! It never dials by itself: what it rewrites or passes is read by the next normalizer of the slot.

#[cfg(target_family = "wasm")]
mod guest;

/// The plan, as the settings give it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Digits of an extension; 0 when there are none.
    pub extension_digits: usize,
    /// What stands before an extension outside.
    pub extension_prefix: String,
    /// Calling code of numbers written without one.
    pub country: String,
    /// Digits that no number may begin with, country code first.
    pub blocked: Vec<String>,
}

/// What the plan says about a dialled string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Read this instead.
    Rewrite(String),
    /// Refused.
    Blocked,
    /// Nothing to say.
    Pass,
}

impl Plan {
    /// Reads the settings; the error is a sentence for the operator.
    pub fn read(setting: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let text = |name: &str| {
            setting(name)
                .map(|text| text.trim().to_owned())
                .unwrap_or_default()
        };
        let extension_digits = match text("extension-digits").as_str() {
            "" => 0,
            digits => digits
                .parse()
                .ok()
                .filter(|digits| (2..=6).contains(digits))
                .ok_or("`extension-digits` has to be a number from 2 to 6")?,
        };
        let extension_prefix = text("extension-prefix");
        if extension_digits > 0 && !extension_prefix.starts_with('+') {
            return Err("`extension-prefix` has to start with + and the country code".to_owned());
        }
        let country = digits(&text("country"));
        let blocked = text("blocked");
        let blocked: Vec<&str> = blocked
            .split(',')
            .map(str::trim)
            .filter(|prefix| !prefix.is_empty())
            .collect();
        if blocked
            .iter()
            .any(|prefix| !prefix.starts_with('+') || digits(prefix).is_empty())
        {
            return Err("every prefix in `blocked` has to start with + and the country code".to_owned());
        }
        if !blocked.is_empty() && country.is_empty() {
            return Err("`blocked` needs `country`, or national numbers would slip through".to_owned());
        }
        let blocked = blocked.into_iter().map(digits).collect();
        Ok(Self {
            extension_digits,
            extension_prefix,
            country,
            blocked,
        })
    }

    /// Evaluates a dialled string.
    pub fn evaluate(&self, raw: &str) -> Answer {
        let is_extension = self.extension_digits > 0
            && raw.len() == self.extension_digits
            && raw.bytes().all(|byte| byte.is_ascii_digit());
        if is_extension {
            return Answer::Rewrite(format!("{}{raw}", self.extension_prefix));
        }
        let readings = self.readings(raw);
        let is_blocked = |number: &String| self.blocked.iter().any(|prefix| number.starts_with(prefix));
        if readings.iter().any(is_blocked) {
            Answer::Blocked
        } else {
            Answer::Pass
        }
    }

    /// Every way the string may be read as country code and number. A block has to hold however somebody writes
    /// a number, so that all of them are checked.
    fn readings(&self, raw: &str) -> Vec<String> {
        let dialled = digits(raw);
        let mut readings = vec![dialled.clone()];
        if raw.contains(['+', '\u{ff0b}']) {
            return readings;
        }
        for international in ["00", "011"] {
            readings.extend(dialled.strip_prefix(international).map(str::to_owned));
        }
        readings.push(format!("{}{dialled}", self.country));
        readings.extend(
            dialled
                .strip_prefix('0')
                .map(|national| format!("{}{national}", self.country)),
        );
        readings
    }
}

/// The digits of a text, letters as on a telephone's keys (ITU-T E.161).
fn digits(text: &str) -> String {
    let key = |letter: char| match letter.to_ascii_lowercase() {
        'a'..='c' => Some('2'),
        'd'..='f' => Some('3'),
        'g'..='i' => Some('4'),
        'j'..='l' => Some('5'),
        'm'..='o' => Some('6'),
        'p'..='s' => Some('7'),
        't'..='v' => Some('8'),
        'w'..='z' => Some('9'),
        // Full-width digits are the other ones that people type.
        '\u{ff10}'..='\u{ff19}' => char::from_digit(u32::from(letter) - 0xff10, 10),
        other => other.is_ascii_digit().then_some(other),
    };
    text.chars().filter_map(key).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn read(settings: &[(&str, &str)]) -> Result<Plan, String> {
        Plan::read(|name| {
            settings
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        })
    }

    fn plan() -> Plan {
        read(&[
            ("extension-digits", "4"),
            ("extension-prefix", "+1 212 555"),
            ("country", "1"),
            ("blocked", "+1900, +44 870"),
        ])
        .unwrap()
    }

    #[test]
    fn extensions_are_written_out() {
        assert_eq!(
            plan().evaluate("0100"),
            Answer::Rewrite("+1 212 5550100".to_owned())
        );
        assert_eq!(plan().evaluate("010"), Answer::Pass);
        assert_eq!(Plan::default().evaluate("0100"), Answer::Pass);
    }

    #[test]
    fn a_block_holds_however_the_number_is_written() {
        for blocked in [
            "+1 900 555 0100",
            "1-900-555-0100",
            "(900) 555-0100",
            "900 FLOWERS",
            "+44 870 123 4567",
            "0044870123456",
            "011 44 870 123 4567",
            "\u{ff0b}1 900 555 0100",
            "+1 \u{ff19}\u{ff10}\u{ff10} 555 0100",
        ] {
            assert_eq!(plan().evaluate(blocked), Answer::Blocked, "{blocked}");
        }
        for free in ["+1 212 555 0100", "212 555 0100", "+44 20 7946 0018", "hello", ""] {
            assert_eq!(plan().evaluate(free), Answer::Pass, "{free}");
        }
    }

    #[test]
    fn odd_settings_are_refused_with_their_name() {
        for (settings, name) in [
            (
                [("extension-digits", "x"), ("extension-prefix", "+1")],
                "extension-digits",
            ),
            (
                [("extension-digits", "4"), ("extension-prefix", "212")],
                "extension-prefix",
            ),
            ([("blocked", "900"), ("country", "1")], "blocked"),
            ([("blocked", "+1900"), ("country", "")], "country"),
        ] {
            assert!(read(&settings).unwrap_err().contains(name), "{name}");
        }
        assert_eq!(read(&[]), Ok(Plan::default()));
    }
}
