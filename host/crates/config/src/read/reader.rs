//! Turns what was given into values with real types. Every problem is collected, instead of stopping at the first.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use url::Url;

use super::problem::Problem;
use super::raw::{Given, Raw, Value};
use super::source::{Fixed, Source};
use crate::keys::{self, DefaultValue, Kind};
use faxgate_base::secret::Secret;
use faxgate_base::size::MIB;

/// Reads the values of a [`Raw`] by key and collects the problems. A key that is not given has the default of
/// [`keys::KEYS`]. A key with a problem gets its default too, so that the other keys are checked as well.
pub(crate) struct Reader<'a> {
    source: &'a dyn Source,
    raw: &'a Raw,
    /// The problems found so far.
    pub(crate) problems: Vec<Problem>,
}

/// A unit of time in which a key counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// `…_ms`
    Milliseconds,
    /// `…_seconds`
    Seconds,
    /// `…_minutes`
    Minutes,
    /// `…_days`
    Days,
}

impl<'a> Reader<'a> {
    /// Reads from `raw`; secrets given by path are read through `source`.
    #[must_use]
    pub(crate) fn new(source: &'a dyn Source, raw: &'a Raw, problems: Vec<Problem>) -> Self {
        Self {
            source,
            raw,
            problems,
        }
    }

    /// Notes a problem with a key, wherever it was given.
    pub(crate) fn problem(&mut self, key: &str, message: impl Into<String>) {
        let origin = self.raw.values.get(key).map(|given| given.origin.clone());
        self.note(key, origin, message);
    }

    fn note(&mut self, key: &str, origin: Option<String>, message: impl Into<String>) {
        self.problems.push(Problem {
            key: key.to_owned(),
            origin,
            message: message.into(),
        });
    }

    /// The key as it is named in messages: its path and its first variable.
    #[must_use]
    pub(crate) fn spelled(key: &str) -> String {
        match keys::find(key).and_then(|key| key.variables.first()) {
            Some(variable) => format!("{key} ({variable})"),
            None => key.to_owned(),
        }
    }

    fn get(&self, key: &str) -> Option<&'a Given> {
        debug_assert!(
            keys::find(key.strip_suffix("_file").unwrap_or(key)).is_some() || keys::find(key).is_some(),
            "{key} is in the table"
        );
        self.raw.values.get(key)
    }

    /// The value of a key: what was given, else its default. What can't be read is a problem, which says what is
    /// `expected`.
    fn read<T>(
        &mut self,
        key: &str,
        expected: impl FnOnce() -> String,
        parse: impl Fn(&Value) -> Option<T>,
    ) -> Option<T> {
        let default = keys::find(key).map_or(DefaultValue::Unset, |key| key.default);
        self.read_of(key, self.get(key), default, expected, parse)
    }

    /// See [`Reader::read`]; of a value that is not in the table of keys.
    fn read_of<T>(
        &mut self,
        key: &str,
        given: Option<&Given>,
        default: DefaultValue,
        expected: impl FnOnce() -> String,
        parse: impl Fn(&Value) -> Option<T>,
    ) -> Option<T> {
        let off = keys::find(key).is_some_and(|key| key.kind == Kind::Listener);
        if let Some(given) = given.filter(|given| off || !given.value.is_empty()) {
            let parsed = parse(&given.value);
            if parsed.is_some() {
                return parsed;
            }
            let message = format!("is {}; give {}", given.value.described(), expected());
            self.note(key, Some(given.origin.clone()), message);
        }
        Value::of(default).and_then(|value| parse(&value))
    }

    /// Whether standard error is a terminal.
    #[must_use]
    pub(crate) fn terminal(&self) -> bool {
        self.source.terminal()
    }

    /// Everything that was given, with the tables whose names are the operator's own.
    #[must_use]
    pub(crate) fn raw(&self) -> &'a Raw {
        self.raw
    }

    /// A text; an empty one is none.
    pub(crate) fn text(&mut self, key: &str) -> Option<String> {
        let given = match self.get(key) {
            Some(given) => self.text_of(key, given).filter(|text| !text.is_empty()),
            None => None,
        };
        given.or_else(|| match keys::find(key)?.default {
            DefaultValue::Text(text) => Some(text.to_owned()),
            _ => None,
        })
    }

    /// The text of a value that must be one.
    pub(crate) fn text_of(&mut self, key: &str, given: &Given) -> Option<String> {
        match &given.value {
            Value::Text(text) => Some(text.clone()),
            other => {
                // It may be a secret: only what it is, not what it says.
                let found = other.kind();
                self.note(
                    key,
                    Some(given.origin.clone()),
                    format!("is {found}; give a text in quotes"),
                );
                None
            }
        }
    }

    /// A path.
    pub(crate) fn path(&mut self, key: &str) -> Option<PathBuf> {
        self.text(key).map(PathBuf::from)
    }

    /// One path or several: a TOML list, or a text with commas (no spaces are taken away inside a path).
    pub(crate) fn paths(&mut self, key: &str) -> Vec<PathBuf> {
        let texts = match self.get(key).map(|given| &given.value) {
            Some(Value::List(items)) => items.clone(),
            _ => {
                let text = self.text(key).unwrap_or_default();
                text.split(',').map(|part| part.trim().to_owned()).collect()
            }
        };
        let given = texts.into_iter().filter(|text| !text.is_empty());
        given.map(PathBuf::from).collect()
    }

    /// A secret, given directly or as the path of a file that holds it.
    pub(crate) fn secret(&mut self, key: &str) -> Option<Secret> {
        let path_key = format!("{key}_file");
        let direct = self.get(key);
        let by_path = self.get(&path_key);
        self.secret_of(key, direct, by_path)
    }

    /// See [`Reader::secret`].
    pub(crate) fn secret_of(
        &mut self,
        key: &str,
        direct: Option<&Given>,
        by_path: Option<&Given>,
    ) -> Option<Secret> {
        let text = direct.and_then(|given| self.secret_text(key, given));
        let path = by_path.and_then(|given| self.secret_text(&format!("{key}_file"), given));
        match (text, path, by_path) {
            (Some(_), Some(_), Some(given)) => {
                let message = format!("is given twice: keep either {key} or {key}_file");
                self.note(key, Some(given.origin.clone()), message);
                None
            }
            (None, Some(path), Some(given)) => self.secret_file(key, Path::new(&path), given),
            (text, _, _) => text.map(Secret::new),
        }
    }

    fn secret_text(&mut self, key: &str, given: &Given) -> Option<String> {
        self.text_of(key, given).filter(|text| !text.is_empty())
    }

    fn secret_file(&mut self, key: &str, path: &Path, given: &Given) -> Option<Secret> {
        let key = format!("{key}_file");
        let shown = path.display();
        let content = match self.source.read(path) {
            Ok(content) => content,
            Err(e) => {
                let message = format!("{shown} can't be read ({e}): give the path of a readable file");
                self.note(&key, Some(given.origin.clone()), message);
                return None;
            }
        };
        match String::from_utf8(content) {
            Ok(text) if !text.trim().is_empty() => Some(Secret::new(text.trim().to_owned())),
            _ => {
                let message = format!("{shown} is empty or not text: write the secret into it, in one line");
                self.note(&key, Some(given.origin.clone()), message);
                None
            }
        }
    }

    /// Yes or no.
    pub(crate) fn flag(&mut self, key: &str) -> bool {
        let default = keys::find(key).map_or(DefaultValue::Unset, |key| key.default);
        self.flag_of(key, self.get(key), default)
    }

    /// See [`Reader::flag`]; of a value that is not in the table of keys.
    pub(crate) fn flag_of(&mut self, key: &str, given: Option<&Given>, default: DefaultValue) -> bool {
        let parse = |value: &Value| match value {
            Value::Flag(flag) => Some(*flag),
            Value::Text(text) => spelled_flag(text),
            Value::Whole(0) => Some(false),
            Value::Whole(1) => Some(true),
            _ => None,
        };
        let expected = || "true or false".to_owned();
        self.read_of(key, given, default, expected, parse)
            .unwrap_or_default()
    }

    /// A whole number.
    pub(crate) fn whole<T>(&mut self, key: &str, range: RangeInclusive<T>) -> T
    where
        T: TryFrom<i64> + PartialOrd + Display + Copy + Default,
    {
        let default = keys::find(key).map_or(DefaultValue::Unset, |key| key.default);
        self.whole_of(key, self.get(key), range, default)
    }

    /// A count, at least one.
    pub(crate) fn count(&mut self, key: &str, most: u32) -> usize {
        usize::try_from(self.whole(key, 1..=most)).unwrap_or(usize::MAX)
    }

    /// A size given in MiB, in bytes.
    pub(crate) fn mebibytes(&mut self, key: &str, most: u64) -> u64 {
        self.whole(key, 1..=most).saturating_mul(MIB)
    }

    /// See [`Reader::whole`]; of a value that is not in the table of keys.
    pub(crate) fn whole_of<T>(
        &mut self,
        key: &str,
        given: Option<&Given>,
        range: RangeInclusive<T>,
        default: DefaultValue,
    ) -> T
    where
        T: TryFrom<i64> + PartialOrd + Display + Copy + Default,
    {
        let expected = || format!("a whole number from {} to {}", range.start(), range.end());
        let parse = |value: &Value| {
            let number = match value {
                Value::Whole(number) => *number,
                Value::Text(text) => text.parse().ok()?,
                _ => return None,
            };
            T::try_from(number).ok().filter(|number| range.contains(number))
        };
        self.read_of(key, given, default, expected, parse)
            .unwrap_or_default()
    }

    /// A number that need not be whole.
    pub(crate) fn number(&mut self, key: &str, range: RangeInclusive<f64>) -> f64 {
        let expected = || format!("a number from {} to {}", range.start(), range.end());
        let parse = |value: &Value| {
            let number = match value {
                #[allow(
                    clippy::cast_precision_loss,
                    reason = "the ranges asked for are far below 2^52"
                )]
                Value::Whole(number) => *number as f64,
                Value::Decimal(number) => *number,
                Value::Text(text) => text.parse().ok()?,
                _ => return None,
            };
            // A NaN is in no range.
            Some(number).filter(|number| range.contains(number))
        };
        self.read(key, expected, parse).unwrap_or_default()
    }

    /// A span of time, counted in `unit`; fractions are allowed.
    pub(crate) fn span(&mut self, key: &str, unit: Unit, range: RangeInclusive<f64>) -> Duration {
        let units = self.number(key, range);
        Duration::try_from_secs_f64(units * unit.seconds()).unwrap_or_default()
    }

    /// One of a few words, in any case.
    pub(crate) fn word<T: Copy + Default>(&mut self, key: &str, words: &[(&str, T)]) -> T {
        let expected = || {
            let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            format!("one of {}", known.join(", "))
        };
        let parse = |value: &Value| match value {
            Value::Text(text) => words
                .iter()
                .find(|(word, _)| word.eq_ignore_ascii_case(text))
                .map(|(_, meant)| *meant),
            _ => None,
        };
        self.read(key, expected, parse).unwrap_or_default()
    }

    /// A list: a TOML array or a text with commas.
    pub(crate) fn list(&mut self, key: &str) -> Vec<String> {
        let parse = |value: &Value| match value {
            Value::List(items) => Some(items.clone()),
            Value::Text(text) => Some(
                text.split([',', ' '])
                    .map(|part| part.trim().to_owned())
                    .collect(),
            ),
            _ => None,
        };
        let parts: Vec<String> = self
            .read(key, || "a list of texts".to_owned(), parse)
            .unwrap_or_default();
        parts.into_iter().filter(|part| !part.is_empty()).collect()
    }

    /// A socket address; `None` when it is switched off.
    pub(crate) fn listener(&mut self, key: &str) -> Option<SocketAddr> {
        let expected = || "ADDRESS:PORT such as 127.0.0.1:8080 or 0.0.0.0:443, or \"\" for off".to_owned();
        let parse = |value: &Value| match value {
            Value::Text(text) if text.is_empty() || text.eq_ignore_ascii_case("off") => Some(None),
            Value::Text(text) => socket_address(text).map(Some),
            _ => None,
        };
        self.read(key, expected, parse).flatten()
    }

    /// An `http` or `https` address without credentials and fragment.
    pub(crate) fn url(&mut self, key: &str) -> Option<Url> {
        let text = self.text(key)?;
        match web_address(&text) {
            Ok(url) => Some(url),
            Err(expected) => {
                // The text may hold a password.
                self.problem(key, expected);
                None
            }
        }
    }

    /// The values of an open table as texts: numbers and flags are written out.
    pub(crate) fn texts(&mut self, table: &str, given: &BTreeMap<String, Given>) -> BTreeMap<String, String> {
        let mut texts = BTreeMap::new();
        for (name, given) in given {
            let text = match &given.value {
                Value::Text(text) => text.clone(),
                Value::Whole(number) => number.to_string(),
                Value::Decimal(number) => number.to_string(),
                Value::Flag(flag) => flag.to_string(),
                Value::List(items) => items.join(","),
                Value::Other(kind) => {
                    let message = format!("is {kind}; give a text, a number or true/false");
                    self.note(&format!("{table}.{name}"), Some(given.origin.clone()), message);
                    continue;
                }
            };
            texts.insert(name.clone(), text);
        }
        texts
    }

    /// Notes a problem with a value of an open table.
    pub(crate) fn problem_at(&mut self, key: &str, given: &Given, message: impl Into<String>) {
        self.note(key, Some(given.origin.clone()), message);
    }
}

impl Unit {
    /// One of it, in seconds.
    #[must_use]
    pub(crate) const fn seconds(self) -> f64 {
        match self {
            Self::Milliseconds => 0.001,
            Self::Seconds => 1.0,
            Self::Minutes => 60.0,
            Self::Days => 86_400.0,
        }
    }
}

impl Value {
    /// Whether it is a text without a character.
    fn is_empty(&self) -> bool {
        matches!(self, Self::Text(text) if text.is_empty())
    }

    /// For an error: the value, or only its kind where it has no short text.
    fn described(&self) -> String {
        match self {
            Self::Text(text) => format!("{:?}", text.chars().take(60).collect::<String>()),
            Self::Whole(number) => number.to_string(),
            Self::Decimal(number) => number.to_string(),
            Self::Flag(flag) => flag.to_string(),
            Self::List(_) | Self::Other(_) => self.kind().to_owned(),
        }
    }

    const fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "a text",
            Self::Whole(_) | Self::Decimal(_) => "a number",
            Self::Flag(_) => "true or false",
            Self::List(_) => "a list",
            Self::Other(kind) => kind,
        }
    }
}

fn spelled_flag(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" | "y" | "t" => Some(true),
        "false" | "0" | "no" | "off" | "n" | "f" => Some(false),
        _ => None,
    }
}

/// Reads `ADDRESS:PORT`. No name but `localhost` is known: what a listener is bound to must not depend on a
/// name server.
fn socket_address(text: &str) -> Option<SocketAddr> {
    let numeric = match text.split_once(':') {
        Some(("", port)) => format!("0.0.0.0:{port}"),
        Some((host, port)) if host.eq_ignore_ascii_case("localhost") => format!("127.0.0.1:{port}"),
        _ => text.to_owned(),
    };
    numeric.parse().ok()
}

/// What a section is when nothing is given.
pub(crate) fn defaults<T>(read: impl FnOnce(&mut Reader<'_>) -> T) -> T {
    let (source, raw) = (Fixed::default(), Raw::default());
    read(&mut Reader::new(&source, &raw, Vec::new()))
}

/// Reads an address of the web.
pub(crate) fn web_address(text: &str) -> Result<Url, &'static str> {
    let url = Url::parse(text).map_err(|_| "is not an address; give one such as https://fax.example.com")?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return Err("is not an http or https address; give one such as https://fax.example.com");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("holds a user name or password; give the address without them");
    }
    if url.fragment().is_some() {
        return Err("has a fragment; give the address without what follows the #");
    }
    Ok(url)
}
