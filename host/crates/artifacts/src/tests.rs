//! Documents kept in files and in a real S3 server.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use futures_util::StreamExt;
use futures_util::future::join_all;
use jiff::SignedDuration;
use sha2::{Digest, Sha256};

use super::*;
use faxgate_base::id::IdSource;

mod bucket;

fn id() -> Ulid {
    IdSource::default().next(Clock::system().now())
}

async fn local(dir: &Path) -> Artifacts {
    Artifacts::open(&StorageConfig::Local, dir, Clock::system())
        .await
        .unwrap()
}

fn document(bytes: usize) -> Bytes {
    (0..bytes).map(|n| (n * 31 % 251) as u8).collect()
}

fn file_of(dir: &Path, artifact: &Artifact) -> PathBuf {
    let Place::Local(name) = &artifact.place else {
        panic!("not local")
    };
    dir.join(name)
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path))
        } else {
            found.push(path)
        }
    }
    found
}

async fn read(artifacts: &Artifacts, artifact: &Artifact, range: Option<Range<u64>>) -> io::Result<Vec<u8>> {
    let pieces: Vec<Bytes> = artifacts
        .read(artifact, range)
        .await
        .map_err(io::Error::other)?
        .try_collect()
        .await?;
    Ok(pieces.concat())
}

#[tokio::test]
async fn what_was_kept_is_read_back_whole_and_in_parts() {
    let dir = tempfile::tempdir().unwrap();
    let artifacts = local(dir.path()).await;
    for bytes in [0, 1, 40_000, 3_000_000] {
        let content = document(bytes);
        let kept = artifacts
            .put(Kind::Outbound, id(), content.clone())
            .await
            .unwrap();
        assert_eq!(kept.bytes, bytes as u64);
        assert_eq!(kept.sha256[..], Sha256::digest(&content)[..]);
        assert_eq!(artifacts.read_all(&kept).await.unwrap(), content);
        let (end, middle) = (kept.bytes, kept.bytes / 2);
        for range in [
            0..end,
            0..middle,
            middle..end,
            middle..middle,
            0..end + 9,
            end + 1..end + 2,
        ] {
            let part = read(&artifacts, &kept, Some(range.clone())).await.unwrap();
            let (from, to) = (range.start.min(end) as usize, range.end.min(end) as usize);
            assert_eq!(part, content[from..to.max(from)], "{range:?} of {bytes}");
        }
    }
}

#[tokio::test]
async fn a_spool_file_is_moved_and_its_digest_believed() {
    let dir = tempfile::tempdir().unwrap();
    let artifacts = local(&dir.path().join("artifacts")).await;
    let spool = dir.path().join("upload");
    for known in [None, Some(Sha256::digest(document(9000)).into())] {
        std::fs::write(&spool, document(9000)).unwrap();
        let content = Content::File {
            path: spool.clone(),
            sha256: known,
        };
        let kept = artifacts.put(Kind::Inbound, id(), content).await.unwrap();
        assert!(!spool.exists());
        assert_eq!(artifacts.read_all(&kept).await.unwrap(), document(9000));
    }
    let missing = artifacts.put(Kind::Inbound, id(), spool).await;
    assert!(matches!(missing, Err(ArtifactError::NotFound)), "{missing:?}");
}

#[tokio::test]
async fn nobody_else_may_read() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("artifacts");
    let artifacts = local(&root).await;
    let spool = dir.path().join("upload");
    std::fs::write(&spool, "x").unwrap();
    std::fs::set_permissions(&spool, std::fs::Permissions::from_mode(0o644)).unwrap();
    for content in [Content::from(spool), Content::from(document(5))] {
        let kept = artifacts.put(Kind::Outbound, id(), content).await.unwrap();
        let file = file_of(&root, &kept);
        assert_eq!(
            std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
            0o600
        );
        for folder in file
            .ancestors()
            .skip(1)
            .take_while(|folder| folder.starts_with(&root))
        {
            let mode = std::fs::metadata(folder).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o700, "{}", folder.display());
        }
    }
}

#[tokio::test]
async fn a_crowd_is_kept_and_leaves_no_unnamed_file() {
    let dir = tempfile::tempdir().unwrap();
    let artifacts = local(dir.path()).await;
    let ids = IdSource::default();
    let puts = (0..200_usize).map(|n| {
        let (artifacts, id) = (artifacts.clone(), ids.next(Clock::system().now()));
        async move { artifacts.put(Kind::Outbound, id, document(n)).await.unwrap() }
    });
    let kept = join_all(puts).await;
    for (n, artifact) in kept.iter().enumerate() {
        assert_eq!(artifacts.read_all(artifact).await.unwrap(), document(n));
        assert_eq!(document_of(&artifact.place).unwrap().0, Kind::Outbound);
    }
    assert_eq!(files(dir.path()).len(), 200);
    assert_eq!(files(&dir.path().join("incoming")), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn a_second_put_of_an_id_replaces_the_first() {
    let dir = tempfile::tempdir().unwrap();
    let artifacts = local(dir.path()).await;
    let id = id();
    artifacts.put(Kind::Outbound, id, document(10)).await.unwrap();
    let kept = artifacts.put(Kind::Outbound, id, document(20)).await.unwrap();
    assert_eq!(artifacts.read_all(&kept).await.unwrap(), document(20));
    assert_eq!(files(dir.path()).len(), 1);
}

#[tokio::test]
async fn a_damaged_document_is_never_read_as_a_good_one() {
    let dir = tempfile::tempdir().unwrap();
    let artifacts = local(dir.path()).await;
    for bytes in [1000, 1_000_000] {
        let kept = artifacts
            .put(Kind::Outbound, id(), document(bytes))
            .await
            .unwrap();
        let file = file_of(dir.path(), &kept);
        let mut content = document(bytes).to_vec();
        content[bytes / 2] ^= 1;
        std::fs::write(&file, &content).unwrap();
        let changed = artifacts.read_all(&kept).await;
        assert!(matches!(changed, Err(ArtifactError::Damaged(_))), "{changed:?}");
        std::fs::write(&file, &content[..bytes - 1]).unwrap();
        let cut = artifacts.read(&kept, Some(0..5)).await;
        assert!(matches!(cut, Err(ArtifactError::Damaged(_))));
    }
}

#[tokio::test]
async fn deleting_is_final_and_repeatable() {
    let dir = tempfile::tempdir().unwrap();
    let artifacts = local(dir.path()).await;
    let kept = artifacts.put(Kind::Outbound, id(), document(10)).await.unwrap();
    artifacts.delete(&kept).await.unwrap();
    assert!(!file_of(dir.path(), &kept).exists());
    artifacts.delete(&kept).await.unwrap();
    assert!(matches!(
        artifacts.read(&kept, None).await.err(),
        Some(ArtifactError::NotFound)
    ));
}

#[tokio::test]
async fn a_record_cannot_lead_out_of_the_folder() {
    let dir = tempfile::tempdir().unwrap();
    let artifacts = local(&dir.path().join("artifacts")).await;
    let outside = dir.path().join("outside.pdf");
    std::fs::write(&outside, "x").unwrap();
    let absolute = outside.to_string_lossy().into_owned();
    for name in ["../outside.pdf".to_owned(), absolute, String::new()] {
        let forged = Artifact {
            place: Place::Local(name),
            bytes: 1,
            sha256: Sha256::digest("x").into(),
        };
        assert!(matches!(
            artifacts.read(&forged, None).await.err(),
            Some(ArtifactError::Damaged(_))
        ));
        assert!(matches!(
            artifacts.delete(&forged).await.err(),
            Some(ArtifactError::Damaged(_))
        ));
    }
    assert!(outside.exists());
    let inline = Artifact {
        place: Place::Database,
        bytes: 1,
        sha256: [0; 32],
    };
    assert!(matches!(
        artifacts.read(&inline, None).await.err(),
        Some(ArtifactError::InDatabase)
    ));
}

#[tokio::test]
async fn only_old_unknown_documents_of_ours_are_orphans() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::system();
    let artifacts = Artifacts::open(&StorageConfig::Local, dir.path(), clock.clone())
        .await
        .unwrap();
    let known = artifacts.put(Kind::Outbound, id(), document(10)).await.unwrap();
    let orphan = artifacts.put(Kind::Inbound, id(), document(10)).await.unwrap();
    let foreign = dir.path().join("outbound/README");
    std::fs::write(&foreign, "not ours").unwrap();
    let left = dir.path().join("incoming/1-1.part");
    std::fs::write(&left, "left by a crash").unwrap();
    let place = known.place.clone();
    let is_known = move |asked: &Place| *asked == place;
    let hour = Duration::from_secs(3600);

    assert_eq!(
        artifacts.collect_orphans(is_known.clone(), hour).await.unwrap(),
        0,
        "too young"
    );
    clock.shift(SignedDuration::from_secs(3700));
    assert_eq!(
        artifacts.collect_orphans(is_known.clone(), hour).await.unwrap(),
        2
    );
    assert!(file_of(dir.path(), &known).exists() && foreign.exists());
    assert!(!file_of(dir.path(), &orphan).exists() && !left.exists());
    artifacts.delete(&known).await.unwrap();
    assert_eq!(artifacts.collect_orphans(is_known, hour).await.unwrap(), 0);
    let empty = file_of(dir.path(), &known).parent().unwrap().to_path_buf();
    assert!(dir.path().join("outbound").exists());
    // The folder was changed a moment ago by the deletion: it goes with a later sweep.
    clock.shift(SignedDuration::from_secs(3700));
    artifacts.collect_orphans(|_| true, hour).await.unwrap();
    assert!(!empty.exists());
    let again = artifacts.put(Kind::Outbound, id(), document(10)).await.unwrap();
    assert_eq!(artifacts.read_all(&again).await.unwrap(), document(10));
}

#[tokio::test]
async fn an_unwritable_folder_is_reported_and_nothing_is_half_kept() {
    let dir = tempfile::tempdir().unwrap();
    let artifacts = local(dir.path()).await;
    artifacts.check().await.unwrap();
    std::fs::remove_dir(dir.path().join("incoming")).unwrap();
    assert!(artifacts.check().await.is_err());
    assert!(artifacts.put(Kind::Outbound, id(), document(10)).await.is_err());
    assert_eq!(files(dir.path()), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn a_full_disk_has_its_own_error() {
    // A device that is always full: opening works, writing does not.
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let error = io::Write::write_all(&mut &full, b"x").unwrap_err();
    assert!(matches!(ArtifactError::io("write")(error), ArtifactError::Full));
}

#[tokio::test]
async fn small_documents_ride_in_the_database_only_when_kept_locally() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(local(dir.path()).await.inline_limit(), INLINE_LIMIT);
}

#[tokio::test]
async fn a_stream_of_a_long_document_comes_in_pieces() {
    let dir = tempfile::tempdir().unwrap();
    let artifacts = local(dir.path()).await;
    let kept = artifacts
        .put(Kind::Outbound, id(), document(2_000_000))
        .await
        .unwrap();
    let mut stream = artifacts.read(&kept, None).await.unwrap();
    let mut longest = 0;
    while let Some(piece) = stream.next().await {
        longest = longest.max(piece.unwrap().len());
    }
    assert!(longest <= 128 * 1024, "{longest}");
}
