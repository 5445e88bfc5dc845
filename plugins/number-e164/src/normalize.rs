//! What a dialled string means: libphonenumber's reading, minus its readiness to skip what it can't use.
//!
//! libphonenumber is made to find numbers in text: it drops words before a number, a second number after a
//! slash, an ISDN subaddress. A fax must not go to a part of what somebody wrote, so everything that would be
//! dropped and could matter is a refusal here.

use rlibphonenumber::{
    NotANumberError, NumberLengthType, PHONE_NUMBER_UTIL, ParseError, PhoneNumber, PhoneNumberFormat,
    PhoneNumberType, Region, ValidationError,
};

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

/// What is at the other end, as far as the number tells.
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

/// Why a string can't be dialled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// Nothing that could be a number.
    NotANumber,
    /// A country calling code that doesn't exist, or none and no region to take it from.
    UnknownCountry,
    /// Too few digits.
    TooShort,
    /// Too many digits.
    TooLong,
    /// Has an extension.
    Extension,
    /// Possible but not assigned.
    NotAssigned,
}

/// A refusal with a sentence for the sender, which never repeats the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failure {
    /// The class.
    pub kind: FailureKind,
    /// The sentence.
    pub message: &'static str,
}

/// Digits of the longest E.164 number, without the plus sign (ITU-T E.164, 6.1).
const MAX_E164_DIGITS: usize = 15;

/// Longest text worth reading, in bytes. The gateway's own limit is lower.
const MAX_RAW: usize = 250;

/// A number of each of the plans that most numbers belong to, in the form used at home and in E.164. Those that are
/// reserved for examples where the country has such.
#[cfg(any(target_family = "wasm", test))]
const USUAL: [(&str, &str, &str); 14] = [
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

/// Fills the tables that are made at first use, by reading numbers of the [`USUAL`] plans.
#[cfg(any(target_family = "wasm", test))]
pub(crate) fn prepare() {
    for (default_region, national, international) in USUAL {
        for raw in [national, international] {
            // What is read does not matter, only that the way there was walked.
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
    let number = match north_american(text, region) {
        Some(number) => number,
        None => parse(text, region)?,
    };
    refuse_impossible(&number)?;
    let e164 = number.format_as(PhoneNumberFormat::E164).into_owned();
    if e164.len() > MAX_E164_DIGITS + 1 {
        return Err(refused(FailureKind::TooLong));
    }
    // A number is valid when it is of some kind; libphonenumber finds that out by looking at the kinds again.
    let kind = kind(number.get_type());
    let valid = kind != Kind::Unknown;
    if dialled.strict && !valid {
        return Err(refused(FailureKind::NotAssigned));
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

/// A number of the North American plan in one of its usual forms, read without the patterns that look for everything
/// else: they are most of the work, and most of the memory that a call touches. What is made of it is what
/// libphonenumber would have made; none for whatever has another form.
fn north_american(text: &str, region: Option<Region>) -> Option<PhoneNumber> {
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

/// Reads a text in whatever form, and refuses what would be read in part.
fn parse(text: &str, region: Option<Region>) -> Result<PhoneNumber, Failure> {
    let number = PHONE_NUMBER_UTIL
        .parse(text, region)
        .map_err(|error| unparsable(&error))?;
    let extension = number.extension.as_deref().unwrap_or_default();
    if !extension.is_empty() {
        return Err(refused(FailureKind::Extension));
    }
    refuse_dropped(text)?;
    Ok(number)
}

/// The text without the scheme of a `tel:` URI (RFC 3966) or of its forerunner `fax:` (RFC 2806), whose
/// parameters libphonenumber reads.
fn scheme_removed(text: &str) -> &str {
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
        return Err(refused(FailureKind::TooLong));
    }
    if !text.chars().any(char::is_numeric) || text.chars().any(char::is_control) {
        return Err(refused(FailureKind::NotANumber));
    }
    Ok(())
}

/// Refuses text of which libphonenumber would silently use a part only.
///
/// Called after the look for an extension, since `#` may also announce one.
fn refuse_dropped(text: &str) -> Result<(), Failure> {
    let (number, parameters) = text.split_once(';').unwrap_or((text, ""));
    let names_a_place = |parameter: &str| {
        let name = parameter.split('=').next().unwrap_or_default();
        name.is_empty() || name.eq_ignore_ascii_case("phone-context")
    };
    // A subaddress or any other parameter changes who answers.
    let parameters_fit = parameters.split(';').all(names_a_place);
    // Words before the number: what do they say about it?
    let starts_with_word = number
        .chars()
        .find(|c| c.is_alphanumeric() || matches!(c, '+' | '＋'))
        .is_some_and(char::is_alphabetic);
    // A service code is no number.
    let has_code = number.contains(['*', '#', '＊', '＃']);
    // `555-0100/x100` names two extensions or two numbers; a slash alone is how some countries write.
    let has_second = number
        .split(['/', '\\'])
        .skip(1)
        .any(|rest| rest.trim_start().starts_with(['x', 'X']));
    if parameters_fit && !starts_with_word && !has_code && !has_second {
        Ok(())
    } else {
        Err(refused(FailureKind::NotANumber))
    }
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
        Err(ValidationError::InvalidCountryCode) => Err(refused(FailureKind::UnknownCountry)),
        Err(ValidationError::TooShort) => Err(refused(FailureKind::TooShort)),
        Err(ValidationError::TooLong) => Err(refused(FailureKind::TooLong)),
        Err(ValidationError::InvalidLength) => Err(Failure {
            kind: FailureKind::TooShort,
            message: "No number of this country has that many digits.",
        }),
    }
}

fn unparsable(error: &ParseError) -> Failure {
    refused(match error {
        ParseError::InvalidCountryCode => FailureKind::UnknownCountry,
        ParseError::NotANumber(NotANumberError::FailedToParseNumberAsInt(_)) | ParseError::TooLongNsn => {
            FailureKind::TooLong
        }
        ParseError::NotANumber(_) => FailureKind::NotANumber,
        ParseError::TooShortAfterIdd | ParseError::TooShortNsn => FailureKind::TooShort,
    })
}

/// The refusal of a class with its usual sentence.
fn refused(kind: FailureKind) -> Failure {
    let message = match kind {
        FailureKind::NotANumber => {
            "This is not a fax number: write one number, for example as + and country code, then the number."
        }
        FailureKind::UnknownCountry => {
            "The country calling code does not exist, or is missing: write the number with + and country code."
        }
        FailureKind::TooShort => "The number has too few digits for its country.",
        FailureKind::TooLong => "The number has too many digits for its country.",
        FailureKind::Extension => {
            "The number has an extension, which a fax cannot dial: give the direct number of the fax machine."
        }
        FailureKind::NotAssigned => "The number is possible but not assigned in its numbering plan.",
    };
    Failure { kind, message }
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

#[cfg(test)]
mod tests;
