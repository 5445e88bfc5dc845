//! Tests of the rules, without a database.

use jiff::{SignedDuration, Timestamp};

use super::jobs::{BeforeCreate, Created, NewJob};
use super::retention::IdempotencyRow;
use super::{DocumentChange, inbound, jobs};
use crate::StoreError;
use faxgate_domain::audit::AuditEntry;
use faxgate_domain::ids::JobId;
use faxgate_domain::job::{Job, Phase};
use faxgate_domain::number::E164;
use faxgate_domain::status::{JobEvent, Refusal};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn job() -> Job {
    let to = E164::new("+12025550123").unwrap();
    Job::queued(JobId::from_bytes([7; 16]), "desk", to, at(0))
}

fn row(fingerprint: u8) -> IdempotencyRow {
    IdempotencyRow {
        who: "desk".to_owned(),
        key: "order 66".to_owned(),
        fingerprint: [fingerprint; 32],
        job: job().id,
        answer: "{}".to_owned(),
        created_at: at(0),
        expires_at: at(100),
    }
}

fn new_job(fingerprint: u8) -> NewJob {
    NewJob {
        job: job(),
        document: Some("sealed".into()),
        timeline: Vec::new(),
        idempotency: Some(row(fingerprint)),
        audit: AuditEntry::new(at(0), "desk", "fax.accepted", job().id),
    }
}

#[test]
fn a_repeated_request_is_replayed_until_its_row_expires() {
    let before = || BeforeCreate {
        idempotency: Some(row(1)),
        is_taken: false,
    };
    let replay = jobs::create(&new_job(1), before(), at(99)).unwrap();
    assert_eq!(replay.answer, Created::Replay(row(1)));
    assert!(replay.effects.is_empty());
    let conflict = jobs::create(&new_job(2), before(), at(99)).unwrap();
    assert_eq!(conflict.answer, Created::Conflict);
    assert!(conflict.effects.is_empty());
    let new = jobs::create(&new_job(2), before(), at(100)).unwrap();
    assert_eq!(new.answer, Created::New);
    let change = new.effects.idempotency.unwrap();
    assert_eq!((change.old, change.new), (Some(row(1)), row(2)));
}

#[test]
fn an_id_that_is_taken_is_refused() {
    let taken = BeforeCreate {
        is_taken: true,
        ..BeforeCreate::default()
    };
    let refused = jobs::create(&new_job(1), taken, at(0));
    assert!(matches!(refused, Err(StoreError::Exists("fax"))));
}

#[test]
fn a_document_goes_with_the_change_that_says_so_and_with_no_other() {
    let ended = Job {
        phase: Phase::Failed,
        wake_at: None,
        ..job()
    };
    let nobody = |_: &str| Ok(None);
    let purged = jobs::advance(ended, &JobEvent::Purged, at(1), nobody).unwrap();
    assert!(purged.answer.changed);
    assert_eq!(purged.effects.document, None, "it had none");
    let refused = jobs::advance(job(), &JobEvent::Purged, at(1), nobody).unwrap();
    assert_eq!(refused.answer.refusal, Some(Refusal::NotNow));
    assert!(refused.effects.is_empty());
}

#[test]
fn a_received_document_is_destroyed_once() {
    let now = at(50);
    let fax = faxgate_domain::inbound::InboundFax {
        expires_at: Some(now + SignedDuration::from_hours(1)),
        ..crate::tests::fixtures::Bed::new().inbound("4711").fax
    };
    let purged = inbound::purge(fax.clone(), now);
    assert_eq!(purged.effects.document, Some(DocumentChange::Remove(fax.id.0)));
    assert_eq!(purged.answer.purged_at, Some(now));
    let again = inbound::purge(purged.answer.clone(), at(60));
    assert_eq!(again.answer, purged.answer);
    assert!(again.effects.is_empty());
}
