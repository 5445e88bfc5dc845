//! The policy: proof first, then content.

use crate::delivery::{Delivery, has_json_body};
use crate::event::{self, Event};
use crate::proof;
use faxgate_protocol::phaxio::Payload;

/// Most of a JSON body that is read, in bytes; the gateway's own limit is the same.
const MAX_BODY: u32 = 256 * 1024;

/// What to make of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "one of these lives per call")]
pub enum Verdict {
    /// Genuine; this happened.
    Accept(Event),
    /// Genuine, but nothing to do for this reason.
    Ignore(&'static str),
    /// Not to be believed for this reason.
    Reject(&'static str),
}

/// Evaluates one delivery. Nothing of the content is read before the proof holds.
pub fn evaluate(delivery: &impl Delivery) -> Verdict {
    let proof = match proof::check(delivery) {
        Ok(proof) => proof,
        Err(reason) => return Verdict::Reject(reason),
    };
    let event = payload(delivery).and_then(|payload| event::read(delivery, &payload, proof));
    match event {
        Ok(event) => Verdict::Accept(event),
        Err(reason) => Verdict::Ignore(reason),
    }
}

fn payload(delivery: &impl Delivery) -> Result<Payload, &'static str> {
    if has_json_body(&delivery.headers()) {
        Payload::from_json(&delivery.body(MAX_BODY))
    } else {
        Payload::from_fields(delivery.fields())
    }
}

#[cfg(test)]
mod tests;
