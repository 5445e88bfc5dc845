//! Between the generated types of `wit/` and the gateway's own, with every check an answer has to pass. Nothing is
//! guessed: what doesn't fit its contract is the plugin's failure.

use jiff::Timestamp;

use crate::host::bindings::callback::exports::faxgate::policy::callback_policy as policy;
use crate::host::bindings::converter::exports::faxgate::policy::converter as conv;
use crate::host::bindings::number::exports::faxgate::policy::number_normalizer as norm;
use crate::load::plugin::sentence;
use crate::runtime::call::Fault;
use crate::types::{NormalizedNumber, Part, PolicyDecision};
use faxgate_base::redact;
use faxgate_domain::document::{
    DocumentError, DocumentErrorKind, FaxPage, Halftone, Paper, RenderOptions, Resolution,
};
use faxgate_domain::number::{E164, Number, NumberError, NumberErrorKind};
use faxgate_domain::provider::{CallbackEvent, FaxError, ProviderStatus, ReceivedFax, StatusUpdate, Verdict};

/// Pixels per row of every Group 3 machine (ITU-T T.4).
pub(crate) const WIDTH: u32 = 1728;
/// Events of one callback.
const EVENTS: usize = 64;
/// Facts of one event.
const FACTS: usize = 64;

pub(crate) fn reading(decision: norm::Decision) -> Result<NormalizedNumber, Fault> {
    match decision {
        norm::Decision::Pass => Ok(NormalizedNumber::Pass),
        norm::Decision::Rewrite(text) => Ok(NormalizedNumber::Rewrite(text)),
        norm::Decision::Dial(number) => {
            let e164 = E164::new(&number.e164)
                .map_err(|error| Fault::BadAnswer(format!("the number is {error}")))?;
            let region = number.region;
            let is_code = |code: &String| code.len() == 2 && code.bytes().all(|b| b.is_ascii_uppercase());
            if region.as_ref().is_some_and(|code| !is_code(code)) {
                return Err(Fault::BadAnswer(
                    "the region is not an ISO 3166-1 alpha-2 code".to_owned(),
                ));
            }
            Ok(NormalizedNumber::Dial(Number {
                e164,
                region,
                valid: number.valid,
            }))
        }
    }
}

pub(crate) fn number_refusal(failure: norm::Failure) -> NumberError {
    use NumberErrorKind as Kind;
    let kind = match failure.kind {
        norm::FailureKind::NotANumber => Kind::NotANumber,
        norm::FailureKind::UnknownCountry => Kind::UnknownCountry,
        norm::FailureKind::TooShort => Kind::TooShort,
        norm::FailureKind::TooLong => Kind::TooLong,
        norm::FailureKind::Extension => Kind::Extension,
        norm::FailureKind::NotAssigned => Kind::NotAssigned,
        norm::FailureKind::Refused => Kind::Refused,
    };
    NumberError {
        kind,
        message: message_or(&failure.message, "the number can't be dialled"),
    }
}

pub(crate) fn part(part: &Part) -> conv::Part {
    conv::Part {
        data: part.data.to_vec(),
        media_type: part.media_type.as_str().to_owned(),
        file_name: part.file_name.clone(),
        attributes: part.attributes.clone(),
    }
}

pub(crate) fn raster(raster: RenderOptions) -> conv::Raster {
    conv::Raster {
        width: WIDTH,
        resolution: match raster.resolution {
            Resolution::Standard => conv::Resolution::Standard,
            Resolution::Fine => conv::Resolution::Fine,
        },
        paper: match raster.paper {
            Paper::Letter => conv::Paper::Letter,
            Paper::A4 => conv::Paper::A4,
        },
        halftone: match raster.halftone {
            Halftone::Automatic => conv::Halftone::Automatic,
            Halftone::Threshold => conv::Halftone::Threshold,
            Halftone::Diffuse => conv::Halftone::Diffuse,
        },
        attributes: Vec::new(),
    }
}

/// Name of a paper size in the converter's options.
pub(crate) const fn paper_name(paper: Paper) -> &'static str {
    match paper {
        Paper::Letter => "letter",
        Paper::A4 => "a4",
    }
}

pub(crate) fn document_refusal(failure: conv::Failure) -> DocumentError {
    use DocumentErrorKind as Kind;
    let kind = match failure.kind {
        conv::FailureKind::Unsupported => Kind::Unsupported,
        conv::FailureKind::Encrypted => Kind::Encrypted,
        conv::FailureKind::Broken => Kind::Broken,
        conv::FailureKind::Empty => Kind::Empty,
        conv::FailureKind::TooManyPages => Kind::TooManyPages,
        conv::FailureKind::TooLarge => Kind::TooLarge,
    };
    DocumentError {
        kind,
        message: message_or(&failure.message, "the document can't be faxed"),
    }
}

pub(crate) fn fax_page(page: conv::FaxPage, asked: RenderOptions, max_rows: u32) -> Result<FaxPage, Fault> {
    let wrong = |what: &str| Err(Fault::BadAnswer(format!("a page has {what}")));
    let y_dpi = match asked.resolution {
        Resolution::Standard => 98,
        Resolution::Fine => 196,
    };
    if page.width != WIDTH {
        return wrong("another width than asked for");
    }
    if page.height == 0 || page.height > max_rows {
        return wrong("no row or too many");
    }
    if (page.x_dpi, page.y_dpi) != (204, y_dpi) {
        return wrong("another resolution than asked for");
    }
    if page.black > u64::from(page.width).saturating_mul(u64::from(page.height)) {
        return wrong("more black pixels than pixels");
    }
    if !ends_with_eofb(&page.g4) {
        return wrong("Group 4 data without an end of block");
    }
    Ok(FaxPage {
        width: page.width,
        height: page.height,
        x_dpi: page.x_dpi,
        y_dpi: page.y_dpi,
        g4: page.g4,
        black: page.black,
    })
}

/// Whether T.6 data ends with its end-of-facsimile-block code, twice `000000000001`, and fill bits (ITU-T T.6, 2.4.1.1).
fn ends_with_eofb(g4: &[u8]) -> bool {
    let Some(last) = g4.iter().rposition(|byte| *byte != 0) else {
        return false;
    };
    let tail = g4.get(last.saturating_sub(3)..=last).unwrap_or_default();
    let bits = tail.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
    tail.len() >= 3 && (bits >> bits.trailing_zeros()) & 0x00ff_ffff == 0x0000_1001
}

pub(crate) fn opinion(verdict: policy::Verdict, files: usize) -> Result<PolicyDecision, Fault> {
    Ok(match verdict {
        policy::Verdict::Pass => PolicyDecision::Pass,
        policy::Verdict::Vouch(proof) => PolicyDecision::Vouch(sentence(&proof)),
        policy::Verdict::Ignore(reason) => PolicyDecision::Decided(Verdict::Ignore(reason_line(&reason))),
        policy::Verdict::Reject(reason) => PolicyDecision::Decided(Verdict::Reject(reason_line(&reason))),
        policy::Verdict::Accept(events) => {
            if events.len() > EVENTS {
                return Err(Fault::BadAnswer(format!("more than {EVENTS} events")));
            }
            let events: Result<_, Fault> = events.into_iter().map(|e| event(e, files)).collect();
            PolicyDecision::Decided(Verdict::Accept(events?))
        }
    })
}

fn event(event: policy::Event, files: usize) -> Result<CallbackEvent, Fault> {
    match event {
        policy::Event::Status(update) => Ok(CallbackEvent::Status(Box::new(status_update(update)?))),
        policy::Event::Received(fax) => Ok(CallbackEvent::Received(Box::new(received_fax(fax, files)?))),
    }
}

fn status_update(update: policy::StatusUpdate) -> Result<StatusUpdate, Fault> {
    let status = match update.status {
        policy::FaxStatus::Queued => ProviderStatus::Queued,
        policy::FaxStatus::InProgress => ProviderStatus::InProgress,
        policy::FaxStatus::Delivered => ProviderStatus::Delivered,
        policy::FaxStatus::PartlyDelivered => ProviderStatus::PartlyDelivered,
        policy::FaxStatus::Failed => ProviderStatus::Failed,
        policy::FaxStatus::Unknown => ProviderStatus::Unknown,
    };
    Ok(StatusUpdate {
        provider_id: provider_id(&update.provider_id)?,
        // An id that is not ours belongs to somebody else's fax: the same as none.
        job: update.job_id.and_then(|id| id.parse().ok()),
        status,
        provider_status: sentence(&update.provider_status),
        in_flight: update.in_flight.map(|text| sentence(&text)),
        pages: update.pages,
        cost_cents: update.cost_cents,
        error: fax_error(update.error_type, update.error_id, update.error_message),
        completed_at: time(update.completed_at),
        facts: facts(update.attributes),
    })
}

fn received_fax(fax: policy::ReceivedFax, files: usize) -> Result<ReceivedFax, Fault> {
    let document = fax
        .document
        .map(|index| usize::try_from(index).unwrap_or(usize::MAX));
    if document.is_some_and(|index| index >= files) {
        return Err(Fault::BadAnswer(
            "the document is a file that the delivery doesn't have".to_owned(),
        ));
    }
    Ok(ReceivedFax {
        provider_id: provider_id(&fax.provider_id)?,
        sender: fax.sender.map(|text| sentence(&text)),
        called: fax.called.map(|text| sentence(&text)),
        success: fax.success,
        pages: fax.pages,
        received_at: time(fax.received_at),
        document,
        error: fax_error(fax.error_type, fax.error_id, fax.error_message),
        is_test: fax.is_test,
    })
}

fn provider_id(text: &str) -> Result<String, Fault> {
    let fits = (1..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    if fits {
        Ok(text.to_owned())
    } else {
        Err(Fault::BadAnswer(
            "an event has no usable provider id (1 to 128 printable characters)".to_owned(),
        ))
    }
}

fn fax_error(kind: Option<String>, id: Option<i64>, message: Option<String>) -> Option<FaxError> {
    let is_empty = |text: &Option<String>| text.as_deref().is_none_or(|t| t.trim().is_empty());
    if is_empty(&kind) && id.is_none() && is_empty(&message) {
        return None;
    }
    Some(FaxError {
        error_type: kind.map(|kind| sentence(&kind)).unwrap_or_default().into(),
        error_id: id,
        message: message.map(|text| reason_line(&text)).unwrap_or_default(),
    })
}

/// A time that isn't RFC 3339 is left out: the news itself is worth more than its hour.
fn time(text: Option<String>) -> Option<Timestamp> {
    text?
        .parse()
        .inspect_err(|_| tracing::warn!("a callback policy gave a time that is not RFC 3339; it is left out"))
        .ok()
}

fn facts(attributes: Vec<(String, String)>) -> Vec<(String, String)> {
    let facts = attributes.into_iter().take(FACTS);
    facts
        .map(|(name, value)| (sentence(&name), reason_line(&value)))
        .collect()
}

/// Words of a provider or a policy that end in logs and timelines.
fn reason_line(text: &str) -> String {
    redact::provider_text(&sentence(text))
}

/// What the sender is told, never an empty sentence.
fn message_or(text: &str, otherwise: &str) -> String {
    let message_or = sentence(text);
    if message_or.is_empty() {
        otherwise.to_owned()
    } else {
        message_or
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn end_of_block_is_found_at_every_bit_offset() {
        for shift in 0..8_u32 {
            // One row of anything, the code, fill.
            let bits: u64 = (0b1011 << 24 | 0x00_1001) << shift;
            let bytes: Vec<u8> = bits.to_be_bytes().into_iter().skip_while(|b| *b == 0).collect();
            assert!(ends_with_eofb(&bytes), "{shift}: {bytes:x?}");
        }
        for bad in [
            &[][..],
            &[0, 0, 0],
            &[0x10, 0x01],
            &[0x00, 0x10, 0x02],
            &[1, 2, 3, 4],
        ] {
            assert!(!ends_with_eofb(bad), "{bad:x?}");
        }
    }

    #[test]
    fn numbers_are_looked_at_again() {
        let dial = |e164: &str, region: Option<&str>| {
            reading(norm::Decision::Dial(norm::Number {
                e164: e164.to_owned(),
                region: region.map(str::to_owned),
                kind: norm::Kind::Unknown,
                valid: true,
                attributes: Vec::new(),
            }))
        };
        assert!(dial("+12125550100", Some("US")).is_ok());
        assert!(dial("+12125550100", None).is_ok());
        for (e164, region) in [
            ("12125550100", None),
            ("+1212555010x", None),
            ("+12125550100", Some("usa")),
        ] {
            assert!(
                matches!(dial(e164, region), Err(Fault::BadAnswer(_))),
                "{e164} {region:?}"
            );
        }
    }
}
