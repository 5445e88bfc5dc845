//! What a dialled string means: libphonenumber's reading, without its leniency.
//!
//! libphonenumber is made to find numbers in text: it drops words before a number, letters in it, a second number after
//! a slash, an ISDN subaddress. A fax must not go to a part of what somebody wrote. So the text is read here, character
//! by character, and libphonenumber gets digits alone; everything that could matter and can't be dialled is refused.

mod failure;
#[cfg(test)]
mod tests;
mod trunk;
mod vanity;
mod written;

pub use failure::{Failure, FailureKind};

use failure::{failure, not_a_number, parse_failure};
use rlibphonenumber::{
    NumberLengthType, PHONE_NUMBER_UTIL, PhoneNumber, PhoneNumberFormat, PhoneNumberType, Region,
    ValidationError,
};
use written::Written;

/// A destination as somebody wrote it.
#[derive(Debug, Clone, Copy)]
pub struct Dialled<'a> {
    /// The text.
    pub raw: &'a str,
    /// ISO 3166-1 alpha-2 code that national numbers belong to.
    pub default_region: &'a str,
    /// Whether a number has to be assigned, not only possible.
    pub strict: bool,
}

/// A number to dial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number {
    /// ITU-T E.164 with the plus sign.
    pub e164: String,
    /// ISO 3166-1 alpha-2 code; none for numbers of no country such as `+800`.
    pub region: Option<String>,
    /// Kind of line.
    pub kind: Kind,
    /// Whether the numbering plan assigns it.
    pub valid: bool,
}

/// Kind of line, as far as the number tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the numbering plans")]
pub enum Kind {
    FixedLine,
    Mobile,
    FixedLineOrMobile,
    TollFree,
    PremiumRate,
    SharedCost,
    Voip,
    Personal,
    Pager,
    Uan,
    Voicemail,
    Unknown,
}

/// Digits of the longest E.164 number, without the plus sign (ITU-T E.164, 6.1).
const MAX_E164_DIGITS: usize = 15;

/// Longest text worth reading, in bytes. The gateway's own limit is lower.
const MAX_RAW: usize = 250;

/// A number of each of the plans that most numbers belong to, in the form used at home and in E.164. Those that are
/// reserved for examples where the country has such.
#[cfg(any(target_family = "wasm", test))]
const SAMPLE_NUMBERS: [(&str, &str, &str); 14] = [
    ("US", "(212) 555-0100", "+12125550100"),
    ("CA", "(416) 555-0100", "+14165550100"),
    ("GB", "020 7946 0018", "+442079460018"),
    ("DE", "030 23125000", "+493023125000"),
    ("FR", "01 99 00 00 01", "+33199000001"),
    ("IT", "06 12345678", "+390612345678"),
    ("ES", "910 12 34 56", "+34910123456"),
    ("NL", "020 123 4567", "+31201234567"),
    ("AT", "01 234567890", "+431234567890"),
    ("CH", "044 668 18 00", "+41446681800"),
    ("AU", "(02) 5550 1234", "+61255501234"),
    ("JP", "03-1234-5678", "+81312345678"),
    ("IN", "011 2345 6789", "+911123456789"),
    ("BR", "(11) 2345-6789", "+551123456789"),
];

/// Fills the tables that are made at first use, by reading numbers of the [`SAMPLE_NUMBERS`] plans.
#[cfg(any(target_family = "wasm", test))]
pub(crate) fn prepare() {
    for (default_region, national, international) in SAMPLE_NUMBERS {
        for raw in [national, international] {
            // The result does not matter: the call fills the tables.
            let _ = normalize(Dialled {
                raw,
                default_region,
                strict: false,
            });
        }
    }
}

/// Reads a dialled string.
pub fn normalize(dialled: Dialled<'_>) -> Result<Number, Failure> {
    let text = scheme_removed(dialled.raw.trim());
    refuse_unreadable(text)?;
    let region = Region::try_from(dialled.default_region.trim().to_ascii_uppercase().as_str()).ok();
    let number = match parse_north_american(text, region) {
        Some(number) => number,
        None => parse(text, region)?,
    };
    refuse_impossible(&number)?;
    let e164 = number.format_as(PhoneNumberFormat::E164).into_owned();
    if e164.len() > MAX_E164_DIGITS + 1 {
        return Err(failure(FailureKind::TooLong));
    }
    // A number is valid when it is of some kind; asking libphonenumber again would repeat that work.
    let kind = kind(number.get_type());
    let valid = kind != Kind::Unknown;
    if dialled.strict && !valid {
        return Err(failure(FailureKind::NotAssigned));
    }
    let region = number
        .get_region_code()
        .filter(|region| *region != Region::World)
        .map(|region| region.to_string());
    Ok(Number {
        e164,
        region,
        kind,
        valid,
    })
}

/// A number of the North American plan in one of its usual forms, read without the patterns for all other forms,
/// which take most of the time and memory of a call. The result is that of libphonenumber; none for any other form.
fn parse_north_american(text: &str, region: Option<Region>) -> Option<PhoneNumber> {
    let (rest, in_full) = match text.strip_prefix('+') {
        Some(rest) => (rest, true),
        None => (text, false),
    };
    let (mut count, mut value) = (0_u32, 0_u64);
    for byte in rest.bytes() {
        match byte {
            b'0'..=b'9' if count < 11 => {
                count += 1;
                value = value * 10 + u64::from(byte - b'0');
            }
            b' ' | b'-' | b'.' | b'(' | b')' => {}
            _ => return None,
        }
    }
    let national_number = if in_full {
        // Below, a value of ten digits says that the eleventh was a 1.
        (count == 11)
            .then(|| value.checked_sub(10_000_000_000))
            .flatten()?
    } else if count == 10 && region.is_some_and(|region| PHONE_NUMBER_UTIL.is_nanpa_country(region)) {
        value
    } else {
        return None;
    };
    // No area code begins with 0 or 1; those digits may be a prefix.
    (2_000_000_000..=9_999_999_999)
        .contains(&national_number)
        .then(|| PhoneNumber {
            country_code: 1,
            national_number,
            ..PhoneNumber::default()
        })
}

/// Reads a text in whatever form.
fn parse(text: &str, region: Option<Region>) -> Result<PhoneNumber, Failure> {
    let (number, parameters) = text.split_once(';').unwrap_or((text, ""));
    if has_extension(text, region) {
        return Err(failure(FailureKind::Extension));
    }
    let mut written = Written::read(number)?;
    if let Some(context) = phone_context(parameters)? {
        if written.plus {
            return Err(not_a_number(failure::PARAMETERS));
        }
        written.plus = true;
        written.groups.splice(0..0, context.groups);
    }
    if written.digit_groups() < written.groups.len() {
        return vanity::read(&written, region);
    }
    if let Some(number) = trunk::read(&written, region) {
        return number;
    }
    refuse_second_number(&written, region)?;
    let number = parse_digits(&written.head(written.groups.len()), region)?;
    if trunk::has_stray_zero(&number) {
        return Err(not_a_number(failure::TRUNK_ZERO));
    }
    Ok(number)
}

/// Reads digits, which may follow a plus sign: nothing is left that libphonenumber could skip.
fn parse_digits(digits: &str, region: Option<Region>) -> Result<PhoneNumber, Failure> {
    PHONE_NUMBER_UTIL
        .parse(digits, region)
        .map_err(|error| parse_failure(&error))
}

/// Whether libphonenumber finds an extension. Only words, signs and parameters announce one.
fn has_extension(text: &str, region: Option<Region>) -> bool {
    let announces =
        |c: char| c.is_alphabetic() || matches!(c, '#' | '\u{ff03}' | ',' | ';' | '~' | '\u{ff5e}');
    text.chars().any(announces)
        && PHONE_NUMBER_UTIL
            .parse(text, region)
            .is_ok_and(|number| number.extension.is_some_and(|extension| !extension.is_empty()))
}

/// The prefix that the parameter `phone-context` of a `tel:` URI gives (RFC 3966, 5.1.5). A domain is no prefix, and
/// every other parameter changes who answers.
fn phone_context(parameters: &str) -> Result<Option<Written>, Failure> {
    let mut context = None;
    for parameter in parameters.split(';').filter(|parameter| !parameter.is_empty()) {
        let prefix = parameter
            .split_once('=')
            .filter(|(name, _)| name.eq_ignore_ascii_case("phone-context"))
            .and_then(|(_, value)| Written::read(value.trim()).ok())
            .filter(|prefix| prefix.plus && prefix.digit_groups() == prefix.groups.len());
        if prefix.is_none() || context.is_some() {
            return Err(not_a_number(failure::PARAMETERS));
        }
        context = prefix;
    }
    Ok(context)
}

/// Whether these digits could be dialled by themselves, inside one town at least. An area code or the code of a service can't.
fn stands_alone(digits: &str, region: Option<Region>) -> bool {
    /// Digits of the shortest number without an area code, and of the shortest one of a country.
    const SHORTEST_LOCAL: usize = 5;
    const SHORTEST: usize = 4;
    let Ok(number) = parse_digits(digits, region) else {
        return false;
    };
    let national = number.get_national_significant_number();
    // What begins with the prefix of long distance was too short to be read without it.
    let is_prefix = match number.country_code {
        1 => national.starts_with('1'),
        code => national.starts_with('0') && !trunk::ZERO_IS_DIALLED.contains(&code),
    };
    let shortest = match number.is_possible_with_reason() {
        Ok(NumberLengthType::IsPossible) => SHORTEST,
        Ok(NumberLengthType::IsPossibleLocalOnly) => SHORTEST_LOCAL,
        Err(_) => return false,
    };
    national.len() >= shortest && !is_prefix
}

/// Refuses what looks like a second number or the end of one, after a slash or in parentheses at the end: `901820/21`,
/// `901820 (5)`. A slash or parentheses after an area code are how some countries write.
fn refuse_second_number(written: &Written, region: Option<Region>) -> Result<(), Failure> {
    /// Fewest digits of the part of a number that follows an area code.
    const SHORTEST_PART: usize = 3;
    /// Fewest digits of a number that stands before a slash; fewer are an area code.
    const SHORTEST_NUMBER: usize = 6;
    for (at, group) in written.groups.iter().enumerate().skip(1) {
        let is_last = at + 1 == written.groups.len();
        let rest = written.groups.get(at..).unwrap_or_default();
        let digits = rest.iter().map(|group| group.text.len()).sum::<usize>();
        let before = written.head(at);
        let ends_number = || {
            parse_digits(&before, region).is_ok_and(|number| {
                number.is_possible_with_reason() == Ok(NumberLengthType::IsPossible)
                    && number.get_national_significant_number().len() >= SHORTEST_NUMBER
            })
        };
        if (group.after_slash && (digits < SHORTEST_PART || ends_number()))
            || (group.parenthesised && is_last && ends_number())
        {
            return Err(not_a_number(failure::SECOND_NUMBER));
        }
    }
    Ok(())
}

/// The text without the scheme of a `tel:` URI (RFC 3966) or of its forerunner `fax:` (RFC 2806), and without the
/// quotation marks that come with texts copied from a spreadsheet.
fn scheme_removed(text: &str) -> &str {
    let quotes = |c: char| matches!(c, '"' | '\'' | '\u{2018}'..='\u{201f}');
    let text = text.trim_matches(quotes).trim();
    for scheme in ["tel:", "fax:"] {
        if let Some((head, rest)) = text.split_at_checked(scheme.len())
            && head.eq_ignore_ascii_case(scheme)
        {
            return rest.trim_start();
        }
    }
    text
}

/// Refuses what no reading makes a number of.
fn refuse_unreadable(text: &str) -> Result<(), Failure> {
    if text.len() > MAX_RAW {
        return Err(failure(FailureKind::TooLong));
    }
    if !text.chars().any(char::is_numeric) {
        return Err(failure(FailureKind::NotANumber));
    }
    if text.chars().any(char::is_control) {
        return Err(not_a_number(failure::WRONG_CHARACTERS));
    }
    Ok(())
}

/// Refuses what libphonenumber doesn't call possible, and what it calls possible only inside one town: without
/// the area code such a number can't be written as E.164.
fn refuse_impossible(number: &PhoneNumber) -> Result<(), Failure> {
    match number.is_possible_with_reason() {
        Ok(NumberLengthType::IsPossible) => Ok(()),
        Ok(NumberLengthType::IsPossibleLocalOnly) => Err(Failure {
            kind: FailureKind::TooShort,
            message: "The number lacks its area code.",
        }),
        Err(ValidationError::InvalidCountryCode) => Err(failure(FailureKind::UnknownCountry)),
        Err(ValidationError::TooShort) => Err(failure(FailureKind::TooShort)),
        Err(ValidationError::TooLong) => Err(failure(FailureKind::TooLong)),
        Err(ValidationError::InvalidLength) => Err(Failure {
            kind: FailureKind::TooShort,
            message: "No number of this country has that many digits.",
        }),
    }
}

fn kind(kind: PhoneNumberType) -> Kind {
    match kind {
        PhoneNumberType::FixedLine => Kind::FixedLine,
        PhoneNumberType::Mobile => Kind::Mobile,
        PhoneNumberType::FixedLineOrMobile => Kind::FixedLineOrMobile,
        PhoneNumberType::TollFree => Kind::TollFree,
        PhoneNumberType::PremiumRate => Kind::PremiumRate,
        PhoneNumberType::SharedCost => Kind::SharedCost,
        PhoneNumberType::VoIP => Kind::Voip,
        PhoneNumberType::PersonalNumber => Kind::Personal,
        PhoneNumberType::Pager => Kind::Pager,
        PhoneNumberType::UAN => Kind::Uan,
        PhoneNumberType::VoiceMail => Kind::Voicemail,
        PhoneNumberType::Unknown => Kind::Unknown,
    }
}
