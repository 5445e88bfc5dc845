//! Query strings, read strictly: a value that can't be understood is an error that says what is expected.

use axum::extract::FromRequestParts;
use http::request::Parts;
use jiff::Timestamp;

use crate::problem::Problem;
use faxgate_base::clock::read_time;
use faxgate_domain::code::Code;
use faxgate_service::Page;

/// The parameters of a query.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

/// The first value of a parameter, decoded; an empty value is the same as none.
pub(crate) fn first(query: Option<&str>, name: &str) -> Option<String> {
    url::form_urlencoded::parse(query?.as_bytes())
        .find(|(key, value)| key == name && !value.is_empty())
        .map(|(_, value)| value.into_owned())
}

impl Query {
    /// Reads a query.
    pub(crate) fn parse(query: Option<&str>) -> Self {
        let pairs = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes());
        Self(pairs.into_owned().collect())
    }

    /// Every parameter in order.
    pub(crate) fn into_pairs(self) -> Vec<(String, String)> {
        self.0
    }

    /// A parameter; empty is the same as absent.
    pub(crate) fn text(&self, name: &str) -> Result<Option<&str>, Problem> {
        let mut values = self
            .0
            .iter()
            .filter(|(key, _)| key == name)
            .map(|(_, value)| value.as_str());
        let value = values.next();
        if values.next().is_some() {
            return Err(bad(format!("{name} is given more than once: give it once")));
        }
        Ok(value.filter(|value| !value.is_empty()))
    }

    /// A parameter that is one of some words.
    pub(crate) fn word<T>(&self, name: &str, words: &[(&str, T)]) -> Result<Option<T>, Problem>
    where
        T: Copy,
    {
        let Some(text) = self.text(name)? else {
            return Ok(None);
        };
        let found = words
            .iter()
            .find(|(word, _)| *word == text)
            .map(|(_, value)| *value);
        found.map(Some).ok_or_else(|| {
            let words: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            bad(format!("{name} is one of {}", words.join(", ")))
        })
    }

    /// A parameter that is a time.
    pub(crate) fn time(&self, name: &str) -> Result<Option<Timestamp>, Problem> {
        let Some(text) = self.text(name)? else {
            return Ok(None);
        };
        // The plus sign of an offset that the client did not escape arrives as a space.
        let text = text.replace(' ', "+");
        read_time(&text).map(Some).ok_or_else(|| {
            bad(format!(
                "{name} is a time with an offset (RFC 3339), for example 2030-01-31T12:00:00Z"
            ))
        })
    }

    /// A parameter that is a whole number.
    pub(crate) fn number(&self, name: &str) -> Result<Option<usize>, Problem> {
        let Some(text) = self.text(name)? else {
            return Ok(None);
        };
        let plain = text.bytes().all(|b| b.is_ascii_digit());
        let number = if plain { text.parse().ok() } else { None };
        number
            .map(Some)
            .ok_or_else(|| bad(format!("{name} is a whole number")))
    }

    /// `limit` and `cursor` of a list.
    pub(crate) fn page(&self) -> Result<Page, Problem> {
        Ok(Page {
            limit: self.number("limit")?,
            cursor: self.text("cursor")?.map(str::to_owned),
        })
    }
}

fn bad(detail: String) -> Problem {
    Problem::new(Code::BadRequest, detail)
}

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Ok(Self::parse(parts.uri.query()))
    }
}

#[cfg(test)]
mod tests;
