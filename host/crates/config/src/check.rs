//! Turns what was given into values with real types, noting every problem instead of stopping at the first.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use url::Url;

use super::keys;
use super::problem::Problem;
use super::raw::{Given, Raw, Value};
use super::source::Source;
use faxgate_base::secret::Secret;
use faxgate_base::size::MIB;

/// Hands out the values of a [`Raw`] by key and keeps the problems. A key with a problem yields its default, so
/// that the other keys are looked at as well.
pub struct Reader<'a> {
    source: &'a dyn Source,
    raw: &'a Raw,
    /// What was found so far.
    pub problems: Vec<Problem>,
}

/// A unit of time in which a key counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
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
    pub fn new(source: &'a dyn Source, raw: &'a Raw, problems: Vec<Problem>) -> Self {
        Self {
            source,
            raw,
            problems,
        }
    }

    /// Notes a problem with a key, wherever it was given.
    pub fn problem(&mut self, key: &str, message: impl Into<String>) {
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

    /// How a person would look for the key: its path and its first variable.
    #[must_use]
    pub fn spelled(key: &str) -> String {
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

    /// Whether the log is read as it is written.
    #[must_use]
    pub fn terminal(&self) -> bool {
        self.source.terminal()
    }

    /// What was given outside the table of keys.
    #[must_use]
    pub fn raw(&self) -> &'a Raw {
        self.raw
    }

    /// A text; an empty one is none.
    pub fn text(&mut self, key: &str) -> Option<String> {
        let given = self.get(key)?;
        self.text_of(key, given).filter(|text| !text.is_empty())
    }

    /// The text of a value that must be one.
    pub fn text_of(&mut self, key: &str, given: &Given) -> Option<String> {
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
    pub fn path(&mut self, key: &str) -> Option<PathBuf> {
        self.text(key).map(PathBuf::from)
    }

    /// One path or several: a TOML list, or a text with commas (no spaces are taken away inside a path).
    pub fn paths(&mut self, key: &str) -> Vec<PathBuf> {
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

    /// A secret, given outright or as the path of a file that holds it.
    pub fn secret(&mut self, key: &str) -> Option<Secret> {
        let path_key = format!("{key}_file");
        let outright = self.get(key);
        let by_path = self.get(&path_key);
        self.secret_of(key, outright, by_path)
    }

    /// See [`Reader::secret`].
    pub fn secret_of(
        &mut self,
        key: &str,
        outright: Option<&Given>,
        by_path: Option<&Given>,
    ) -> Option<Secret> {
        let text = outright.and_then(|given| self.secret_text(key, given));
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
    pub fn flag(&mut self, key: &str, default: bool) -> bool {
        let Some(given) = self.get(key) else {
            return default;
        };
        let read = match &given.value {
            Value::Flag(flag) => Some(*flag),
            Value::Text(text) if text.is_empty() => Some(default),
            Value::Text(text) => spelled_flag(text),
            Value::Whole(0) => Some(false),
            Value::Whole(1) => Some(true),
            _ => None,
        };
        read.unwrap_or_else(|| {
            let found = given.value.described();
            self.problem(key, format!("is {found}; give true or false"));
            default
        })
    }

    /// A whole number.
    pub fn whole<T>(&mut self, key: &str, range: RangeInclusive<T>, default: T) -> T
    where
        T: TryFrom<i64> + PartialOrd + Display + Copy,
    {
        match self.get(key) {
            Some(given) => self.whole_of(key, given, range, default),
            None => default,
        }
    }

    /// A number of things, at least one.
    pub fn count(&mut self, key: &str, most: u32, default: usize) -> usize {
        let default = u32::try_from(default).unwrap_or(most);
        usize::try_from(self.whole(key, 1..=most, default)).unwrap_or(usize::MAX)
    }

    /// A size given in MiB, in bytes.
    pub fn mebibytes(&mut self, key: &str, most: u64, default: u64) -> u64 {
        self.whole(key, 1..=most, default / MIB).saturating_mul(MIB)
    }

    /// See [`Reader::whole`].
    pub fn whole_of<T>(&mut self, key: &str, given: &Given, range: RangeInclusive<T>, default: T) -> T
    where
        T: TryFrom<i64> + PartialOrd + Display + Copy,
    {
        let read = match &given.value {
            Value::Whole(number) => Some(*number),
            Value::Text(text) if text.is_empty() => return default,
            Value::Text(text) => text.parse().ok(),
            _ => None,
        };
        let fitting = read
            .and_then(|n| T::try_from(n).ok())
            .filter(|n| range.contains(n));
        fitting.unwrap_or_else(|| {
            let (found, low, high) = (given.value.described(), range.start(), range.end());
            let message = format!("is {found}; give a whole number from {low} to {high}");
            self.note(key, Some(given.origin.clone()), message);
            default
        })
    }

    /// A number that need not be whole.
    pub fn number(&mut self, key: &str, range: RangeInclusive<f64>, default: f64) -> f64 {
        let Some(given) = self.get(key) else {
            return default;
        };
        let read = match &given.value {
            #[allow(
                clippy::cast_precision_loss,
                reason = "the ranges asked for are far below 2^52"
            )]
            Value::Whole(number) => Some(*number as f64),
            Value::Decimal(number) => Some(*number),
            Value::Text(text) if text.is_empty() => return default,
            Value::Text(text) => text.parse().ok(),
            _ => None,
        };
        // A NaN is in no range.
        read.filter(|n| range.contains(n)).unwrap_or_else(|| {
            let (found, low, high) = (given.value.described(), range.start(), range.end());
            self.problem(key, format!("is {found}; give a number from {low} to {high}"));
            default
        })
    }

    /// A span of time, counted in `unit`; fractions are allowed.
    pub fn span(&mut self, key: &str, unit: Unit, range: RangeInclusive<f64>, default: Duration) -> Duration {
        let units = self.number(key, range, default.as_secs_f64() / unit.seconds());
        Duration::try_from_secs_f64(units * unit.seconds()).unwrap_or(default)
    }

    /// A text with a form of its own.
    pub fn parsed<T: FromStr>(&mut self, key: &str, expected: &str) -> Option<T> {
        let text = self.text(key)?;
        let parsed = text.parse().ok();
        if parsed.is_none() {
            self.problem(key, format!("is {text:?}; give {expected}"));
        }
        parsed
    }

    /// One of a few words, in any case.
    pub fn word<T: Copy>(&mut self, key: &str, words: &[(&str, T)], default: T) -> T {
        let Some(text) = self.text(key) else {
            return default;
        };
        let found = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(&text));
        if let Some((_, value)) = found {
            return *value;
        }
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        self.problem(key, format!("is {text:?}; give one of {}", known.join(", ")));
        default
    }

    /// A list: a TOML array or a text with commas.
    pub fn list(&mut self, key: &str) -> Vec<String> {
        let Some(given) = self.get(key) else {
            return Vec::new();
        };
        let parts = match &given.value {
            Value::List(items) => items.clone(),
            Value::Text(text) => text
                .split([',', ' '])
                .map(|part| part.trim().to_owned())
                .collect(),
            other => {
                let found = other.described();
                self.problem(key, format!("is {found}; give a list of texts"));
                Vec::new()
            }
        };
        parts.into_iter().filter(|part| !part.is_empty()).collect()
    }

    /// A socket address; `None` when it is switched off.
    pub fn listener(&mut self, key: &str, default: Option<SocketAddr>) -> Option<SocketAddr> {
        let Some(given) = self.get(key) else {
            return default;
        };
        let text = self.text_of(key, given)?;
        if text.is_empty() || text.eq_ignore_ascii_case("off") {
            return None;
        }
        if let Some(found) = socket_address(&text) {
            return Some(found);
        }
        self.problem(
            key,
            format!("is {text:?}; give ADDRESS:PORT such as 127.0.0.1:8080 or 0.0.0.0:443, or \"\" for off"),
        );
        default
    }

    /// An `http` or `https` address without credentials and fragment.
    pub fn url(&mut self, key: &str, default: Option<&str>) -> Option<Url> {
        let text = match self.text(key) {
            Some(text) => text,
            None => default?.to_owned(),
        };
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
    pub fn texts(&mut self, table: &str, given: &BTreeMap<String, Given>) -> BTreeMap<String, String> {
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
    pub fn problem_at(&mut self, key: &str, given: &Given, message: impl Into<String>) {
        self.note(key, Some(given.origin.clone()), message);
    }
}

impl Unit {
    /// One of it, in seconds.
    #[must_use]
    pub const fn seconds(self) -> f64 {
        match self {
            Self::Milliseconds => 0.001,
            Self::Seconds => 1.0,
            Self::Minutes => 60.0,
            Self::Days => 86_400.0,
        }
    }
}

impl Value {
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

/// Reads an address of the web.
pub(super) fn web_address(text: &str) -> Result<Url, &'static str> {
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
