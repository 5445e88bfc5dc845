//! What happened, in words of no provider.

use crate::delivery::{Delivery, DeliveryKind, FilePart};
use crate::proof::Proof;
use faxgate_protocol::json::{self, Object};
use faxgate_protocol::phaxio::fields::{JOB_QUERY, callback as field};
use faxgate_protocol::phaxio::{ErrorFields, EventType, Fax, Payload, StatusWord};
use faxgate_protocol::status::{Direction, ReceivedStatus, SentStatus};

/// News of a sent fax.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in wit/callback-policy.wit")]
pub struct StatusUpdate {
    pub provider_id: String,
    pub job_id: Option<String>,
    pub status: SentStatus,
    pub provider_status: String,
    pub in_flight: Option<String>,
    pub pages: Option<u32>,
    pub cost_cents: Option<i64>,
    pub error: ErrorFields,
    pub completed_at: Option<String>,
    pub attributes: Vec<(String, String)>,
}

/// A fax that somebody sent to us.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in wit/callback-policy.wit")]
pub struct ReceivedFax {
    pub provider_id: String,
    pub sender: Option<String>,
    pub called: Option<String>,
    pub success: bool,
    pub pages: Option<u32>,
    pub received_at: Option<String>,
    pub document: Option<u32>,
    pub error: ErrorFields,
    pub is_test: bool,
    pub attributes: Vec<(String, String)>,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A sent fax moved.
    Status(StatusUpdate),
    /// A fax arrived.
    Received(ReceivedFax),
}

/// Reads the event; the error says why there is none.
pub fn read(delivery: &impl Delivery, payload: &Payload, proof: Proof) -> Result<Event, &'static str> {
    let provider_id = provider_id(&payload.fax)?;
    // By what the payload says, else by the address it came to.
    let received = payload
        .direction()
        .map_or(delivery.kind() == DeliveryKind::Inbound, |way| {
            way == Direction::Received
        });
    if received {
        received_fax(delivery, payload, provider_id).map(Event::Received)
    } else {
        status_update(delivery, payload, provider_id, proof).map(Event::Status)
    }
}

/// The provider's id, which the gateway puts into paths.
fn provider_id(fax: &Fax) -> Result<String, &'static str> {
    let id = fax.id.as_deref().ok_or("it names no fax")?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if id.len() <= 64 && id.bytes().all(plain) {
        Ok(id.to_owned())
    } else {
        Err("its fax id is not an id")
    }
}

fn status_update(
    delivery: &impl Delivery,
    payload: &Payload,
    provider_id: String,
    proof: Proof,
) -> Result<StatusUpdate, &'static str> {
    let Payload { fax, beside } = payload;
    let job_id = job_id(delivery, fax, proof)?;
    let in_flight = payload
        .event_type()
        .filter(|event| event != EventType::FaxCompleted.as_str());
    let status = match (fax.sent_status(), &in_flight) {
        // Only the closing event closes a fax; let the gateway ask.
        (status, Some(_)) if status.is_end() => SentStatus::Unknown,
        (SentStatus::Unknown, Some(_)) if fax.status.is_none() => SentStatus::InProgress,
        (status, _) => status,
    };
    let mut attributes = Attributes::default();
    attributes.add_member(beside, field::PAGE);
    attributes.add_member(beside, field::RETRY_COUNT);
    if let [recipient] = fax.recipients.as_slice() {
        attributes.add("retry_count", recipient.retry_count);
        attributes.add("bitrate", recipient.bitrate);
        attributes.add("resolution", recipient.resolution);
    }
    attributes.add("is_test", fax.is_test);
    Ok(StatusUpdate {
        provider_id,
        job_id,
        status,
        provider_status: fax.status.clone().unwrap_or_default(),
        in_flight,
        pages: fax.pages,
        cost_cents: fax.cost_cents,
        error: error(payload),
        completed_at: fax.completed_at().map(|time| time.to_string()),
        attributes: attributes.0,
    })
}

fn received_fax(
    delivery: &impl Delivery,
    payload: &Payload,
    provider_id: String,
) -> Result<ReceivedFax, &'static str> {
    let Payload { fax, beside } = payload;
    let document = document(&delivery.files());
    let success = match fax.received_status() {
        ReceivedStatus::Received => true,
        ReceivedStatus::Failed => false,
        ReceivedStatus::InProgress => return Err("the fax is not received yet"),
        ReceivedStatus::Unknown => document.is_some(),
    };
    let mut attributes = Attributes::default();
    attributes.add("caller_name", fax.caller_name.as_deref());
    attributes.add("cost", fax.cost_cents);
    attributes.add_member(beside, field::METADATA);
    let received_at = fax.completed_at.or(fax.created_at);
    Ok(ReceivedFax {
        provider_id,
        sender: fax.from_number.clone(),
        called: fax.to_number.clone(),
        success,
        pages: fax.pages,
        received_at: received_at.map(|time| time.to_string()),
        document,
        error: error(payload),
        is_test: fax
            .is_test
            .or_else(|| json::boolean(beside, field::IS_TEST))
            .unwrap_or(false),
        attributes: attributes.0,
    })
}

/// The job that a status update proves to be for: the fax carries its id as a tag, the address in its query where
/// the proof covers the address.
fn job_id(delivery: &impl Delivery, fax: &Fax, proof: Proof) -> Result<Option<String>, &'static str> {
    let query = delivery.query();
    let mut ids = query
        .iter()
        .filter(|(name, value)| name == JOB_QUERY && !value.is_empty())
        .map(|(_, id)| id);
    let addressed = ids.next().cloned();
    if ids.any(|id| addressed.as_ref() != Some(id)) {
        return Err("its address names several jobs");
    }
    let tagged = fax.job_tag().map(str::trim);
    match (addressed, tagged) {
        (Some(addressed), Some(tagged)) if !addressed.eq_ignore_ascii_case(tagged) => {
            Err("its address and its tag name different jobs")
        }
        (addressed, tagged) => Ok(tagged
            .map(str::to_owned)
            .or_else(|| addressed.filter(|_| proof == Proof::Address))),
    }
}

/// The error of the fax, else of the first recipient that has one, else the words beside it; nothing when the fax
/// came through.
fn error(payload: &Payload) -> ErrorFields {
    let word = payload.fax.status.as_deref().and_then(StatusWord::parse);
    if word == Some(StatusWord::Success) || payload.fax.sent_status() == SentStatus::Delivered {
        return ErrorFields::default();
    }
    payload.fax.error().cloned().unwrap_or_else(|| ErrorFields {
        message: json::text(&payload.beside, field::MESSAGE),
        ..ErrorFields::default()
    })
}

/// Position of the part that is the document: `file` since version 2, `filename` before. None when there is no
/// telling which, so that the gateway fetches it.
fn document(files: &[FilePart]) -> Option<u32> {
    let name = [field::FILE, field::FILE_V1]
        .into_iter()
        .find(|name| files.iter().any(|file| file.name == *name))?;
    let mut parts = files
        .iter()
        .enumerate()
        .filter(|(_, file)| file.name == name && file.size > 0);
    let (index, _) = parts.next()?;
    if parts.next().is_some() {
        None
    } else {
        u32::try_from(index).ok()
    }
}

/// Names and values for the timeline; the first of a name counts.
#[derive(Debug, Default)]
struct Attributes(Vec<(String, String)>);

impl Attributes {
    fn add(&mut self, name: &str, value: Option<impl ToString>) {
        if let Some(value) = value
            && !self.0.iter().any(|(known, _)| known == name)
        {
            self.0.push((name.to_owned(), value.to_string()));
        }
    }

    fn add_member(&mut self, object: &Object, name: &str) {
        self.add(name, json::text(object, name));
    }
}

#[cfg(test)]
mod tests;
