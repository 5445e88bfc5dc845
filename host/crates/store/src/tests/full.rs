//! Disks that run full or fail.

use std::sync::atomic::Ordering;

use futures_util::future::join_all;

use super::counters::agree;
use super::disk::Disk;
use super::fixtures::{claimed, new_job};
use crate::{Created, NewJob, Store, StoreError, StoreOptions};
use faxgate_base::clock::Clock;
use faxgate_base::id::IdSource;
use faxgate_domain::ids::JobId;

fn job(ids: &IdSource) -> NewJob {
    let now = Clock::system().now();
    new_job(JobId(ids.next(now)), "desk", now)
}

#[tokio::test]
async fn a_full_disk_loses_nothing_and_work_goes_on_when_there_is_room() {
    let (disk, ids) = (Disk::default(), IdSource::default());
    let store = Store::open_backend(disk.clone(), Clock::system()).unwrap();
    let mut kept = Vec::new();
    for room in [100, 10, 1, 0] {
        disk.limit(Some(room));
        let full = loop {
            let new = job(&ids);
            match store.create_job(new.clone()).await {
                Ok(created) => kept.push((created, new.job)),
                Err(error) => break error,
            }
        };
        assert!(matches!(full, StoreError::Full), "{full:?}");
        let group: Vec<_> = (0..5).map(|_| job(&ids)).collect();
        for refused in join_all(group.into_iter().map(|new| store.create_job(new))).await {
            assert!(matches!(refused, Err(StoreError::Full)), "{refused:?}");
        }
        for (_, job) in &kept {
            assert_eq!(
                store.job(job.id).await.unwrap().as_ref(),
                Some(job),
                "reads go on"
            );
        }
        disk.limit(None);
        let new = job(&ids);
        assert_eq!(
            store.create_job(new.clone()).await.unwrap(),
            Created::New,
            "with room again"
        );
        kept.push((Created::New, new.job));
        store.check().await.unwrap();
    }
    assert!(disk.refused.load(Ordering::Relaxed) > 0);
    for (_, job) in &kept {
        assert_eq!(store.job(job.id).await.unwrap().as_ref(), Some(job));
    }
    assert_eq!(store.depth().await.unwrap()[0].1, kept.len() as u64);
    agree(&store).await;
}

#[tokio::test]
async fn after_a_failed_sync_nothing_is_promised_any_more() {
    let (disk, ids) = (Disk::default(), IdSource::default());
    let store = Store::open_backend(disk.clone(), Clock::system()).unwrap();
    let kept = job(&ids);
    store.create_job(kept.clone()).await.unwrap();
    disk.sync_fails.store(true, Ordering::Relaxed);
    assert!(store.create_job(job(&ids)).await.is_err());
    disk.sync_fails.store(false, Ordering::Relaxed);
    // The kernel reports a failed sync once and forgets what it could not write.
    assert!(matches!(
        store.create_job(job(&ids)).await,
        Err(StoreError::Failed)
    ));
    assert!(matches!(store.check().await, Err(StoreError::Failed)));
}

#[tokio::test]
async fn the_last_space_is_kept_for_what_was_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let (file, ids) = (folder.path().join("faxgate.redb"), IdSource::default());
    let kept = job(&ids);
    let store = Store::open(&file, Clock::system(), StoreOptions::default()).unwrap();
    store.create_job(kept.clone()).await.unwrap();
    drop(store);

    let disk = rustix::fs::statvfs(folder.path()).unwrap();
    let options = StoreOptions {
        // Twice of what is free: too little for anything new, enough for the rest.
        reserve_bytes: 2 * disk.f_bavail * disk.f_frsize,
        ..StoreOptions::default()
    };
    let store = Store::open(&file, Clock::system(), options).unwrap();
    let (refused, claim) = tokio::join!(
        store.create_job(job(&ids)),
        store.advance(kept.job.id, claimed(Clock::system().now())),
    );
    assert!(matches!(refused, Err(StoreError::Full)), "{refused:?}");
    assert!(claim.unwrap().changed);
}
