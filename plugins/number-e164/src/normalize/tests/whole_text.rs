//! Every character of what somebody wrote counts: nothing is dropped, and no letter is dialled by mistake.

use super::*;
use proptest::prelude::*;

/// Every row: text, default region, the number dialled.
const READ: &[(&str, &str, &str)] = &[
    // vanity words
    ("1-800-FLOWERS", "US", "+18003569377"),
    ("(800) flowers", "US", "+18003569377"),
    ("1-800-GO-FEDEX", "US", "+18004633339"),
    ("+1 888 NEW-CARS", "DE", "+18886392277"),
    ("1-212-555-HELP", "US", "+12125554357"),
    ("212-555-HELP", "US", "+12125554357"),
    ("1-800-555-TELL", "US", "+18005558355"),
    ("0800 REIFEN", "AT", "+43800734336"),
    ("tel:1-800-FLOWERS", "US", "+18003569377"),
    ("0800 FLOWERS", "GB", "+448003569377"),
    // a trunk zero in parentheses
    ("+49 (0)30 901820", "US", "+4930901820"),
    ("+49 (0)30 / 90 18-20", "US", "+4930901820"),
    ("+49 (0) 30 901820", "US", "+4930901820"),
    ("+49 [0]30 901820", "US", "+4930901820"),
    ("0049 (0)30 901820", "FR", "+4930901820"),
    ("011 49 (0)30 901820", "US", "+4930901820"),
    ("+44(0)20 7946 0018", "US", "+442079460018"),
    ("+48 (0) 22 123 45 67", "US", "+48221234567"),
    ("00 48 (0) 22 123 45 67", "DE", "+48221234567"),
    ("+33 (0)1 42 68 53 00", "US", "+33142685300"),
    ("+39 (0)6 12345678", "US", "+390612345678"),
    ("+351 (0) 21 123 4567", "US", "+351211234567"),
    ("+45 (0) 32 12 34 56", "US", "+4532123456"),
    ("(0)30 901820", "DE", "+4930901820"),
    // separators
    ("+49 30 9018\u{2013}20", "US", "+4930901820"),
    ("+49 2102 / 123456", "US", "+492102123456"),
    ("02102/123456", "DE", "+492102123456"),
    ("+49/30/901820", "US", "+4930901820"),
    ("+1 (2125550142)", "US", "+12125550142"),
    ("(+1) (212) (555-0142)", "US", "+12125550142"),
    ("03\u{30fc}1234\u{30fc}5678", "JP", "+81312345678"),
    ("'+12125550142", "US", "+12125550142"),
    ("\"+1 212 555 0142\"", "US", "+12125550142"),
    ("+1\u{200e} 212 555\u{ad}0142", "US", "+12125550142"),
    ("212-555-0142,", "US", "+12125550142"),
    (
        "\u{ff08}\u{ff12}\u{ff11}\u{ff12}\u{ff09}\u{3000}555-0142",
        "US",
        "+12125550142",
    ),
];

#[test]
fn whole_texts_are_dialled() {
    let mut wrong = Vec::new();
    for (raw, region, e164) in READ {
        match read(raw, region) {
            Ok(number) if number.e164 == *e164 => {}
            other => wrong.push(format!("{raw:?} in {region}: {other:?}")),
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Every row: text, default region, the cause that the sentence names.
const NOT_READ: &[(&str, &str, &str)] = &[
    // letters among digits
    ("+49 30 9O1820", "US", failure::LETTERS_AMONG_DIGITS),
    ("+43 1 5O5 1234", "US", failure::LETTERS_AMONG_DIGITS),
    ("+39 06 12B45678", "US", failure::LETTERS_AMONG_DIGITS),
    ("+4072d3800439", "US", failure::LETTERS_AMONG_DIGITS),
    ("+40721eeasd0", "US", failure::LETTERS_AMONG_DIGITS),
    ("12125550I42", "US", failure::LETTERS_AMONG_DIGITS),
    ("+49-30-9018-2OO", "US", failure::LETTERS_AMONG_DIGITS),
    ("0142685300GH", "FR", failure::LETTERS_AMONG_DIGITS),
    ("212 555 OIOO", "US", failure::LETTERS_AMONG_DIGITS),
    ("212-555-O-142", "US", failure::LETTERS_AMONG_DIGITS),
    ("1800FLOWERS", "US", failure::LETTERS_AMONG_DIGITS),
    ("1-800-FLOWER5", "US", failure::LETTERS_AMONG_DIGITS),
    ("\u{41e}30 901820", "DE", failure::LETTERS_AMONG_DIGITS),
    ("030 9\u{41e}1820", "DE", failure::LETTERS_AMONG_DIGITS),
    // words after a number, with or without digits
    ("212 555 0142 fax", "US", failure::WORDS_AFTER),
    ("555-0142 fax", "US", failure::WORDS_AFTER),
    ("718-2345 fax", "US", failure::WORDS_AFTER),
    ("+49 30 901820 Fax", "US", failure::WORDS_AFTER),
    ("+49 30 901820 App. 5", "US", failure::WORDS_AFTER),
    ("+49 30 901820 (Zi 5)", "US", failure::WORDS_AFTER),
    ("+49 30 901820 bis 22", "US", failure::WORDS_AFTER),
    ("+49 30 901820 z.Hd. 2", "US", failure::WORDS_AFTER),
    ("+49 30 901820 Abt. 3", "US", failure::WORDS_AFTER),
    ("+49 30 901820 Durchwahl 22", "US", failure::WORDS_AFTER),
    ("+33 1 42 68 53 00 poste 12", "FR", failure::WORDS_AFTER),
    ("10115 Berlin", "DE", failure::WORDS_AFTER),
    ("1010 Wien", "AT", failure::WORDS_AFTER),
    ("+1 212 555 0142 (Mon-Fri)", "US", failure::WORDS_AFTER),
    ("212 555 0142 or 212 555 0143", "US", failure::WORDS_AFTER),
    ("1-800-FLOWERS 5", "US", failure::WORDS_AFTER),
    // letters that are no word of a number
    ("1-800-FLOWER", "US", failure::INCOMPLETE_VANITY),
    ("212 FAXES", "US", failure::INCOMPLETE_VANITY),
    ("030 Fax", "DE", failure::LETTERS_AMONG_DIGITS),
    ("555 FLOWERS", "US", failure::INCOMPLETE_VANITY),
    ("1-800-555-OIOO", "US", failure::LETTERS_AMONG_DIGITS),
    ("1-800-F-L-O-W-E-R-S", "US", failure::LETTERS_AMONG_DIGITS),
    ("0800 BL\u{dc}TEN", "DE", failure::LETTERS_AMONG_DIGITS),
    (
        "0800 \u{426}\u{412}\u{415}\u{422}\u{42b}",
        "RU",
        failure::LETTERS_AMONG_DIGITS,
    ),
    // words before
    ("call 2125550100", "US", failure::WORDS_BEFORE),
    ("Telefax: +12125550100", "US", failure::WORDS_BEFORE),
    ("F2125550100", "US", failure::LETTERS_AMONG_DIGITS),
    // more than one number
    ("+49 30 901820/21", "US", failure::SECOND_NUMBER),
    ("+49 30 901820 / 901821", "US", failure::SECOND_NUMBER),
    ("030 901820/1", "DE", failure::SECOND_NUMBER),
    ("+49 30 901820 (5)", "US", failure::SECOND_NUMBER),
    ("+12125550100 +12125550101", "US", failure::SECOND_NUMBER),
    ("++12125550100", "US", failure::WRONG_CHARACTERS),
    // characters
    ("212\u{bd}5550100", "US", failure::WRONG_CHARACTERS),
    ("212 555 0142 & 43", "US", failure::WRONG_CHARACTERS),
    ("someone@2125550100", "US", failure::WORDS_BEFORE),
    ("212 555 0142?", "US", failure::WRONG_CHARACTERS),
    ("+1\u{202e}2125550142", "US", failure::WRONG_CHARACTERS),
    ("212 555\n0142", "US", failure::WRONG_CHARACTERS),
    ("*67 2125550100", "US", failure::SERVICE_CODE),
    // parameters of a URI
    ("tel:+12125550100;isub=12", "US", failure::PARAMETERS),
    ("tel:5550100;phone-context=example.com", "US", failure::PARAMETERS),
    ("tel:+12125550100;phone-context=+44", "US", failure::PARAMETERS),
    (
        "tel:2125550100;phone-context=+1;phone-context=+44",
        "US",
        failure::PARAMETERS,
    ),
    // a zero that is dialled in the country only
    ("+48 0 22 123 45 67", "US", failure::TRUNK_ZERO),
];

#[test]
fn refusals_name_the_cause() {
    let mut wrong = Vec::new();
    for (raw, region, message) in NOT_READ {
        match read(raw, region) {
            Err(failure) if failure.message == *message => {
                assert_eq!(failure.kind, FailureKind::NotANumber, "{raw:?}");
            }
            other => wrong.push(format!("{raw:?} in {region}: {other:?}")),
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn sentences_hold_no_digit() {
    for (raw, _, message) in NOT_READ {
        assert!(
            !message.contains(|c: char| c.is_ascii_digit()),
            "{raw}: {message}"
        );
    }
}

/// The digits that a text stands for, letters by their keys.
fn typed_digits(text: &str) -> String {
    PHONE_NUMBER_UTIL
        .convert_alpha_characters_in_number(text)
        .chars()
        .filter(char::is_ascii_digit)
        .collect()
}

fn plain_number() -> impl Strategy<Value = (&'static str, &'static str)> {
    prop::sample::select(vec![
        ("+12125550142", "US"),
        ("(212) 555-0142", "US"),
        ("+49 30 901820", "DE"),
        ("030 901820", "DE"),
        ("+43 1 505 1234", "AT"),
        ("+39 06 12345678", "IT"),
        ("0142685300", "FR"),
        ("+40721234567", "RO"),
        ("020 7946 0018", "GB"),
        ("+44 (0)20 7946 0018", "GB"),
    ])
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_letter_in_a_number_is_never_dialled(
        (number, region) in plain_number(),
        letter in "[A-Za-zäöüßОоІ]",
        at in 0..16_usize,
    ) {
        let at = at.min(number.len());
        let (before, after) = number.split_at(at);
        let text = format!("{before}{letter}{after}");
        prop_assert!(read(&text, region).is_err(), "{}", text);
        // The letter may have taken the place of a digit.
        let replaced = format!("{before}{letter}{}", after.get(1..).unwrap_or_default());
        prop_assert!(read(&replaced, region).is_err(), "{}", replaced);
    }

    #[test]
    fn words_after_a_number_are_never_dialled(
        (number, region) in plain_number(),
        between in "[ ,/(-]{1,2}",
        word in "[A-Za-z]{1,9}",
        digits in "[ .]?[0-9]{0,4}",
    ) {
        let text = format!("{number}{between}{word}{digits}");
        prop_assert!(read(&text, region).is_err(), "{}", text);
    }

    #[test]
    fn every_digit_is_dialled(
        text in "[+]?[0-9 ()/.-]{3,24}( ?[A-Za-z]{2,8})?",
        region in prop::sample::select(vec!["US", "DE", "IT", "PL", "AT", "GB", "FR", "JP", ""]),
    ) {
        if let Ok(number) = read(&text, region) {
            let typed = typed_digits(&text);
            // Elsewhere libphonenumber writes digits that nobody typed, as the 9 of mobile numbers in Argentina.
            let numbered = ["+1", "+49", "+39", "+48", "+43", "+44", "+33", "+81"];
            prop_assume!(numbered.iter().any(|code| number.e164.starts_with(code)));
            // A trunk prefix, an international one and the country code may stand before the national number.
            let code = PHONE_NUMBER_UTIL.parse(&number.e164, None).unwrap().country_code.to_string();
            let national = number.e164.strip_prefix(&format!("+{code}")).unwrap();
            prop_assert!(typed.ends_with(national), "{} gave {}", text, number.e164);
            let before = typed.len() - national.len();
            prop_assert!(before <= code.len() + 8, "{} gave {}", text, number.e164);
        }
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,40}") {
        let _ = read(&text, "US");
    }
}
