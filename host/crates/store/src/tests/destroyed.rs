//! A document that was destroyed is gone from disk: the whole data folder is searched for its bytes.

use std::fs;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;

use super::fixtures::{Bed, artifact, new_job};
use crate::document_keys;
use crate::{NewJob, Store, StoreError, StoreOptions};
use faxgate_base::clock::Clock;
use faxgate_base::id::IdSource;
use faxgate_domain::ids::JobId;
use faxgate_domain::job::{Job, Phase};
use faxgate_domain::status::JobEvent;

const SECRET: &str = "the diagnosis of Jane Roe";

fn open(file: &Path) -> Store {
    let options = StoreOptions {
        artifact_ttl: Some(Duration::ZERO),
        ..StoreOptions::default()
    };
    Store::open(file, Clock::system(), options).unwrap()
}

/// A job that has ended, with a document that says `text` on many pages of the database.
fn ended(ids: &IdSource, text: &str) -> NewJob {
    let now = Clock::system().now();
    let new = new_job(JobId(ids.next(now)), "desk", now);
    let document = Bytes::from(text.repeat(2_000));
    NewJob {
        job: Job {
            phase: Phase::Failed,
            wake_at: None,
            completed_at: Some(now),
            artifact: Some(artifact(&document)),
            ..new.job
        },
        document: Some(document),
        ..new
    }
}

/// How many files below `folder` hold `text`.
fn holding(folder: &Path, text: &str) -> Vec<String> {
    let holds = |path: &Path| {
        fs::read(path)
            .unwrap()
            .windows(text.len())
            .any(|window| window == text.as_bytes())
    };
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files
        .filter(|path| holds(path))
        .map(|path| path.display().to_string())
        .collect()
}

#[tokio::test]
async fn nothing_of_a_destroyed_document_is_left_in_the_data_folder() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("faxgate.redb");
    let (store, ids) = (open(&file), IdSource::default());
    let kept = ended(&ids, "a letter that stays. ");
    let gone = ended(&ids, SECRET);
    for new in [&kept, &gone] {
        store.create_job(new.clone()).await.unwrap();
    }
    let id = gone.job.id;
    assert_eq!(store.document(id.0).await.unwrap(), gone.document);
    // What a copy of the database made before has, and the key that it would need.
    let copy = fs::read(&file).unwrap();
    store.advance(id, JobEvent::Purged).await.unwrap();
    assert_eq!(store.document(id.0).await.unwrap(), None);
    store.close();
    drop(store);
    assert_eq!(holding(folder.path(), SECRET), [""; 0]);

    let store = open(&file);
    assert_eq!(store.document(id.0).await.unwrap(), None);
    assert_eq!(store.document(kept.job.id.0).await.unwrap(), kept.document);
    drop(store);
    assert_eq!(holding(folder.path(), SECRET), [""; 0], "after a restart");

    // The old pages of the database, put back: the key is gone, so the document is.
    fs::write(&file, copy).unwrap();
    let store = open(&file);
    assert!(store.job(id).await.unwrap().unwrap().artifact.is_some());
    assert_eq!(store.document(id.0).await.unwrap(), None);
    assert_eq!(store.document(kept.job.id.0).await.unwrap(), kept.document);
}

#[tokio::test]
async fn received_documents_go_the_same_way() {
    let bed = Bed::new();
    let new = bed.inbound("4711");
    bed.store.create_inbound(new.clone()).await.unwrap();
    assert_eq!(bed.store.document(new.fax.id.0).await.unwrap(), new.document);
    bed.store.purge_inbound(new.fax.id).await.unwrap();
    assert_eq!(bed.store.document(new.fax.id.0).await.unwrap(), None);
}

#[tokio::test]
async fn a_document_of_a_fax_under_way_is_not_destroyed() {
    let bed = Bed::new();
    let new = bed.job("desk");
    let id = new.job.id;
    bed.store.create_job(new.clone()).await.unwrap();
    let refused = bed.store.advance(id, JobEvent::Purged).await.unwrap();
    assert!(refused.refusal.is_some());
    assert_eq!(bed.store.document(id.0).await.unwrap(), new.document);
}

#[tokio::test]
async fn a_key_is_never_used_twice_and_a_missing_one_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("faxgate.redb");
    let ids = IdSource::default();
    let mut all = Vec::new();
    for _ in 0..3 {
        let store = open(&file);
        for _ in 0..2 {
            let new = ended(&ids, "text ");
            store.create_job(new.clone()).await.unwrap();
            all.push(new);
        }
    }
    let store = open(&file);
    store.advance(all[0].job.id, JobEvent::Purged).await.unwrap();
    for new in &all[1..] {
        assert_eq!(store.document(new.job.id.0).await.unwrap(), new.document);
    }
    drop(store);
    fs::write(document_keys::file_beside(&file), b"").unwrap();
    let lost = open(&file).document(all[1].job.id.0).await.unwrap_err();
    assert!(matches!(lost, StoreError::Damaged { .. }), "{lost}");
    assert!(
        lost.to_string().contains("restore the whole data folder"),
        "{lost}"
    );
}
