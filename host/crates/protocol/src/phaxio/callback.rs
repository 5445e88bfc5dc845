//! Finds the fax object in every shape a callback has.
//!
//! | shape | who posts it |
//! |---|---|
//! | form field `fax` with JSON text, further facts in fields beside it | Phaxio, webhook versions 1, 2 and 2.1 |
//! | form fields `fax[id]`, `fax[status]`, … | Faxbot's callers |
//! | form fields `id`, `status`, … | a literal reading of the version 2 documentation |
//! | JSON body with the same members | relays |

use serde_json::Value;

use super::fax::Fax;
use super::fields::callback as field;
use super::status::{self, StatusWord};
use crate::json::{self, Object};
use crate::status::Direction;

/// Levels of `fax[a][b]…` that are followed.
const MAX_DEPTH: usize = 4;

/// What happened, in webhook version 2.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventType {
    /// A sent fax ended, well or not.
    FaxCompleted,
    /// A page of a sent fax is under way.
    TransmittingPage,
    /// A call failed and will be repeated.
    RetryScheduled,
    /// A fax was received.
    FaxReceived,
}

impl EventType {
    /// Every event.
    pub const EVERY: [Self; 4] = [
        Self::FaxCompleted,
        Self::TransmittingPage,
        Self::RetryScheduled,
        Self::FaxReceived,
    ];

    /// The spelling on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FaxCompleted => "fax_completed",
            Self::TransmittingPage => "transmitting_page",
            Self::RetryScheduled => "retry_scheduled",
            Self::FaxReceived => "fax_received",
        }
    }

    /// Reads the spelling of the wire.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::EVERY.into_iter().find(|event| event.as_str() == text)
    }
}

/// What a callback says.
#[derive(Debug, Clone, PartialEq)]
pub struct Payload {
    /// The fax object. Where it has no status word, `success` beside it stands in.
    pub fax: Fax,
    /// What stands beside it: `event_type`, `direction`, `success`, …
    pub beside: Object,
}

impl Payload {
    /// Reads the fields of a form; the error says why there is no payload.
    ///
    /// # Errors
    /// When there is no fax object, or more than one.
    pub fn from_fields(fields: Vec<(String, String)>) -> Result<Self, &'static str> {
        if fields.iter().filter(|(name, _)| name == field::FAX).count() > 1 {
            return Err("there is more than one `fax` field");
        }
        let mut members = Object::new();
        for (name, value) in fields {
            // The first of a repeated field counts.
            members.entry(name).or_insert(Value::String(value));
        }
        Self::from_members(members)
    }

    /// Reads a JSON body; the error says why there is no payload.
    ///
    /// # Errors
    /// When the body is not a JSON object, or there is no fax object in it.
    pub fn from_json(body: &[u8]) -> Result<Self, &'static str> {
        match serde_json::from_slice(body) {
            Ok(Value::Object(members)) => Self::from_members(members),
            Ok(_) => Err("the JSON body is not an object"),
            Err(_) => Err("the body is not JSON, or larger than 256 KiB"),
        }
    }

    fn from_members(members: Object) -> Result<Self, &'static str> {
        let (fax, beside) = fax_object(members)?;
        let mut fax = Fax::from_object(&fax);
        if fax.status.is_none() {
            fax.status = json::boolean(&beside, field::SUCCESS).map(|success| {
                let word = if success {
                    StatusWord::Success
                } else {
                    StatusWord::Failure
                };
                word.as_str().to_owned()
            });
        }
        Ok(Self { fax, beside })
    }

    /// `event_type` as it is written.
    #[must_use]
    pub fn event_type(&self) -> Option<String> {
        json::text(&self.beside, field::EVENT_TYPE)
    }

    /// Which way the fax goes, by the event, the fax object, or the field beside it; none when nothing says.
    #[must_use]
    pub fn direction(&self) -> Option<Direction> {
        let event = self.event_type().and_then(|text| EventType::parse(&text));
        match event {
            Some(EventType::FaxReceived) => Some(Direction::Received),
            Some(_) => Some(Direction::Sent),
            None => self.fax.direction.or_else(|| {
                json::text(&self.beside, field::DIRECTION).and_then(|word| status::direction(&word))
            }),
        }
    }
}

/// The members of the fax object, and those beside it.
fn fax_object(mut members: Object) -> Result<(Object, Object), &'static str> {
    match members.remove(field::FAX) {
        Some(Value::Object(fax)) => return Ok((fax, members)),
        Some(Value::String(text)) => {
            return match serde_json::from_str(&text) {
                Ok(Value::Object(fax)) => Ok((fax, members)),
                Ok(_) => Err("the `fax` field is not a JSON object"),
                Err(_) => Err("the `fax` field is not JSON"),
            };
        }
        Some(_) => return Err("the `fax` member is not an object"),
        None => {}
    }
    let (flat, beside): (Object, Object) = members
        .into_iter()
        .partition(|(name, _)| name.starts_with("fax["));
    if !flat.is_empty() {
        let mut fax = Object::new();
        for (name, value) in flat {
            if let Some(path) = path(&name) {
                insert(&mut fax, &path, value);
            }
        }
        return Ok((fax, beside));
    }
    if beside.contains_key("id") && beside.contains_key("status") {
        return Ok((beside.clone(), beside));
    }
    Err("there is no `fax` in it")
}

/// `["a", "b"]` of `fax[a][b]`.
fn path(name: &str) -> Option<Vec<&str>> {
    let inner = name.strip_prefix("fax[")?.strip_suffix(']')?;
    let path: Vec<&str> = inner.split("][").collect();
    let fits = path.len() <= MAX_DEPTH && path.iter().all(|key| !key.contains(['[', ']']));
    fits.then_some(path)
}

/// Puts a value where its path says; lists stay objects whose keys are the positions.
fn insert(object: &mut Object, path: &[&str], value: Value) {
    match path {
        [] => {}
        [key] => {
            object.entry(*key).or_insert(value);
        }
        [key, rest @ ..] => {
            let inner = object.entry(*key).or_insert_with(|| Value::Object(Object::new()));
            if let Value::Object(inner) = inner {
                insert(inner, rest, value);
            }
        }
    }
}

#[cfg(test)]
mod tests;
