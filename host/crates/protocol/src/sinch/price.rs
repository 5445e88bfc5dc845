//! What a fax costs.

use serde_json::Value;

use crate::json::{self, Object};

/// Millionths in one unit.
const UNIT: i64 = 1_000_000;

/// Digits of a fraction that are kept.
const FRACTION: usize = 6;

/// An amount of money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Price {
    /// ISO 4217, in upper case.
    pub currency: String,
    /// Millionths of the currency's unit.
    pub micros: i64,
}

impl Price {
    /// Reads `{"currencyCode":"USD","amount":"0.135"}`; the amount is a text or a number with any number of digits.
    #[must_use]
    pub fn from_value(value: &Value) -> Option<Self> {
        let object = value.as_object()?;
        let currency = json::text(object, "currencyCode")?.to_ascii_uppercase();
        Some(Self {
            currency,
            micros: amount(object)?,
        })
    }

    /// US cents, rounded up; none for another currency, which must not be shown as dollars.
    #[must_use]
    pub fn usd_cents(&self) -> Option<i64> {
        const CENT: i64 = UNIT / 100;
        let whole = self.micros.div_euclid(CENT);
        let rest = i64::from(self.micros.rem_euclid(CENT) > 0);
        (self.currency == "USD").then(|| whole.saturating_add(rest))
    }
}

fn amount(object: &Object) -> Option<i64> {
    match object.get("amount")? {
        Value::String(text) => micros(text.trim()),
        // As it was written, so that 0.135 is not 0.13500000000000001.
        Value::Number(number) => micros(&number.to_string()),
        _ => None,
    }
}

/// Millionths of decimal text, rounded up. None below zero and for anything else.
fn micros(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return None;
    }
    let (kept, dropped) = fraction.split_at_checked(FRACTION).unwrap_or((fraction, ""));
    let fraction: i64 = format!("{kept:0<FRACTION$}").parse().ok()?;
    let more = i64::from(dropped.bytes().any(|digit| digit != b'0'));
    let whole: i64 = whole.parse().ok()?;
    whole.checked_mul(UNIT)?.checked_add(fraction)?.checked_add(more)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(amount: &Value) -> Option<i64> {
        Price::from_value(&json!({"currencyCode": "USD", "amount": amount})).map(|price| price.micros)
    }

    #[test]
    fn amounts_are_texts_or_numbers() {
        for (amount, expected) in [
            (json!("0.135"), Some(135_000)),
            (json!(0.135), Some(135_000)),
            (json!("0.1350"), Some(135_000)),
            (json!("0.045"), Some(45_000)),
            (json!("2"), Some(2_000_000)),
            (json!(2), Some(2_000_000)),
            (json!("0"), Some(0)),
            (json!("0.0000001"), Some(1)),
            (json!("-1"), None),
            (json!("free"), None),
            (json!(""), None),
            (json!("."), None),
            (json!("1e9"), None),
            (json!("99999999999999999999"), None),
            (json!(null), None),
        ] {
            assert_eq!(read(&amount), expected, "{amount}");
        }
    }

    #[test]
    fn cents_are_rounded_up_and_only_dollars_have_them() {
        for (amount, cents) in [
            ("0.135", 14),
            ("0.14", 14),
            ("0.0000001", 1),
            ("0", 0),
            ("1.00", 100),
        ] {
            let price =
                Price::from_value(&json!({"currencyCode": "usd", "amount": amount})).expect("a price");
            assert_eq!(price.usd_cents(), Some(cents), "{amount}");
        }
        let euros = Price::from_value(&json!({"currencyCode": "EUR", "amount": "0.135"})).expect("a price");
        assert_eq!(euros.usd_cents(), None);
        assert_eq!(Price::from_value(&json!({"amount": "1"})), None);
        assert_eq!(Price::from_value(&json!(null)), None);
    }
}
