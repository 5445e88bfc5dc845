//! Tables of what is dialled and what is refused.

use super::*;

fn read(raw: &str, region: &str) -> Result<Number, Failure> {
    normalize(Dialled {
        raw,
        default_region: region,
        strict: false,
    })
}

/// Every row: text, default region, E.164.
const DIALLED: &[(&str, &str, &str)] = &[
    // as written
    ("+12125550100", "US", "+12125550100"),
    ("+15551234567", "US", "+15551234567"),
    ("2125550100", "US", "+12125550100"),
    ("12125550100", "US", "+12125550100"),
    ("(212) 555-0100", "US", "+12125550100"),
    ("212.555.0100", "US", "+12125550100"),
    ("+1 (212) 555-0100", "DE", "+12125550100"),
    ("(+1) 212 555 0100", "DE", "+12125550100"),
    ("020 7946 0018", "GB", "+442079460018"),
    ("+44 (0)20 7946 0018", "US", "+442079460018"),
    ("030 123456", "DE", "+4930123456"),
    ("030/123456", "DE", "+4930123456"),
    ("06 12345678", "IT", "+390612345678"),
    ("2125550100", "us", "+12125550100"),
    ("2125550100", " US ", "+12125550100"),
    // white space and marks around it
    ("  +12125550100\n", "US", "+12125550100"),
    ("\u{a0}+12125550100\u{3000}", "US", "+12125550100"),
    ("\u{202a}+1 212 555 0100\u{202c}", "US", "+12125550100"),
    ("+12125550100.", "US", "+12125550100"),
    // digits of other scripts
    (
        "\u{ff0b}\u{ff11}\u{ff12}\u{ff11}\u{ff12}5550100",
        "US",
        "+12125550100",
    ),
    (
        "\u{662}\u{661}\u{662}\u{665}\u{665}\u{665}\u{660}\u{661}\u{660}\u{660}",
        "US",
        "+12125550100",
    ),
    (
        "\u{968}\u{967}\u{968}\u{96b}\u{96b}\u{96b}\u{966}\u{967}\u{966}\u{966}",
        "US",
        "+12125550100",
    ),
    // vanity letters
    ("1-800-FLOWERS", "US", "+18003569377"),
    ("+1 800 flowers", "GB", "+18003569377"),
    // international prefixes
    ("011 44 20 7946 0018", "US", "+442079460018"),
    ("00 44 20 7946 0018", "DE", "+442079460018"),
    ("00 1 212 555 0100", "GB", "+12125550100"),
    ("810 1 212 555 0100", "RU", "+12125550100"),
    ("8 (800) 200-02-00", "RU", "+78002000200"),
    // no region needed
    ("+12125550100", "", "+12125550100"),
    ("+12125550100", "ZZ", "+12125550100"),
    ("+800 1234 5678", "US", "+80012345678"),
    ("+212 522 123456", "US", "+212522123456"),
    // URIs
    ("tel:+1-212-555-0100", "DE", "+12125550100"),
    ("TEL:+12125550100", "DE", "+12125550100"),
    ("fax:+12125550100", "DE", "+12125550100"),
    ("tel:2125550100;phone-context=+1", "DE", "+12125550100"),
    ("tel:212-555-0100", "US", "+12125550100"),
];

#[test]
fn dials() {
    for (raw, region, e164) in DIALLED {
        let number = read(raw, region).unwrap_or_else(|failure| panic!("{raw:?} in {region}: {failure:?}"));
        assert_eq!(number.e164, *e164, "{raw:?} in {region}");
    }
}

/// Every row: text, default region, class of the refusal.
const REFUSED: &[(&str, &str, FailureKind)] = &[
    ("", "US", FailureKind::NotANumber),
    ("   ", "US", FailureKind::NotANumber),
    ("+", "US", FailureKind::NotANumber),
    ("hello", "US", FailureKind::NotANumber),
    ("FLOWERS", "US", FailureKind::NotANumber),
    ("\u{1f4e0}", "US", FailureKind::NotANumber),
    ("tel:", "US", FailureKind::NotANumber),
    ("1", "US", FailureKind::NotANumber),
    ("½½½½½½½½½½", "US", FailureKind::NotANumber),
    // more than one number, or words around one
    ("2125550100/x100", "US", FailureKind::NotANumber),
    ("2125550100/2125550101", "US", FailureKind::NotANumber),
    ("2125550100\n2125550101", "US", FailureKind::NotANumber),
    ("2125550100\u{0}", "US", FailureKind::NotANumber),
    ("call 2125550100", "US", FailureKind::NotANumber),
    ("call 2125550100 now", "US", FailureKind::NotANumber),
    ("someone@2125550100", "US", FailureKind::NotANumber),
    ("++12125550100++12125550101", "US", FailureKind::NotANumber),
    ("+12125550100, +12125550101", "US", FailureKind::NotANumber),
    // service codes and parameters
    ("*67 2125550100", "US", FailureKind::NotANumber),
    ("**21*2125550100#", "US", FailureKind::NotANumber),
    ("tel:+12125550100;isub=12", "US", FailureKind::NotANumber),
    ("tel:+12125550100;postd=22", "US", FailureKind::NotANumber),
    ("tel:2125550100;phone-context=", "US", FailureKind::NotANumber),
    // countries
    ("+000000", "US", FailureKind::UnknownCountry),
    ("+0012125550100", "US", FailureKind::UnknownCountry),
    ("+9991234567", "US", FailureKind::UnknownCountry),
    ("2125550100", "", FailureKind::UnknownCountry),
    ("2125550100", "ZZ", FailureKind::UnknownCountry),
    ("2125550100", "USA", FailureKind::UnknownCountry),
    // lengths
    ("911", "US", FailureKind::TooShort),
    ("5550100", "US", FailureKind::TooShort),
    ("+1212555", "US", FailureKind::TooShort),
    ("+2125550100", "US", FailureKind::TooShort),
    ("011 44", "US", FailureKind::TooShort),
    ("21255501001", "US", FailureKind::TooLong),
    ("+121255501001", "US", FailureKind::TooLong),
    ("+1212555010012345678901234567890", "US", FailureKind::TooLong),
    ("00442079460018", "US", FailureKind::TooLong),
    // extensions
    ("212-555-0100 x123", "US", FailureKind::Extension),
    ("212-555-0100 ext. 5", "US", FailureKind::Extension),
    ("+12125550100 extension 1", "US", FailureKind::Extension),
    ("+12125550100;ext=7", "US", FailureKind::Extension),
    ("tel:+12125550100;ext=7", "US", FailureKind::Extension),
    ("212-555-0100 #12", "US", FailureKind::Extension),
    ("212-555-0100,,12", "US", FailureKind::Extension),
];

#[test]
fn refuses() {
    let mut wrong = Vec::new();
    for (raw, region, kind) in REFUSED {
        match read(raw, region) {
            Ok(number) => wrong.push(format!("{raw:?} in {region}: dialled {}", number.e164)),
            Err(failure) if failure.kind == *kind => {}
            Err(failure) => wrong.push(format!("{raw:?} in {region}: {:?}, not {kind:?}", failure.kind)),
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn never_reads_a_national_number_as_another_country() {
    assert_eq!(
        read("2125550100", "US").map(|number| number.e164),
        Ok("+12125550100".to_owned())
    );
    let morocco = read("+212 522 123456", "US").expect("a Moroccan number with its plus");
    assert_eq!(morocco.region.as_deref(), Some("MA"));
}

#[test]
fn strict_asks_for_assigned_numbers() {
    let possible = read("+15551234567", "US").expect("possible");
    assert!(!possible.valid);
    let strict = |raw| {
        normalize(Dialled {
            raw,
            default_region: "US",
            strict: true,
        })
    };
    assert_eq!(
        strict("+15551234567").map_err(|failure| failure.kind),
        Err(FailureKind::NotAssigned)
    );
    assert!(strict("+12125550100").expect("assigned").valid);
}

#[test]
fn names_region_and_kind() {
    let cases = [
        ("+12125550100", Some("US"), Kind::FixedLineOrMobile),
        ("+18003569377", None, Kind::TollFree),
        ("+442079460018", Some("GB"), Kind::FixedLine),
        ("+447400123456", Some("GB"), Kind::Mobile),
        ("+80012345678", None, Kind::TollFree),
        ("+15551234567", None, Kind::Unknown),
    ];
    for (raw, region, kind) in cases {
        let number = read(raw, "DE").expect(raw);
        if region.is_some() {
            assert_eq!(number.region.as_deref(), region, "{raw}");
        }
        assert_eq!(number.kind, kind, "{raw}");
    }
    assert_eq!(read("+80012345678", "DE").expect("international").region, None);
}

#[test]
fn an_e164_number_never_has_more_than_fifteen_digits() {
    // Some plans allow national numbers that leave no room for the country code.
    for digits in 5..20 {
        for prefix in ["+49", "+43", "+390", "+810", "+62"] {
            let raw = format!("{prefix}{}", "30".repeat(digits / 2 + 1));
            if let Ok(number) = read(&raw, "US") {
                assert!(number.e164.len() <= MAX_E164_DIGITS + 1, "{raw}");
            }
        }
    }
}

#[test]
fn a_normal_form_is_its_own_normal_form() {
    for (raw, region, _) in DIALLED {
        let once = read(raw, region).expect(raw);
        assert_eq!(read(&once.e164, "").expect(raw), once);
    }
}

#[test]
fn messages_hold_no_digit() {
    for (raw, region, _) in REFUSED {
        let failure = read(raw, region).expect_err(raw);
        assert!(
            !failure.message.contains(|c: char| c.is_ascii_digit()),
            "{}",
            failure.message
        );
    }
}

#[test]
fn what_is_prepared_are_numbers_of_their_plans() {
    prepare();
    for (default_region, national, international) in SAMPLE_NUMBERS {
        for raw in [national, international] {
            let number = normalize(Dialled {
                raw,
                default_region,
                strict: false,
            })
            .unwrap_or_else(|failure| panic!("{raw}: {failure:?}"));
            assert_eq!(number.e164, international, "{default_region} {raw}");
        }
    }
}

#[test]
fn the_fast_path_reads_what_libphonenumber_reads() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut below = |bound: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % bound).expect("small")
    };
    let between = ["", "", "", "", " ", "-", ".", "(", ")", ") ", " ("];
    let mut fast = 0;
    for _ in 0..4000 {
        let mut text = ["", "+", "+1", "+1 ", "1", "("][below(6)].to_owned();
        for _ in 0..8 + below(4) {
            text.push_str(between[below(11)]);
            text.push(char::from(b'0' + u8::try_from(below(10)).expect("a digit")));
        }
        text.push_str(["", "", "", ".", ")", " "][below(6)]);
        for region in [Some(Region::US), Some(Region::JM), Some(Region::DE), None] {
            if let Some(number) = parse_north_american(&text, region) {
                let full = parse(&text, region);
                assert_eq!(Ok(number), full, "{text} {region:?}");
                fast += 1;
            }
        }
    }
    assert!(fast > 500, "{fast} were fast");
}

#[test]
fn a_number_is_valid_when_it_is_of_some_kind() {
    for (raw, region, _) in DIALLED {
        let region = Region::try_from(region.trim().to_ascii_uppercase().as_str()).ok();
        if let Ok(number) = PHONE_NUMBER_UTIL.parse(raw, region) {
            let known = number.get_type() != PhoneNumberType::Unknown;
            assert_eq!(number.is_valid(), known, "{raw}");
        }
    }
}

mod whole_text;
