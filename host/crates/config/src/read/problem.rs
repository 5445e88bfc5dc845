//! Problems of a configuration: the key, where it was given, and the remedy.

use std::fmt;

/// One problem with its place and its remedy, without the text of any secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The key as a dotted path, or the file when it could not be read as TOML at all.
    pub key: String,
    /// Where the value was given: a variable, or file, line and column; none when it was not given.
    pub origin: Option<String>,
    /// What is wrong and what to do.
    pub message: String,
}

/// Every problem found, never empty.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", lines(.0))]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.origin {
            Some(origin) => write!(f, "{} ({origin}): {}", self.key, self.message),
            None => write!(f, "{}: {}", self.key, self.message),
        }
    }
}

fn lines(problems: &[Problem]) -> String {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    lines.join("\n")
}
