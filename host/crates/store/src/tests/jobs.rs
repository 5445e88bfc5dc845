//! One job: kept, advanced, read back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use jiff::SignedDuration;

use super::fixtures::{Bed, claimed, news, taken};
use crate::format::record::{decode, encode};
use crate::redb::tables::get;
use crate::redb::writer::DiskBudget;
use crate::{Created, Expiring, StoreError};
use faxgate_base::clock::{after, before};
use faxgate_domain::event::{EventKind, TimelineEntry};
use faxgate_domain::ids::JobId;
use faxgate_domain::job::{Job, Phase, PublicStatus, Queue};
use faxgate_domain::provider::ProviderStatus;
use faxgate_domain::status::{JobEvent, Refusal};

#[tokio::test]
async fn a_job_comes_back_as_it_was_kept() {
    let bed = Bed::new();
    let new = bed.job("desk");
    let id = new.job.id;
    assert_eq!(bed.store.create_job(new.clone()).await.unwrap(), Created::New);
    assert_eq!(bed.store.job(id).await.unwrap(), Some(new.job.clone()));
    assert_eq!(bed.store.document(id.0).await.unwrap(), new.document);
    assert_eq!(bed.store.timeline(id).await.unwrap(), new.timeline);
    assert_eq!(bed.store.audit(None, 10).await.unwrap()[0].entry, new.audit);

    let unknown = JobId(bed.ids.next(bed.clock.now()));
    assert_eq!(bed.store.job(unknown).await.unwrap(), None);
    assert!(bed.store.timeline(unknown).await.unwrap().is_empty());
    assert!(matches!(
        bed.store.create_job(new).await,
        Err(StoreError::Exists(_))
    ));
    assert!(matches!(
        bed.store.advance(unknown, JobEvent::CancelRequested).await,
        Err(StoreError::NoSuchJob)
    ));
    let line = TimelineEntry::new(bed.clock.now(), EventKind::DocumentNote);
    assert!(matches!(
        bed.store.note(unknown, line.clone()).await,
        Err(StoreError::NoSuchJob)
    ));
    bed.store.note(id, line.clone()).await.unwrap();
    assert_eq!(bed.store.timeline(id).await.unwrap()[1], line);
}

#[tokio::test]
async fn a_job_that_is_shown_again_is_the_one_in_the_database() {
    let bed = Bed::new();
    let id = bed.created("desk").await.id;
    let show = async || bed.store.cached_job(id).await.unwrap().unwrap();
    let first = show().await;
    assert_eq!(Some(&**first), bed.store.job(id).await.unwrap().as_ref());
    assert!(Arc::ptr_eq(&first, &show().await), "decoded once");
    // A change of another job.
    bed.created("other desk").await;
    assert!(Arc::ptr_eq(&first, &show().await), "decoded once");
    let name = |job: &Job| Ok::<_, StoreError>(Bytes::from(job.owner.clone()));
    assert_eq!(first.rendered(name).unwrap(), "desk");
    let again = show().await.rendered(|_| Err(StoreError::Closed)).unwrap();
    assert_eq!(again, "desk", "rendered once");
    bed.store.advance(id, claimed(bed.clock.now())).await.unwrap();
    let second = show().await;
    assert_ne!(**first, **second);
    assert_eq!(Some(&**second), bed.store.job(id).await.unwrap().as_ref());
    let unknown = JobId(bed.ids.next(bed.clock.now()));
    assert!(bed.store.cached_job(unknown).await.unwrap().is_none());
}

/// Whoever was told of a change sees it, however often the job is read meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn readers_never_see_less_than_a_writer_was_told() {
    let bed = Bed::new();
    let job = bed.created("desk").await;
    let (id, stop) = (job.id, Arc::new(AtomicBool::new(false)));
    let told = Arc::new(AtomicU32::new(0));
    let readers = [(); 2].map(|()| {
        let (store, stop, told) = (bed.store.clone(), Arc::clone(&stop), Arc::clone(&told));
        tokio::spawn(async move {
            let (mut reads, mut last) = (0_u32, 0);
            while !stop.load(Ordering::Relaxed) {
                let least = told.load(Ordering::SeqCst).max(last);
                let seen = store.cached_job(id).await.unwrap().unwrap().attempts;
                assert!(seen >= least, "{seen} after {least}");
                (reads, last) = (reads + 1, seen);
            }
            reads
        })
    });
    for round in 1..=100 {
        let write = bed.store.write(DiskBudget::Finish, move |tables| {
            let mut job: Job = get(&tables.jobs, &id.to_bytes(), decode)?.ok_or(StoreError::NoSuchJob)?;
            job.attempts = round;
            tables.jobs.insert(&id.to_bytes(), encode(&job)?.as_slice())?;
            Ok(())
        });
        write.await.unwrap();
        told.store(round, Ordering::SeqCst);
    }
    stop.store(true, Ordering::Relaxed);
    for reader in readers {
        assert!(reader.await.unwrap() > 0);
    }
}

#[tokio::test]
async fn a_fax_goes_through_the_queues_to_its_end() {
    let bed = Bed::new();
    let store = &bed.store;
    let id = bed.created("desk").await.id;
    let soon = bed.clock.now() + SignedDuration::from_hours(1);
    let waiting = async |lane| -> Vec<JobId> {
        store
            .waiting(lane, soon, None, 10)
            .await
            .unwrap()
            .into_iter()
            .map(|(_, id)| id)
            .collect()
    };
    assert_eq!(
        (waiting(Queue::Dispatch).await, waiting(Queue::Follow).await),
        (vec![id], vec![])
    );

    store.advance(id, claimed(bed.clock.now())).await.unwrap();
    assert_eq!(
        (waiting(Queue::Dispatch).await, waiting(Queue::Follow).await),
        (vec![], vec![id])
    );
    assert_eq!(store.submitting().await.unwrap(), [id]);

    store.advance(id, taken("777", bed.clock.now())).await.unwrap();
    assert!(store.submitting().await.unwrap().is_empty());
    assert_eq!(store.job_by_provider_id("777").await.unwrap(), Some(id));
    assert_eq!(store.job_by_provider_id("778").await.unwrap(), None);

    let last = store
        .advance(id, news("777", ProviderStatus::Delivered, bed.clock.now()))
        .await
        .unwrap();
    assert_eq!(
        (last.job.phase, last.changed, last.refusal),
        (Phase::Delivered, true, None)
    );
    assert_eq!(store.job(id).await.unwrap(), Some(last.job));
    assert_eq!(
        (waiting(Queue::Dispatch).await, waiting(Queue::Follow).await),
        (vec![], vec![])
    );
    let what: Vec<_> = store
        .audit(None, 10)
        .await
        .unwrap()
        .into_iter()
        .map(|record| record.entry.what)
        .collect();
    assert_eq!(what, ["fax.accepted", "fax.submitted", "fax.delivered"]);
    let events: Vec<_> = store
        .timeline(id)
        .await
        .unwrap()
        .into_iter()
        .map(|line| line.event)
        .collect();
    assert_eq!(
        events,
        [
            EventKind::Accepted,
            EventKind::Submitting,
            EventKind::Submitted,
            EventKind::Delivered
        ]
    );
    assert_eq!(
        store
            .depth()
            .await
            .unwrap()
            .iter()
            .find(|(s, _)| *s == PublicStatus::Success)
            .unwrap()
            .1,
        1
    );

    let late = store.advance(id, claimed(bed.clock.now())).await.unwrap();
    assert_eq!((late.changed, late.refusal), (false, Some(Refusal::Final)));
    assert_eq!(store.timeline(id).await.unwrap().len(), 4);
}

#[tokio::test]
async fn a_provider_id_belongs_to_one_job() {
    let bed = Bed::new();
    let (first, second) = (bed.created("desk").await.id, bed.created("desk").await.id);
    bed.submit(first, "777").await;
    bed.store.advance(second, claimed(bed.clock.now())).await.unwrap();
    let before = bed.store.job(second).await.unwrap();
    for event in [
        taken("777", bed.clock.now()),
        news("777", ProviderStatus::Delivered, bed.clock.now()),
    ] {
        let advanced = bed.store.advance(second, event).await.unwrap();
        assert_eq!(
            (advanced.changed, advanced.refusal),
            (false, Some(Refusal::OtherFax))
        );
    }
    assert_eq!(bed.store.job(second).await.unwrap(), before);
    assert_eq!(bed.store.job_by_provider_id("777").await.unwrap(), Some(first));
    assert_eq!(bed.store.timeline(second).await.unwrap().len(), 2);
}

#[tokio::test]
async fn the_queue_is_read_in_order_and_in_parts() {
    let bed = Bed::new();
    let now = bed.clock.now();
    let mut placed = Vec::new();
    for second in [30, 10, 20, 10, 500] {
        let mut new = bed.job("desk");
        new.job.wake_at = Some(now + SignedDuration::from_secs(second));
        placed.push((new.job.wake_at.unwrap(), new.job.id));
        bed.store.create_job(new).await.unwrap();
    }
    placed.sort();
    let until = now + SignedDuration::from_secs(100);
    let first = bed.store.waiting(Queue::Dispatch, until, None, 2).await.unwrap();
    assert_eq!(first, placed[..2]);
    let rest = bed
        .store
        .waiting(Queue::Dispatch, until, Some(first[1]), 10)
        .await
        .unwrap();
    assert_eq!(rest, placed[2..4]);
    assert!(
        bed.store
            .waiting(Queue::Dispatch, until, Some(rest[1]), 10)
            .await
            .unwrap()
            .is_empty()
    );
    assert!(
        bed.store
            .waiting(Queue::Dispatch, now, None, 10)
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        bed.store.next_waiting(Queue::Dispatch).await.unwrap(),
        Some(placed[0].0)
    );
    assert_eq!(bed.store.next_waiting(Queue::Follow).await.unwrap(), None);
}

#[tokio::test]
async fn a_finished_document_expires_and_is_destroyed_once() {
    let ttl = Duration::from_secs(3600);
    let bed = Bed::with_ttl(Some(ttl));
    let id = bed.created("desk").await.id;
    bed.deliver(id, "777").await;
    let job = bed.store.job(id).await.unwrap().unwrap();
    let ends = after(job.completed_at.unwrap(), ttl);
    assert_eq!(job.expires_at, Some(ends));
    assert_eq!(
        bed.store.expiring(ends, 10).await.unwrap(),
        [(ends, Expiring::Job(id))]
    );
    assert!(
        bed.store
            .expiring(before(ends, Duration::from_millis(1)), 10)
            .await
            .unwrap()
            .is_empty()
    );

    let purged = bed.store.advance(id, JobEvent::Purged).await.unwrap();
    assert_eq!(
        (purged.changed, purged.job.artifact, purged.job.expires_at),
        (true, None, None)
    );
    assert_eq!(bed.store.document(id.0).await.unwrap(), None);
    assert!(bed.store.expiring(ends, 10).await.unwrap().is_empty());
    assert!(!bed.store.advance(id, JobEvent::Purged).await.unwrap().changed);
    let what: Vec<_> = bed
        .store
        .audit(None, 10)
        .await
        .unwrap()
        .into_iter()
        .map(|record| record.entry.what)
        .collect();
    assert_eq!(what.iter().filter(|what| *what == "fax.purged").count(), 1);
}

#[tokio::test]
async fn without_a_retention_nothing_expires() {
    let bed = Bed::new();
    let id = bed.created("desk").await.id;
    bed.deliver(id, "777").await;
    assert_eq!(bed.store.job(id).await.unwrap().unwrap().expires_at, None);
    assert!(
        bed.store
            .expiring(jiff::Timestamp::MAX, 10)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn a_cancelled_fax_is_audited_as_such() {
    let bed = Bed::new();
    let id = bed.created("desk").await.id;
    let cancelled = bed.store.advance(id, JobEvent::CancelRequested).await.unwrap();
    assert_eq!(cancelled.job.status(), PublicStatus::Failed);
    assert_eq!(
        bed.store.audit(Some(1), 10).await.unwrap()[0].entry.what,
        "fax.cancelled"
    );
}
