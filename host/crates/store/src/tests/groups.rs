//! Group commit: many at once, and what one bad command does to its neighbours.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;
use redb::ReadableTableMetadata as _;

use super::fixtures::{Bed, claimed};
use crate::redb::tables::JOBS;
use crate::redb::writer::DiskBudget;
use crate::{AuditVerdict, Created, StoreError};
use faxgate_domain::audit::AuditEntry;
use faxgate_domain::ids::JobId;
use faxgate_domain::job::{PublicStatus, Queue};
use faxgate_domain::status::Refusal;

#[tokio::test]
async fn many_at_once_are_all_kept() {
    let bed = Bed::new();
    let new: Vec<_> = (0..300).map(|_| bed.job("desk")).collect();
    let created = join_all(new.iter().cloned().map(|new| bed.store.create_job(new))).await;
    assert!(
        created
            .into_iter()
            .all(|created| created.unwrap() == Created::New)
    );
    for new in &new {
        assert_eq!(bed.store.job(new.job.id).await.unwrap().as_ref(), Some(&new.job));
    }
    assert_eq!(bed.store.depth().await.unwrap()[0], (PublicStatus::Queued, 300));
    assert!(matches!(
        bed.store.verify_audit().await.unwrap(),
        AuditVerdict::Intact { records: 300, .. }
    ));
}

#[tokio::test]
async fn two_workers_never_claim_one_job() {
    let bed = Bed::new();
    let id = bed.created("desk").await.id;
    let now = bed.clock.now();
    let claims = join_all((0..20).map(|_| bed.store.advance(id, claimed(now)))).await;
    let (won, lost): (Vec<_>, Vec<_>) = claims
        .into_iter()
        .map(Result::unwrap)
        .partition(|claim| claim.changed);
    assert_eq!((won.len(), lost.len()), (1, 19));
    assert!(lost.iter().all(|claim| claim.refusal == Some(Refusal::NotNow)));
    assert_eq!(bed.store.job(id).await.unwrap().unwrap().attempts, 1);
    assert_eq!(bed.store.timeline(id).await.unwrap().len(), 2);
}

#[tokio::test]
async fn refusals_leave_their_neighbours_alone() {
    let bed = Bed::new();
    let known = bed.job("desk");
    bed.store.create_job(known.clone()).await.unwrap();
    let unknown = JobId(bed.ids.next(bed.clock.now()));
    let good: Vec<_> = (0..5).map(|_| bed.job("desk")).collect();
    let (taken, missing, created) = tokio::join!(
        bed.store.create_job(known),
        bed.store.advance(unknown, claimed(bed.clock.now())),
        join_all(good.iter().cloned().map(|new| bed.store.create_job(new))),
    );
    assert!(matches!(taken, Err(StoreError::Exists(_))));
    assert!(matches!(missing, Err(StoreError::NoSuchJob)));
    assert!(
        created
            .into_iter()
            .all(|created| created.unwrap() == Created::New)
    );
    assert_eq!(bed.store.depth().await.unwrap()[0].1, 6);
}

#[tokio::test]
async fn a_panic_harms_only_its_own_command() {
    let bed = Bed::new();
    let runs = Arc::new(AtomicUsize::new(0));
    let bad = {
        let runs = Arc::clone(&runs);
        bed.store
            .write(DiskBudget::Finish, move |tables| -> Result<(), StoreError> {
                runs.fetch_add(1, Ordering::Relaxed);
                // What it wrote before must be gone.
                tables.jobs.insert(&[1; 16], b"half".as_slice())?;
                panic!("a fault in a command");
            })
    };
    let good: Vec<_> = (0..5).map(|_| bed.job("desk")).collect();
    let (created, bad) = tokio::join!(
        join_all(good.iter().cloned().map(|new| bed.store.create_job(new))),
        bad,
    );
    assert!(matches!(bad, Err(StoreError::Panicked)), "{bad:?}");
    assert!(runs.load(Ordering::Relaxed) >= 1);
    assert!(
        created
            .into_iter()
            .all(|created| created.unwrap() == Created::New)
    );
    let kept = bed
        .store
        .shared
        .db
        .read()
        .unwrap()
        .open_table(JOBS)
        .unwrap()
        .len()
        .unwrap();
    assert_eq!(kept, 5);
    bed.store.check().await.unwrap();
    bed.created("desk").await;
}

#[tokio::test]
async fn a_damaged_record_harms_only_who_asks_for_it() {
    let bed = Bed::new();
    let (damaged, sound) = (bed.created("desk").await.id, bed.created("desk").await.id);
    bed.store
        .write(DiskBudget::Finish, move |tables| {
            tables
                .jobs
                .insert(&damaged.to_bytes(), b"\x01{\"id\":".as_slice())?;
            Ok(())
        })
        .await
        .unwrap();
    let now = bed.clock.now();
    let (bad, good) = tokio::join!(
        bed.store.advance(damaged, claimed(now)),
        bed.store.advance(sound, claimed(now))
    );
    assert!(
        matches!(bad, Err(StoreError::Damaged { what: "job", .. })),
        "{bad:?}"
    );
    assert!(good.unwrap().changed);
    assert_eq!(
        bed.store
            .waiting(Queue::Follow, jiff::Timestamp::MAX, None, 9)
            .await
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn records_that_nobody_waits_for_are_kept_before_closing() {
    let bed = Bed::new();
    for number in 0..50 {
        bed.store.record_later(AuditEntry::new(
            bed.clock.now(),
            "operator",
            "document.read",
            number,
        ));
    }
    bed.store.close();
    let records = bed.store.audit(None, 100).await.unwrap();
    let objects: Vec<_> = records.into_iter().map(|record| record.entry.object).collect();
    assert_eq!(
        objects,
        (0..50).map(|number| number.to_string()).collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn records_that_nobody_waits_for_keep_their_place() {
    let bed = Bed::new();
    let entry = |what: &str, number: i32| AuditEntry::new(bed.clock.now(), "operator", what, number);
    for number in 0..20 {
        bed.store.record_later(entry("document.read", number));
        bed.store.record_later(entry("document.read", number));
        bed.store.record(entry("key.revoked", number)).await.unwrap();
    }
    let records = bed.store.audit(None, 100).await.unwrap();
    let kept: Vec<_> = records.into_iter().map(|record| record.entry.what).collect();
    assert_eq!(kept, ["document.read", "document.read", "key.revoked"].repeat(20));
}

#[tokio::test]
async fn what_nobody_waits_for_is_kept_soon_without_others() {
    let bed = Bed::new();
    bed.store
        .record_later(AuditEntry::new(bed.clock.now(), "operator", "document.read", 1));
    while bed.store.audit(None, 1).await.unwrap().is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}
