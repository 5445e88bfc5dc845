//! The policy: proof first, then content.

use crate::delivery::Delivery;
use crate::news::Event;
use crate::{news, payload, signature};

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

/// Judges one delivery. Nothing of the content is read before the proof holds.
pub fn evaluate(delivery: &impl Delivery) -> Verdict {
    let proof = match signature::check(delivery) {
        Ok(proof) => proof,
        Err(reason) => return Verdict::Reject(reason),
    };
    let event = payload::read(delivery).and_then(|payload| news::read(delivery, &payload, proof));
    match event {
        Ok(event) => Verdict::Accept(event),
        Err(reason) => Verdict::Ignore(reason),
    }
}

#[cfg(test)]
mod tests;
