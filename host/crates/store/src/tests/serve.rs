//! Tests of the fence at the document link: which ticket opens a document, and what is durable before it does.

use futures_util::future::join_all;

use super::fixtures::{Bed, claimed, taken};
use crate::format::record::encode;
use crate::redb::writer::DiskBudget;
use crate::{AuditVerdict, ServeOutcome, Store, StoreError};
use faxgate_domain::event::EventKind;
use faxgate_domain::ids::JobId;
use faxgate_domain::job::Job;
use faxgate_domain::ticket::Ticket;

const FIRST: Ticket = Ticket::new([1; 16]);
const SECOND: Ticket = Ticket::new([2; 16]);

/// Gives the job another ticket, as a claim does.
async fn give(store: &Store, id: JobId, ticket: Option<Ticket>) {
    let job = Job {
        ticket,
        served: None,
        ..store.job(id).await.unwrap().unwrap()
    };
    store
        .write(DiskBudget::Finish, move |tables| {
            tables.jobs.insert(&id.to_bytes(), encode(&job)?.as_slice())?;
            Ok(())
        })
        .await
        .unwrap();
}

async fn claimed_job(bed: &Bed) -> JobId {
    let id = bed.created("desk").await.id;
    bed.store.advance(id, claimed(bed.clock.now())).await.unwrap();
    give(&bed.store, id, Some(FIRST)).await;
    id
}

async fn audited(store: &Store, what: &str) -> usize {
    let records = store.audit(None, 1000).await.unwrap();
    records.iter().filter(|record| record.entry.what == what).count()
}

#[tokio::test]
async fn the_first_fetch_is_durable_and_repeats_are_free() {
    let bed = Bed::new();
    let id = claimed_job(&bed).await;
    let store = &bed.store;
    let to = || Some("192.0.2.7".to_owned());
    assert_eq!(
        store.serve(id, Some(FIRST), to()).await.unwrap(),
        ServeOutcome::First
    );
    let job = store.job(id).await.unwrap().unwrap();
    assert_eq!(job.served.as_ref().and_then(|served| served.to.clone()), to());
    let version = store.shared.writer.version();
    for _ in 0..3 {
        assert_eq!(
            store.serve(id, Some(FIRST), None).await.unwrap(),
            ServeOutcome::Again
        );
    }
    assert_eq!(store.shared.writer.version(), version, "a repeat wrote something");
    let lines = store.timeline(id).await.unwrap();
    let served: Vec<_> = lines
        .iter()
        .filter(|line| line.event == EventKind::Served)
        .collect();
    assert_eq!(served.len(), 1);
    assert!(
        served[0]
            .facts
            .contains(&("ticket".to_owned(), FIRST.to_string()))
    );
    assert_eq!(audited(store, "fax.served").await, 1);
    super::counters::agree(store).await;
}

#[tokio::test]
async fn a_replaced_ticket_opens_nothing_and_is_audited() {
    let bed = Bed::new();
    let id = claimed_job(&bed).await;
    give(&bed.store, id, Some(SECOND)).await;
    for stale in [Some(FIRST), None] {
        let outcome = bed.store.serve(id, stale, None).await.unwrap();
        assert_eq!(outcome, ServeOutcome::Superseded, "{stale:?}");
    }
    assert!(bed.store.job(id).await.unwrap().unwrap().served.is_none());
    assert_eq!(
        bed.store.serve(id, Some(SECOND), None).await.unwrap(),
        ServeOutcome::First
    );
    assert_eq!(audited(&bed.store, "link.superseded").await, 2);
}

#[tokio::test]
async fn of_fetches_at_the_same_time_exactly_one_is_the_first() {
    let bed = Bed::new();
    let id = claimed_job(&bed).await;
    let outcomes = join_all((0..20).map(|_| bed.store.serve(id, Some(FIRST), None))).await;
    let firsts = outcomes
        .into_iter()
        .map(Result::unwrap)
        .filter(|outcome| *outcome == ServeOutcome::First);
    assert_eq!(firsts.count(), 1);
    assert!(matches!(
        bed.store.verify_audit().await.unwrap(),
        AuditVerdict::Intact { .. }
    ));
}

#[tokio::test]
async fn jobs_of_a_version_without_tickets_keep_their_links() {
    let bed = Bed::new();
    let id = bed.created("desk").await.id;
    bed.store.advance(id, claimed(bed.clock.now())).await.unwrap();
    bed.store
        .advance(id, taken("4711", bed.clock.now()))
        .await
        .unwrap();
    give(&bed.store, id, None).await;
    assert_eq!(
        bed.store.serve(id, None, None).await.unwrap(),
        ServeOutcome::Again
    );
    let unknown = JobId(bed.ids.next(bed.clock.now()));
    assert!(matches!(
        bed.store.serve(unknown, None, None).await,
        Err(StoreError::NoSuchJob)
    ));
}

#[tokio::test]
async fn nothing_is_served_while_the_store_is_closed() {
    let bed = Bed::new();
    let id = claimed_job(&bed).await;
    bed.store.close();
    let refused = bed.store.serve(id, Some(FIRST), None).await.unwrap_err();
    assert!(matches!(refused, StoreError::Closed));
}
