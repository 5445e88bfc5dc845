//! Says what happened, in words of no provider.
//!
//! Statuses and errors: <https://www.phaxio.com/docs/statuses>, <https://www.phaxio.com/docs/errors>.

use crate::delivery::{Delivery, DeliveryKind, FilePart};
use crate::payload::Payload;
use crate::signature::Proof;
use crate::value::{self, Object};
use serde_json::Value;

/// Where a sent fax stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in wit/callback-policy.wit")]
pub enum FaxStatus {
    Queued,
    InProgress,
    Delivered,
    PartlyDelivered,
    Failed,
    Unknown,
}

/// What went wrong, as far as the provider says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fault {
    /// The provider's class.
    pub class: Option<String>,
    /// The provider's number.
    pub id: Option<i64>,
    /// The provider's words.
    pub message: Option<String>,
}

/// News of a sent fax.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in wit/callback-policy.wit")]
pub struct StatusUpdate {
    pub provider_id: String,
    pub job_id: Option<String>,
    pub status: FaxStatus,
    pub provider_status: String,
    pub in_flight: Option<String>,
    pub pages: Option<u32>,
    pub cost_cents: Option<i64>,
    pub fault: Fault,
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
    pub fault: Fault,
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
    if is_inbound(delivery.kind(), payload) {
        received(delivery, payload, provider_id).map(Event::Received)
    } else {
        status_update(delivery, payload, provider_id, proof).map(Event::Status)
    }
}

/// The provider's id: a number in its own payloads, text elsewhere.
fn provider_id(fax: &Object) -> Result<String, &'static str> {
    let id = value::text(fax, "id").ok_or("it names no fax")?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if id.len() <= 64 && id.bytes().all(plain) {
        Ok(id)
    } else {
        Err("its fax id is not an id")
    }
}

/// Whether the fax was received, by what the payload says, else by the address it came to.
fn is_inbound(kind: DeliveryKind, payload: &Payload) -> bool {
    let direction =
        || value::text(&payload.fax, "direction").or_else(|| value::text(&payload.beside, "direction"));
    match value::text(&payload.beside, "event_type").as_deref() {
        Some("fax_received") => true,
        Some("fax_completed" | "transmitting_page" | "retry_scheduled") => false,
        _ => direction().map_or(kind == DeliveryKind::Inbound, |direction| direction == "received"),
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
    let provider_status = status_word(payload).unwrap_or_default();
    let in_flight = value::text(beside, "event_type").filter(|event| event != "fax_completed");
    let status = match (status_of(&provider_status), &in_flight) {
        // Only the closing event closes a fax; let the gateway ask.
        (FaxStatus::Delivered | FaxStatus::PartlyDelivered | FaxStatus::Failed, Some(_)) => {
            FaxStatus::Unknown
        }
        (FaxStatus::Unknown, Some(_)) if provider_status.is_empty() => FaxStatus::InProgress,
        (status, _) => status,
    };
    let fault = if status == FaxStatus::Delivered {
        Fault::default()
    } else {
        fault(payload)
    };
    let recipients = recipients(fax);
    let completed_at = value::time(fax, "completed_at").or_else(|| {
        recipients
            .iter()
            .find_map(|recipient| value::time(recipient, "completed_at"))
    });
    let mut attributes = Vec::new();
    attribute(&mut attributes, beside, "page");
    attribute(&mut attributes, beside, "retry_count");
    if let [recipient] = recipients.as_slice() {
        attribute(&mut attributes, recipient, "retry_count");
        attribute(&mut attributes, recipient, "bitrate");
        attribute(&mut attributes, recipient, "resolution");
    }
    attribute(&mut attributes, fax, "is_test");
    Ok(StatusUpdate {
        provider_id,
        job_id,
        status,
        provider_status,
        in_flight,
        pages: pages(fax),
        cost_cents: value::integer(fax, "cost"),
        fault,
        completed_at,
        attributes,
    })
}

fn received(
    delivery: &impl Delivery,
    payload: &Payload,
    provider_id: String,
) -> Result<ReceivedFax, &'static str> {
    let Payload { fax, beside } = payload;
    let document = document(&delivery.files());
    let word = status_word(payload).unwrap_or_default();
    let success = match status_of(&word) {
        FaxStatus::Delivered => true,
        FaxStatus::Failed | FaxStatus::PartlyDelivered => false,
        FaxStatus::Queued | FaxStatus::InProgress => return Err("the fax is not received yet"),
        FaxStatus::Unknown => document.is_some(),
    };
    let mut attributes = Vec::new();
    attribute(&mut attributes, fax, "caller_name");
    attribute(&mut attributes, fax, "cost");
    attribute(&mut attributes, beside, "metadata");
    Ok(ReceivedFax {
        provider_id,
        sender: value::text(fax, "from_number"),
        called: value::text(fax, "to_number"),
        success,
        pages: pages(fax),
        received_at: ["completed_at", "created_at", "requested_at"]
            .iter()
            .find_map(|name| value::time(fax, name)),
        document,
        fault: if success { Fault::default() } else { fault(payload) },
        is_test: value::boolean(fax, "is_test")
            .or_else(|| value::boolean(beside, "is_test"))
            .unwrap_or(false),
        attributes,
    })
}

/// The job that a status update proves to be for: the fax carries its id as a tag, the address in its query where
/// the proof covers the address.
fn job_id(delivery: &impl Delivery, fax: &Object, proof: Proof) -> Result<Option<String>, &'static str> {
    let query = delivery.query();
    let mut ids = query
        .iter()
        .filter(|(name, value)| name == "job_id" && !value.is_empty())
        .map(|(_, id)| id);
    let asked = ids.next().cloned();
    if ids.any(|id| asked.as_ref() != Some(id)) {
        return Err("its address names several jobs");
    }
    let tagged = fax
        .get("tags")
        .and_then(Value::as_object)
        .and_then(|tags| value::text(tags, "faxgate_job"));
    match (asked, tagged) {
        (Some(asked), Some(tagged)) if !asked.eq_ignore_ascii_case(&tagged) => {
            Err("its address and its tag name different jobs")
        }
        (asked, tagged) => Ok(tagged.or_else(|| asked.filter(|_| proof == Proof::Address))),
    }
}

/// The provider's word for the state; callbacks that lack it may still say `success`.
fn status_word(payload: &Payload) -> Option<String> {
    value::text(&payload.fax, "status").or_else(|| {
        let success = value::boolean(&payload.beside, "success")?;
        Some(if success { "success" } else { "failure" }.to_owned())
    })
}

fn status_of(word: &str) -> FaxStatus {
    match word.to_ascii_lowercase().as_str() {
        "queued" | "pendingbatch" => FaxStatus::Queued,
        // The last three are words for a recipient.
        "inprogress" | "ringing" | "callactive" | "willretry" => FaxStatus::InProgress,
        "success" => FaxStatus::Delivered,
        "partialsuccess" => FaxStatus::PartlyDelivered,
        "failure" => FaxStatus::Failed,
        _ => FaxStatus::Unknown,
    }
}

/// The error of the fax, else of the first recipient that has one, else the words beside it.
fn fault(payload: &Payload) -> Fault {
    let Payload { fax, beside } = payload;
    let recipients = recipients(fax);
    let places = std::iter::once(fax).chain(recipients);
    let found = places.map(fault_at).find(|fault| *fault != Fault::default());
    found.unwrap_or_else(|| Fault {
        message: value::text(beside, "message"),
        ..Fault::default()
    })
}

fn fault_at(place: &Object) -> Fault {
    // In version 1 `error_code` holds the words.
    let code = value::integer(place, "error_code");
    let words = || value::text(place, "error_code").filter(|_| code.is_none());
    Fault {
        class: value::text(place, "error_type"),
        id: value::integer(place, "error_id").or(code),
        message: value::text(place, "error_message").or_else(words),
    }
}

/// The recipients: a list in JSON, an object with positions for keys in flattened fields.
fn recipients(fax: &Object) -> Vec<&Object> {
    match fax.get("recipients") {
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_object).collect(),
        Some(Value::Object(positions)) => positions.values().filter_map(Value::as_object).collect(),
        _ => Vec::new(),
    }
}

/// Pages, once known: 0 is what the provider says before it knows.
fn pages(fax: &Object) -> Option<u32> {
    value::integer(fax, "num_pages")
        .and_then(|pages| u32::try_from(pages).ok())
        .filter(|pages| *pages > 0)
}

/// Position of the part that is the document: `file` since version 2, `filename` before. None when there is no
/// telling which, so that the gateway fetches it.
fn document(files: &[FilePart]) -> Option<u32> {
    let name = ["file", "filename"]
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

/// Takes a member over as an attribute, unless there is one of that name.
fn attribute(attributes: &mut Vec<(String, String)>, object: &Object, name: &str) {
    if let Some(text) = value::text(object, name)
        && !attributes.iter().any(|(known, _)| known == name)
    {
        attributes.push((name.to_owned(), text));
    }
}

#[cfg(test)]
mod tests;
