//! What the file and the environment say, before it is checked.
//!
//! The file is read with positions, so that an error can name line and column. The environment is laid over it:
//! for one key the environment wins.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::Problem;
use super::source::Source;
use crate::keys::{self, DefaultValue, KEYS, Key, Kind};

/// Everything that was given.
#[derive(Debug, Default)]
pub(crate) struct Raw {
    /// Values by the name of their key; a secret given by path is under `NAME_file`.
    pub(crate) values: BTreeMap<String, Given>,
    /// `[inbound.routes]`
    pub(crate) routes: BTreeMap<String, Given>,
    /// `[plugins."NAME"]`
    pub(crate) plugins: BTreeMap<String, RawPlugin>,
}

/// One `[plugins."NAME"]` table.
#[derive(Debug, Default)]
pub(crate) struct RawPlugin {
    /// Its plain keys.
    pub(crate) values: BTreeMap<String, Given>,
    /// `settings`
    pub(crate) settings: BTreeMap<String, Given>,
    /// `secrets`
    pub(crate) secrets: BTreeMap<String, Given>,
}

/// A value and where it was given.
#[derive(Clone)]
pub(crate) struct Given {
    /// The value.
    pub(crate) value: Value,
    /// A variable, or file, line and column.
    pub(crate) origin: String,
}

/// A value of the file, or a text of the environment.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    /// Text; the only kind that the environment has.
    Text(String),
    /// A whole number.
    Whole(i64),
    /// Another number.
    Decimal(f64),
    /// `true` or `false`.
    Flag(bool),
    /// A list of texts.
    List(Vec<String>),
    /// A value of a kind that no key has, by the name of the kind.
    Other(&'static str),
}

/// A file that is being read into a [`Raw`].
struct Reading<'a> {
    name: String,
    text: &'a str,
    raw: Raw,
    problems: Vec<Problem>,
}

type Entry<'a, 'i> = (&'a Spanned<Cow<'i, str>>, &'a Spanned<DeValue<'i>>);

impl Value {
    /// The value of a default, as if it had been given.
    pub(super) fn of(default: DefaultValue) -> Option<Self> {
        match default {
            DefaultValue::Unset | DefaultValue::Described(_) => None,
            DefaultValue::Flag(flag) => Some(Self::Flag(flag)),
            DefaultValue::Whole(number) => Some(Self::Whole(number)),
            DefaultValue::Text(text) => Some(Self::Text(text.to_owned())),
            DefaultValue::List(items) => {
                Some(Self::List(items.iter().map(|&item| item.to_owned()).collect()))
            }
        }
    }
}

impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // It may be a secret.
        write!(f, "given at {}", self.origin)
    }
}

impl Raw {
    /// Reads `file` (when there is one) and lays the environment over it. What can't be understood is left out
    /// and put in the list.
    #[must_use]
    pub(crate) fn read(source: &dyn Source, file: Option<&Path>) -> (Self, Vec<Problem>) {
        let (mut raw, mut problems) = file.map_or_else(Default::default, |path| from_file(source, path));
        for key in KEYS {
            overlay(&mut raw, &mut problems, source, key);
        }
        (raw, problems)
    }
}

/// Lays the variables of one key over what the file said.
fn overlay(raw: &mut Raw, problems: &mut Vec<Problem>, source: &dyn Source, key: &Key) {
    let direct = from_variables(problems, source, key, key.variables);
    let by_path = match key.kind {
        Kind::Secret => {
            let names: Vec<String> = key.variables.iter().map(|name| format!("{name}_FILE")).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            from_variables(problems, source, key, &names)
        }
        Kind::Plain | Kind::Listener => None,
    };
    if direct.is_none() && by_path.is_none() {
        return;
    }
    // A secret in the environment replaces the one in the file whichever way either was given.
    let path_name = format!("{}_file", key.name);
    if key.kind == Kind::Secret {
        raw.values.remove(key.name);
        raw.values.remove(&path_name);
    }
    if let Some(given) = direct {
        raw.values.insert(key.name.to_owned(), given);
    }
    if let Some(given) = by_path {
        raw.values.insert(path_name, given);
    }
}

/// The first variable that says something.
fn from_variables(
    problems: &mut Vec<Problem>,
    source: &dyn Source,
    key: &Key,
    names: &[&str],
) -> Option<Given> {
    for name in names {
        let Some(value) = source.variable(name) else {
            continue;
        };
        let Ok(text) = value.into_string() else {
            problems.push(Problem {
                key: key.name.to_owned(),
                origin: Some((*name).to_owned()),
                message: "is not valid UTF-8: set it again as plain text".to_owned(),
            });
            continue;
        };
        let text = text.trim();
        if text.is_empty() && key.kind != Kind::Listener {
            continue;
        }
        return Some(Given {
            value: Value::Text(text.to_owned()),
            origin: (*name).to_owned(),
        });
    }
    None
}

fn from_file(source: &dyn Source, path: &Path) -> (Raw, Vec<Problem>) {
    let name = path.display().to_string();
    let fail = |message: String| {
        let problem = Problem {
            key: name.clone(),
            origin: None,
            message,
        };
        (Raw::default(), vec![problem])
    };
    let bytes = match source.read(path) {
        Ok(bytes) => bytes,
        Err(e) => {
            return fail(format!(
                "can't be read ({e}): check --config and the file's permissions"
            ));
        }
    };
    let Ok(text) = String::from_utf8(bytes) else {
        return fail("is not valid UTF-8: save it as UTF-8 text".to_owned());
    };
    let document = match DeTable::parse(&text) {
        Ok(document) => document,
        Err(e) => {
            // Only the message: the error's own text quotes the line, which may hold a secret.
            let place = e.span().map_or_else(String::new, |span| {
                format!(" at line {}", position(&text, span.start))
            });
            return fail(format!("is not TOML{place}: {}", e.message().replace('\n', ", ")));
        }
    };
    let mut reading = Reading {
        name,
        text: &text,
        raw: Raw::default(),
        problems: Vec::new(),
    };
    reading.section("", document.get_ref());
    (reading.raw, reading.problems)
}

impl Reading<'_> {
    fn origin(&self, at: usize) -> String {
        format!("{}:{}", self.name, position(self.text, at))
    }

    fn problem(&mut self, key: &str, at: usize, message: impl Into<String>) {
        let origin = Some(self.origin(at));
        self.problems.push(Problem {
            key: key.to_owned(),
            origin,
            message: message.into(),
        });
    }

    fn given(&self, value: &Spanned<DeValue<'_>>) -> Given {
        Given {
            value: simple(value.get_ref()),
            origin: self.origin(value.span().start),
        }
    }

    /// Walks one section; `prefix` is its path with a dot behind it.
    fn section(&mut self, prefix: &str, table: &DeTable<'_>) {
        for (name, value) in table {
            // A quoted key may hold anything, line breaks included.
            let path = format!("{prefix}{}", name.get_ref().escape_debug());
            self.entry(prefix, &path, (name, value));
        }
    }

    fn entry(&mut self, prefix: &str, path: &str, (name, value): Entry<'_, '_>) {
        let of_secret = path.strip_suffix("_file").and_then(keys::find);
        if keys::find(path).is_some() || of_secret.is_some_and(|key| key.kind == Kind::Secret) {
            let given = self.given(value);
            self.raw.values.insert(path.to_owned(), given);
            return;
        }
        let at = name.span().start;
        match value.get_ref() {
            DeValue::Table(table) if path == "inbound.routes" => self.raw.routes = self.open_table(table),
            DeValue::Table(table) if prefix == "plugins." => self.plugin(name.get_ref(), table),
            DeValue::Table(table) if keys::is_section(path) => self.section(&format!("{path}."), table),
            _ if path == "inbound.routes" || keys::is_section(path) => {
                self.problem(
                    path,
                    at,
                    format!("is a section: write [{path}] and its keys below"),
                );
            }
            _ => {
                let nearest = keys::nearest(path);
                self.problem(path, at, format!("is not a key; the nearest one is {nearest}"));
            }
        }
    }

    fn plugin(&mut self, name: &str, table: &DeTable<'_>) {
        let mut plugin = RawPlugin::default();
        for (key, value) in table {
            let at = key.span().start;
            let path = format!("plugins.{name:?}.{}", key.get_ref().escape_debug());
            match (key.get_ref().as_ref(), value.get_ref()) {
                ("settings", DeValue::Table(table)) => plugin.settings = self.open_table(table),
                ("secrets", DeValue::Table(table)) => plugin.secrets = self.open_table(table),
                ("settings" | "secrets", _) => {
                    self.problem(&path, at, "is a table: write { name = \"value\" }");
                }
                (known, _) if keys::is_plugin_key(known) => {
                    plugin.values.insert(known.to_owned(), self.given(value));
                }
                (unknown, _) => {
                    let nearest = keys::nearest_plugin_key(unknown);
                    self.problem(&path, at, format!("is not a key; the nearest one is {nearest}"));
                }
            }
        }
        self.raw.plugins.insert(name.to_owned(), plugin);
    }

    fn open_table(&self, table: &DeTable<'_>) -> BTreeMap<String, Given> {
        table
            .iter()
            .map(|(name, value)| (name.get_ref().to_string(), self.given(value)))
            .collect()
    }
}

fn simple(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::Text(text.trim().to_owned()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or(Value::Other("a number too large"), Value::Whole),
        DeValue::Float(number) => number
            .as_str()
            .parse()
            .map_or(Value::Other("a number too large"), Value::Decimal),
        DeValue::Boolean(flag) => Value::Flag(*flag),
        DeValue::Datetime(_) => Value::Other("a date"),
        DeValue::Table(_) => Value::Other("a table"),
        DeValue::Array(items) => {
            let texts: Option<Vec<String>> = items
                .iter()
                .map(|item| match item.get_ref() {
                    DeValue::String(text) => Some(text.trim().to_owned()),
                    _ => None,
                })
                .collect();
            texts.map_or(Value::Other("a list of other things than texts"), Value::List)
        }
    }
}

/// `LINE:COLUMN` of a byte offset, both from 1, the column in characters.
fn position(text: &str, at: usize) -> String {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("{line}:{column}")
}
