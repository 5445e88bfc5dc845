//! Opening, locking, reopening and closing.

use std::os::unix::fs::PermissionsExt as _;

use super::fixtures::{Bed, new_job};
use crate::redb::tables::{JOBS, META};
use crate::{Store, StoreError, StoreOptions};
use faxgate_base::clock::Clock;
use faxgate_domain::ids::JobId;
use faxgate_domain::link::LinkPurpose;

fn open(file: &std::path::Path) -> Result<Store, StoreError> {
    Store::open(file, Clock::system(), StoreOptions::default())
}

#[tokio::test]
async fn what_was_kept_is_there_after_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("faxgate.redb");
    let store = open(&file).unwrap();
    let now = Clock::system().now();
    let new = new_job(
        JobId(faxgate_base::id::IdSource::default().next(now)),
        "desk",
        now,
    );
    store.create_job(new.clone()).await.unwrap();
    let token = store.link_key().sign(LinkPurpose::FaxPdf, "x", now);
    let head = store.verify_audit().await.unwrap();
    drop(store);

    let store = open(&file).unwrap();
    assert_eq!(store.job(new.job.id).await.unwrap(), Some(new.job));
    assert_eq!(store.link_key().sign(LinkPurpose::FaxPdf, "x", now), token);
    assert_eq!(store.verify_audit().await.unwrap(), head);
    store.check().await.unwrap();
}

#[test]
fn a_second_opener_is_told_so_and_the_file_is_private() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("faxgate.redb");
    let store = open(&file).unwrap();
    assert_eq!(
        std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let refused = open(&file).unwrap_err();
    assert!(
        matches!(&refused, StoreError::Locked { file: path, holder } if *path == file && *holder == Some(std::process::id())),
        "{refused:?}"
    );
    assert!(refused.to_string().contains("in use by another process"));
    let process = format!("(process id {})", std::process::id());
    assert!(refused.to_string().contains(&process), "{refused}");
    drop(store);
    open(&file).unwrap();
}

#[tokio::test]
async fn the_lock_outlives_a_restart_of_the_engine() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("faxgate.redb");
    let store = open(&file).unwrap();
    store.shared.db.restart().unwrap();
    assert!(matches!(open(&file), Err(StoreError::Locked { .. })));
    store.check().await.unwrap();
}

#[test]
fn what_is_not_a_database_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("faxgate.redb");
    let text = "a letter that somebody put here\n".repeat(1000);
    std::fs::write(&file, &text).unwrap();
    let refused = open(&file).unwrap_err();
    assert!(
        refused.to_string().contains("faxgate.redb can't be opened"),
        "{refused}"
    );
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    let missing = open(&folder.path().join("missing/faxgate.redb"));
    assert!(matches!(missing, Err(StoreError::Open { .. })), "{missing:?}");
}

#[test]
fn a_file_without_content_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("faxgate.redb");
    std::fs::write(&file, b"").unwrap();
    let refused = open(&file).unwrap_err();
    assert!(
        matches!(&refused, StoreError::Empty(path) if *path == file),
        "{refused:?}"
    );
    assert!(refused.to_string().contains("restore a backup"), "{refused}");
    assert_eq!(std::fs::metadata(&file).unwrap().len(), 0);
}

#[test]
fn a_new_database_has_its_name_only_when_it_is_complete() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("faxgate.redb");
    // What a start that was killed left: an empty draft.
    std::fs::write(file.with_extension("redb-new"), b"").unwrap();
    drop(open(&file).unwrap());
    let names = std::fs::read_dir(folder.path()).unwrap();
    let mut names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["faxgate.document-keys", "faxgate.pid", "faxgate.redb"]);
    for name in names {
        let mode = std::fs::metadata(folder.path().join(name))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    open(&file).unwrap();
}

#[tokio::test]
async fn a_closed_store_reads_and_refuses_to_write() {
    let bed = Bed::new();
    let job = bed.created("desk").await;
    bed.store.close();
    assert_eq!(bed.store.job(job.id).await.unwrap(), Some(job));
    assert!(matches!(
        bed.store.create_job(bed.job("desk")).await,
        Err(StoreError::Closed)
    ));
    assert!(matches!(bed.store.check().await, Err(StoreError::Closed)));
}

#[test]
fn a_newer_database_is_refused() {
    let bed = Bed::new();
    let transaction = bed.store.shared.db.write().unwrap();
    let newer = 99_u32.to_be_bytes();
    transaction
        .open_table(META)
        .unwrap()
        .insert("schema", newer.as_slice())
        .unwrap();
    transaction.commit().unwrap();
    let refused = crate::redb::meta::prepare(&bed.store.shared.db)
        .map(|_| ())
        .unwrap_err();
    assert!(
        matches!(refused, StoreError::NewerSchema { found: 99, .. }),
        "{refused}"
    );
}

#[tokio::test]
async fn records_of_the_first_format_still_read() {
    // As version 0.1.0 wrote it. Never change this text: databases in the field hold it.
    let text = include_bytes!("job-v1.json");
    let bed = Bed::new();
    let id: JobId = "01jd9zqk3v8m4n5p6q7r8s9t0v".parse().unwrap();
    let put = |format: u8| {
        let transaction = bed.store.shared.db.write().unwrap();
        let record = [&[format][..], text].concat();
        transaction
            .open_table(JOBS)
            .unwrap()
            .insert(&id.to_bytes(), record.as_slice())
            .unwrap();
        transaction.commit().unwrap();
    };
    put(1);
    let job = bed.store.job(id).await.unwrap().unwrap();
    assert_eq!((job.id, job.owner.as_str(), job.attempts), (id, "desk", 1));
    assert_eq!(job.provider_id.as_deref(), Some("123456"));
    assert_eq!(job.poll_attempts, 0, "a field that came later has its default");
    put(2);
    let refused = bed.store.job(id).await.unwrap_err();
    assert!(
        matches!(
            refused,
            StoreError::UnknownFormat {
                what: "job",
                version: 2
            }
        ),
        "{refused}"
    );
}
