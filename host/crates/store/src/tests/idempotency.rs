//! Repeated requests.

use futures_util::future::join_all;
use jiff::SignedDuration;

use super::fixtures::{Bed, row};
use crate::{Created, Expiring, NewJob};

fn with_key(bed: &Bed, who: &str, key: &str, fingerprint: u8) -> NewJob {
    let mut new = bed.job("desk");
    new.idempotency = Some(row(who, key, fingerprint, new.job.id, bed.clock.now()));
    new
}

#[tokio::test]
async fn the_same_request_gets_the_first_answer() {
    let bed = Bed::new();
    let first = with_key(&bed, "a", "k", 1);
    assert_eq!(bed.store.create_job(first.clone()).await.unwrap(), Created::New);
    assert_eq!(bed.store.idempotency("a", "k").await.unwrap(), first.idempotency);
    let again = with_key(&bed, "a", "k", 1);
    assert_eq!(
        bed.store.create_job(again.clone()).await.unwrap(),
        Created::Replay(first.idempotency.clone().unwrap())
    );
    assert_eq!(bed.store.job(again.job.id).await.unwrap(), None);
    assert_eq!(bed.store.document(again.job.id.0).await.unwrap(), None);
    assert_eq!(
        bed.store.create_job(with_key(&bed, "a", "k", 2)).await.unwrap(),
        Created::Conflict
    );
    assert_eq!(
        bed.store.create_job(with_key(&bed, "b", "k", 2)).await.unwrap(),
        Created::New
    );
    assert_eq!(bed.store.idempotency("b", "other").await.unwrap(), None);
}

#[tokio::test]
async fn concurrent_duplicates_make_one_job() {
    let bed = Bed::new();
    let same: Vec<_> = (0..30).map(|_| with_key(&bed, "a", "k", 1)).collect();
    let created = join_all(same.iter().cloned().map(|new| bed.store.create_job(new))).await;
    let created: Vec<_> = created.into_iter().map(Result::unwrap).collect();
    assert_eq!(
        created.iter().filter(|created| **created == Created::New).count(),
        1
    );
    assert_eq!(
        created
            .iter()
            .filter(|created| matches!(created, Created::Replay(_)))
            .count(),
        29
    );
    assert_eq!(bed.store.depth().await.unwrap()[0].1, 1);
}

#[tokio::test]
async fn an_expired_key_may_be_used_anew() {
    let bed = Bed::new();
    let first = with_key(&bed, "a", "k", 1);
    let ends = first.idempotency.clone().unwrap().expires_at;
    bed.store.create_job(first).await.unwrap();
    let expiring = Expiring::Idempotency {
        who: "a".to_owned(),
        key: "k".to_owned(),
    };
    assert_eq!(bed.store.expiring(ends, 10).await.unwrap(), [(ends, expiring)]);
    assert!(
        bed.store
            .expiring(ends - SignedDuration::from_secs(1), 10)
            .await
            .unwrap()
            .is_empty()
    );

    bed.clock.shift(SignedDuration::from_hours(25));
    let second = with_key(&bed, "a", "k", 2);
    assert_eq!(bed.store.create_job(second.clone()).await.unwrap(), Created::New);
    assert_eq!(bed.store.idempotency("a", "k").await.unwrap(), second.idempotency);
    assert!(
        bed.store.expiring(ends, 10).await.unwrap().is_empty(),
        "the old row's expiry is gone"
    );

    let ends = second.idempotency.unwrap().expires_at;
    bed.store.drop_idempotency("a", "k").await.unwrap();
    bed.store.drop_idempotency("a", "k").await.unwrap();
    assert_eq!(bed.store.idempotency("a", "k").await.unwrap(), None);
    assert!(bed.store.expiring(ends, 10).await.unwrap().is_empty());
}
