//! The provider's words for where a fax stands, turned into ours.
//!
//! Words seen in the vendor's status page: `queued`, `pendingbatch`, `inprogress`, `success`, `failure`,
//! `partialsuccess`; recipients add `ringing`, `callactive`, `willretry`. There is no word for a cancelled fax: it
//! ends as `failure` with error 75 or 76. A word nobody knows is [`ProviderStatus::Unknown`] and is asked about
//! again; it never ends a job.

use jiff::Timestamp;

use super::wire::{Failure, Fax, Recipient};
use super::{Direction, FaxInfo, JOB_TAG};
use faxgate_base::redact;
use faxgate_domain::provider::{FaxError, ProviderStatus, ReceivedFax, StatusUpdate};

/// What a status word of a fax means.
#[must_use]
pub fn status(word: &str) -> ProviderStatus {
    match squeezed(word).as_str() {
        "queued" | "pendingbatch" => ProviderStatus::Queued,
        "inprogress" | "ringing" | "callactive" | "willretry" => ProviderStatus::InProgress,
        "success" => ProviderStatus::Delivered,
        "partialsuccess" => ProviderStatus::PartlyDelivered,
        "failure" => ProviderStatus::Failed,
        _ => ProviderStatus::Unknown,
    }
}

/// What a fax object says; none when it has no id.
pub(super) fn info(fax: &Fax) -> Option<FaxInfo> {
    let direction = match fax.direction.as_deref().map(squeezed).as_deref() {
        Some("sent") => Direction::Sent,
        Some("received") => Direction::Received,
        _ => Direction::Unknown,
    };
    Some(FaxInfo {
        update: update(fax)?,
        direction,
        created_at: fax.created_at,
        from_number: fax.from_number.clone(),
        to_number: fax
            .to_number
            .clone()
            .or_else(|| fax.recipients.first()?.number.clone()),
        is_test: fax.is_test,
        tags: fax.tags.clone(),
    })
}

pub(super) fn as_received(fax: &FaxInfo) -> Option<ReceivedFax> {
    let success = match fax.update.status {
        ProviderStatus::Delivered | ProviderStatus::PartlyDelivered => true,
        ProviderStatus::Failed => false,
        ProviderStatus::Queued | ProviderStatus::InProgress | ProviderStatus::Unknown => return None,
    };
    (fax.direction == Direction::Received).then(|| ReceivedFax {
        provider_id: fax.update.provider_id.clone(),
        sender: fax.from_number.clone(),
        called: fax.to_number.clone(),
        success,
        pages: fax.update.pages,
        received_at: fax.update.completed_at.or(fax.created_at),
        document: None,
        error: fax.update.error.clone(),
        is_test: fax.is_test,
    })
}

fn update(fax: &Fax) -> Option<StatusUpdate> {
    let status = settled(fax);
    let ended = matches!(
        status,
        ProviderStatus::Delivered | ProviderStatus::PartlyDelivered | ProviderStatus::Failed
    );
    let error = match status {
        ProviderStatus::Delivered => None,
        _ => error(fax),
    };
    Some(StatusUpdate {
        provider_id: fax.id.clone()?,
        job: fax
            .tags
            .iter()
            .find(|(name, _)| name == JOB_TAG)
            .and_then(|(_, value)| value.parse().ok()),
        status,
        provider_status: shown(fax.status.as_deref().unwrap_or_default()),
        in_flight: None,
        pages: fax.pages.and_then(|pages| u32::try_from(pages).ok()),
        cost_cents: fax.cost_cents,
        error,
        completed_at: if ended { completed_at(fax) } else { None },
        facts: facts(fax),
    })
}

/// The status of the fax, decided by its recipients where the word alone does not: a fax of ours has one recipient,
/// and a partial success of one is a whole one.
fn settled(fax: &Fax) -> ProviderStatus {
    let told = status(fax.status.as_deref().unwrap_or_default());
    if told != ProviderStatus::PartlyDelivered {
        return told;
    }
    let each: Vec<_> = fax
        .recipients
        .iter()
        .map(|recipient| status(recipient.status.as_deref().unwrap_or_default()))
        .collect();
    let all = |wanted| !each.is_empty() && each.iter().all(|&status| status == wanted);
    if all(ProviderStatus::Delivered) {
        ProviderStatus::Delivered
    } else if all(ProviderStatus::Failed) {
        ProviderStatus::Failed
    } else {
        ProviderStatus::PartlyDelivered
    }
}

/// The fax's own error, or the first that a recipient has.
fn error(fax: &Fax) -> Option<FaxError> {
    std::iter::once(&fax.error)
        .chain(fax.recipients.iter().map(|recipient| &recipient.error))
        .find(|failure| !failure.is_empty())
        .map(fax_error)
}

fn fax_error(failure: &Failure) -> FaxError {
    let error_type = failure
        .kind
        .as_deref()
        .map_or_else(|| "unknown".to_owned(), shown);
    let message = match (&failure.message, failure.id) {
        (Some(message), _) => shown(message),
        (None, Some(id)) => format!("{error_type} {id}"),
        (None, None) => error_type.clone(),
    };
    FaxError {
        error_type: error_type.into(),
        error_id: failure.id,
        message,
    }
}

fn completed_at(fax: &Fax) -> Option<Timestamp> {
    fax.completed_at.or_else(|| {
        fax.recipients
            .iter()
            .filter_map(|recipient| recipient.completed_at)
            .max()
    })
}

fn facts(fax: &Fax) -> Vec<(String, String)> {
    let mut facts = Vec::new();
    let mut add = |name: &str, value: Option<String>| {
        facts.extend(value.map(|value| (name.to_owned(), value)));
    };
    add("is_test", fax.is_test.then(|| "true".to_owned()));
    // A fax of ours has one recipient; of somebody else's the first says enough.
    if let Some(recipient) = fax.recipients.first() {
        let Recipient {
            status,
            retry_count,
            bitrate,
            resolution,
            ..
        } = recipient;
        add("recipient_status", status.as_deref().map(shown));
        add(
            "retry_count",
            retry_count.filter(|&count| count > 0).map(|n| n.to_string()),
        );
        add("bitrate", bitrate.map(|n| n.to_string()));
        add("resolution", resolution.map(|n| n.to_string()));
    }
    facts
}

/// Provider text as it may be kept and shown: no numbers of people, one line, bounded.
pub(super) fn shown(text: &str) -> String {
    const MOST: usize = 300;
    let line: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(MOST)
        .collect();
    redact::provider_text(line.trim())
}

/// Lower case without the separators that tell `in_progress` from `inprogress`.
fn squeezed(word: &str) -> String {
    word.chars()
        .filter(|c| !matches!(c, '_' | '-' | ' '))
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use serde_json::{Value, json};

    fn info_of(value: &Value) -> FaxInfo {
        info(&Fax::parse(value).unwrap()).unwrap()
    }

    #[test]
    fn every_word_has_a_meaning() {
        for (word, meaning) in [
            ("queued", ProviderStatus::Queued),
            ("pendingbatch", ProviderStatus::Queued),
            ("inprogress", ProviderStatus::InProgress),
            ("In_Progress", ProviderStatus::InProgress),
            ("willretry", ProviderStatus::InProgress),
            ("success", ProviderStatus::Delivered),
            ("partialsuccess", ProviderStatus::PartlyDelivered),
            ("failure", ProviderStatus::Failed),
            ("archived", ProviderStatus::Unknown),
            ("", ProviderStatus::Unknown),
        ] {
            assert_eq!(status(word), meaning, "{word}");
        }
    }

    #[test]
    fn a_partial_success_is_what_its_recipients_say() {
        let with = |recipients: Value| {
            info_of(&json!({"id": 1, "status": "partialsuccess", "recipients": recipients}))
                .update
                .status
        };
        assert_eq!(with(json!([{"status": "success"}])), ProviderStatus::Delivered);
        assert_eq!(with(json!([{"status": "failure"}])), ProviderStatus::Failed);
        assert_eq!(
            with(json!([{"status": "success"}, {"status": "failure"}])),
            ProviderStatus::PartlyDelivered
        );
        assert_eq!(with(json!([])), ProviderStatus::PartlyDelivered);
        assert_eq!(with(json!([{"status": null}])), ProviderStatus::PartlyDelivered);
    }

    #[test]
    fn a_recipients_error_stands_in_for_a_missing_one() {
        let fax = info_of(
            &json!({"id": 9, "status": "failure", "error_type": null, "recipients": [
            {"phone_number": "+12125550142", "status": "failure", "error_type": "lineError", "error_id": 17,
             "error_message": "Busy at +1 212-555-0142", "completed_at": "2026-01-02T03:04:05.000-06:00"}]}),
        );
        let error = fax.update.error.unwrap();
        assert_eq!(
            (error.error_type.as_str(), error.error_id),
            ("lineError", Some(17))
        );
        assert_eq!(error.message, "Busy at +…");
        assert_eq!(
            fax.update.completed_at,
            Some("2026-01-02T09:04:05Z".parse().unwrap())
        );
        assert_eq!(fax.to_number.as_deref(), Some("+12125550142"));
    }

    #[test]
    fn the_tag_names_the_job_and_only_a_real_id_does() {
        let job = "01jdz00000000000000000000a";
        let fax = info_of(&json!({"id": 1, "status": "queued", "tags": {"faxgate_job": job}}));
        assert_eq!(fax.update.job.unwrap().to_string(), job);
        for bad in [
            json!({"faxgate_job": "x"}),
            json!({"faxgate_job": 5}),
            json!({}),
            json!(null),
        ] {
            assert_eq!(info_of(&json!({"id": 1, "tags": bad})).update.job, None);
        }
    }

    #[test]
    fn a_delivered_fax_has_no_error_and_one_under_way_no_end() {
        let done = info_of(&json!({"id": 1, "status": "success", "error_type": "lineError"}));
        assert_eq!(done.update.error, None);
        let under_way =
            info_of(&json!({"id": 1, "status": "inprogress", "completed_at": "2026-01-02T03:04:05Z"}));
        assert_eq!(under_way.update.completed_at, None);
        assert!(info(&Fax::parse(&json!({"status": "success"})).unwrap()).is_none());
    }

    #[test]
    fn only_a_finished_received_fax_is_an_inbound_one() {
        let received = |status: &str, direction: &str| {
            info_of(
                &json!({"id": 5, "status": status, "direction": direction, "num_pages": 2,
                "from_number": "+12125550100", "to_number": "+12125550111"}),
            )
            .as_received()
        };
        assert!(received("success", "received").unwrap().success);
        assert!(!received("failure", "received").unwrap().success);
        assert_eq!(received("inprogress", "received"), None);
        assert_eq!(received("success", "sent"), None);
    }
}
