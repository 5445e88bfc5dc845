//! Every shape a callback has.
//!
//! | shape | seen |
//! |---|---|
//! | multipart: `event`, `eventTime`, `fax` as JSON text, `file` | documented; parts may be typed JSON, so that `event` has quotes and `fax` is a file |
//! | JSON: `{event, eventTime, fax: {…}, file, fileType}` | documented |
//! | JSON with `files: [{file, fileType}]` | earlier |
//! | JSON with `fax` as a text of JSON | in integrations |
//! | JSON `{"event": {"fax": {…}}}` | in integrations |
//! | JSON with the members of the fax at the root | in integrations |
//!
//! Nothing proves a callback but the address it came to. What it says is a hint: the fax is read from the API before
//! anything is believed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::Value;

use super::fax::Fax;
use super::fields::callback as field;
use crate::json::{self, Object};
use crate::status::Direction;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A sent fax ended, well or, at least in part of the integrations, not.
    FaxCompleted,
    /// A fax was received.
    IncomingFax,
}

impl Event {
    /// Every event.
    pub const EVERY: [Self; 2] = [Self::FaxCompleted, Self::IncomingFax];

    /// The spelling on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FaxCompleted => "FAX_COMPLETED",
            Self::IncomingFax => "INCOMING_FAX",
        }
    }

    /// Reads the spelling of the wire, also in quotes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().trim_matches('"');
        Self::EVERY
            .into_iter()
            .find(|event| event.as_str().eq_ignore_ascii_case(text))
    }
}

/// What a callback says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Payload {
    /// What happened, when it says so.
    pub event: Option<Event>,
    /// When.
    pub event_time: Option<Timestamp>,
    /// The fax object.
    pub fax: Fax,
    /// The documents of a JSON body.
    pub documents: Vec<Document>,
}

/// A document of a JSON body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The bytes in base64.
    pub base64: String,
    /// Type as it is written, `PDF`; none when it is not said.
    pub file_type: Option<String>,
}

impl Payload {
    /// Reads the parts of a form: names and texts of all parts but the document, those that came as files among
    /// them.
    ///
    /// # Errors
    /// Why there is no payload.
    pub fn from_parts<'a>(parts: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, &'static str> {
        let mut event = None;
        let mut event_time = None;
        let mut fax = None;
        for (name, text) in parts {
            match name {
                field::EVENT => event = event.or_else(|| Event::parse(text)),
                field::EVENT_TIME => event_time = event_time.or_else(|| time(text)),
                field::FAX if fax.is_some() => return Err("there is more than one `fax` part"),
                field::FAX => fax = Some(text),
                _ => {}
            }
        }
        let text = fax.ok_or("there is no `fax` part")?;
        Ok(Self {
            event,
            event_time,
            fax: fax_of_text(text)?,
            documents: Vec::new(),
        })
    }

    /// Reads a JSON body.
    ///
    /// # Errors
    /// Why there is no payload.
    pub fn from_json(body: &[u8]) -> Result<Self, &'static str> {
        let mut root = match serde_json::from_slice(body) {
            Ok(Value::Object(root)) => root,
            Ok(_) => return Err("the JSON body is not an object"),
            Err(_) => return Err("the body is not JSON"),
        };
        let documents = documents(&mut root);
        let event_time = json::time(&root, field::EVENT_TIME);
        let event = json::text(&root, field::EVENT).and_then(|text| Event::parse(&text));
        let fax = match root.remove(field::FAX) {
            Some(Value::Object(fax)) => Fax::from_object(&fax),
            Some(Value::String(text)) => fax_of_text(&text)?,
            Some(_) => return Err("the `fax` member is not an object"),
            None => match root.get(field::EVENT).and_then(|event| event.get(field::FAX)) {
                Some(fax) => Fax::from_value(fax).ok_or("the `event.fax` member is not an object")?,
                None => Fax::from_object(&root),
            },
        };
        if fax.id.is_none() {
            return Err("it names no fax");
        }
        Ok(Self {
            event,
            event_time,
            fax,
            documents,
        })
    }

    /// Which way the fax goes, by the event or the fax object; none when neither says.
    #[must_use]
    pub fn direction(&self) -> Option<Direction> {
        match self.event {
            Some(Event::IncomingFax) => Some(Direction::Received),
            Some(Event::FaxCompleted) => Some(Direction::Sent),
            None => self.fax.direction,
        }
    }
}

impl Document {
    /// Whether it says to be a PDF, or says nothing.
    #[must_use]
    pub fn is_pdf(&self) -> bool {
        self.file_type.as_deref().is_none_or(|kind| {
            kind.eq_ignore_ascii_case("PDF") || kind.eq_ignore_ascii_case("application/pdf")
        })
    }

    /// The bytes; none when they are not base64.
    #[must_use]
    pub fn decode(&self) -> Option<Vec<u8>> {
        STANDARD.decode(self.base64.trim()).ok()
    }
}

/// Takes the documents out of a body, so that they are not copied.
fn documents(root: &mut Object) -> Vec<Document> {
    let file_type = json::text(root, field::FILE_TYPE);
    let single = match root.remove(field::FILE) {
        Some(Value::String(base64)) => Some(Document { base64, file_type }),
        _ => None,
    };
    let listed = match root.remove(field::FILES) {
        Some(Value::Array(files)) => files,
        _ => Vec::new(),
    };
    let listed = listed.into_iter().filter_map(|file| {
        let Value::Object(mut file) = file else {
            return None;
        };
        let file_type = json::text(&file, field::FILE_TYPE);
        match file.remove(field::FILE) {
            Some(Value::String(base64)) => Some(Document { base64, file_type }),
            _ => None,
        }
    });
    single
        .into_iter()
        .chain(listed)
        .filter(|document| !document.base64.trim().is_empty())
        .collect()
}

fn fax_of_text(text: &str) -> Result<Fax, &'static str> {
    match serde_json::from_str(text) {
        Ok(Value::Object(fax)) => {
            let fax = Fax::from_object(&fax);
            if fax.id.is_some() {
                Ok(fax)
            } else {
                Err("it names no fax")
            }
        }
        Ok(_) => Err("the `fax` part is not a JSON object"),
        Err(_) => Err("the `fax` part is not JSON"),
    }
}

fn time(text: &str) -> Option<Timestamp> {
    text.trim().trim_matches('"').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FAX: &str = r#"{"id":"A","direction":"OUTBOUND","status":"COMPLETED"}"#;

    #[test]
    fn every_json_shape_is_read() {
        let quoted = FAX.replace('"', "\\\"");
        for body in [
            format!(r#"{{"event":"FAX_COMPLETED","fax":{FAX}}}"#),
            format!(r#"{{"event":"FAX_COMPLETED","fax":"{quoted}"}}"#),
            format!(r#"{{"event":{{"fax":{FAX}}}}}"#),
            FAX.to_owned(),
        ] {
            let payload = Payload::from_json(body.as_bytes()).expect(&body);
            assert_eq!(payload.fax.id.as_deref(), Some("A"), "{body}");
            assert_eq!(payload.direction(), Some(Direction::Sent), "{body}");
            assert_eq!(payload.documents, []);
        }
    }

    #[test]
    fn documents_are_read_in_both_spellings() {
        let with = |more: &str| {
            let body = format!(r#"{{"event":"INCOMING_FAX","fax":{FAX},{more}}}"#);
            Payload::from_json(body.as_bytes()).expect("payload").documents
        };
        for more in [
            r#""file":"JVBERg==","fileType":"PDF""#,
            r#""file":" JVBERg==\n""#,
            r#""files":[{"file":"JVBERg==","fileType":"pdf"},{"fileType":"PDF"},7,{"file":""}]"#,
        ] {
            let documents = with(more);
            let [document] = documents.as_slice() else {
                panic!("{more}: {documents:?}")
            };
            assert!(document.is_pdf(), "{more}");
            assert_eq!(document.decode().as_deref(), Some(&b"%PDF"[..]), "{more}");
        }
        let tiff = with(r#""file":"JVBERg==","fileType":"TIFF""#);
        assert!(tiff.iter().all(|document| !document.is_pdf()));
        let broken = with(r#""file":"J*""#);
        assert_eq!(broken.first().and_then(Document::decode), None);
        assert_eq!(with(r#""file":7"#), []);
    }

    #[test]
    fn what_names_no_fax_is_refused() {
        for body in [
            "",
            "[]",
            "{}",
            r#"{"fax":7}"#,
            r#"{"fax":{}}"#,
            r#"{"fax":"x"}"#,
            r#"{"event":{"fax":7}}"#,
        ] {
            assert!(Payload::from_json(body.as_bytes()).is_err(), "{body}");
        }
        for parts in [
            &[][..],
            &[("fax", "{}")],
            &[("fax", "[]")],
            &[("fax", FAX), ("fax", FAX)],
        ] {
            assert!(Payload::from_parts(parts.iter().copied()).is_err(), "{parts:?}");
        }
    }

    #[test]
    fn the_event_counts_more_than_the_object() {
        let parts = [("event", "\"INCOMING_FAX\""), ("fax", FAX)];
        let payload = Payload::from_parts(parts).expect("payload");
        assert_eq!(payload.direction(), Some(Direction::Received));
        for event in Event::EVERY {
            assert_eq!(Event::parse(event.as_str()), Some(event));
        }
        assert_eq!(Event::parse("FAX_FAILED"), None);
    }

    proptest! {
        #[test]
        fn no_body_breaks_it(body in prop::collection::vec(any::<u8>(), 0..200), text in any::<String>()) {
            let _ = Payload::from_json(&body);
            let _ = Payload::from_json(text.as_bytes());
            let _ = Payload::from_parts([("fax", text.as_str()), ("event", text.as_str())]);
        }
    }
}
