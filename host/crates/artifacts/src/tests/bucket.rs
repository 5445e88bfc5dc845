//! The bucket, with a server that answers late, wrongly, in parts or not at all.

use super::*;
use faxgate_base::secret::Secret;
use faxgate_config::storage::S3Config;
use faxgate_testkit::storage::s3_server::{ACCESS_KEY, BUCKET, Fault, S3Server, SECRET_KEY};

fn config(url: &str) -> S3Config {
    S3Config {
        bucket: BUCKET.to_owned(),
        region: "us-east-1".to_owned(),
        prefix: "/archive/".to_owned(),
        endpoint_url: Some(url.parse().unwrap()),
        kms_key_id: None,
        access_key_id: Some(Secret::new(ACCESS_KEY.to_owned())),
        secret_access_key: Some(Secret::new(SECRET_KEY.to_owned())),
        session_token: None,
    }
}

fn impatient() -> s3::Patience {
    s3::Patience {
        connect: Duration::from_millis(500),
        answer: Duration::from_millis(300),
        attempt: Duration::from_secs(2),
        operation: Duration::from_secs(5),
        attempts: 3,
        stall: Duration::from_secs(1),
        check: Duration::from_millis(500),
    }
}

fn open(dir: &Path, config: &S3Config) -> Artifacts {
    Artifacts {
        local: Arc::new(local::LocalStore::open(dir).unwrap()),
        s3: Some(Arc::new(s3::S3Store::new(config, impatient()).unwrap())),
        clock: Clock::system(),
    }
}

#[tokio::test]
async fn a_bucket_keeps_documents() {
    let (dir, server) = (tempfile::tempdir().unwrap(), S3Server::start().await);
    let storage = StorageConfig::S3(config(&server.url()));
    let artifacts = Artifacts::open(&storage, dir.path(), Clock::system())
        .await
        .unwrap();
    assert_eq!(artifacts.inline_limit(), 0);
    artifacts.check().await.unwrap();
    for bytes in [0, 1, 70_000, 3_000_000] {
        let content = document(bytes);
        let spool = dir.path().join("upload");
        std::fs::write(&spool, &content).unwrap();
        for source in [Content::from(content.clone()), Content::from(spool.clone())] {
            let kept = artifacts.put(Kind::Inbound, id(), source).await.unwrap();
            assert!(matches!(&kept.place, Place::S3(key) if key.starts_with("archive/inbound/")));
            assert_eq!(artifacts.read_all(&kept).await.unwrap(), content);
            let part = read(&artifacts, &kept, Some(1..bytes as u64 / 2)).await.unwrap();
            assert_eq!(part, content[1.min(bytes)..(bytes / 2).max(1.min(bytes))]);
            artifacts.delete(&kept).await.unwrap();
            artifacts.delete(&kept).await.unwrap();
            assert!(matches!(artifacts.read_all(&kept).await, Err(ArtifactError::NotFound)) || bytes == 0);
        }
        assert!(!spool.exists());
    }
    assert_eq!(files(dir.path()), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn a_put_names_its_digest_and_the_key_that_encrypts_it() {
    let (dir, server) = (tempfile::tempdir().unwrap(), S3Server::start().await);
    let settings = S3Config {
        kms_key_id: Some("alias/faxes".to_owned()),
        ..config(&server.url())
    };
    let artifacts = open(dir.path(), &settings);
    // What a server that only looks like S3 makes of the encryption is not ours to test.
    let _ = artifacts.put(Kind::Outbound, id(), document(10)).await;
    let seen = server.take_seen();
    let header = |name: &str| seen[0].headers[name].to_str().unwrap().to_owned();
    assert_eq!(header("x-amz-server-side-encryption"), "aws:kms");
    assert_eq!(
        header("x-amz-server-side-encryption-aws-kms-key-id"),
        "alias/faxes"
    );
    assert_eq!(
        header("x-amz-meta-sha256"),
        hex::encode(Sha256::digest(document(10)))
    );
    assert!(seen[0].headers.contains_key("x-amz-checksum-sha256"));
    assert!(
        seen[0].path.starts_with(&format!("/{BUCKET}/archive/outbound/")),
        "path style"
    );
}

#[tokio::test]
async fn passing_trouble_is_retried() {
    let (dir, server) = (tempfile::tempdir().unwrap(), S3Server::start().await);
    let artifacts = open(dir.path(), &config(&server.url()));
    let spool = dir.path().join("upload");
    for trouble in [
        Fault::Status(500),
        Fault::Status(503),
        Fault::Hang,
        Fault::LoseAnswer,
    ] {
        std::fs::write(&spool, document(70_000)).unwrap();
        for source in [Content::from(document(70_000)), Content::from(spool.clone())] {
            server.script([trouble, trouble]);
            let kept = artifacts.put(Kind::Outbound, id(), source).await.unwrap();
            server.script([trouble]);
            assert_eq!(
                artifacts.read_all(&kept).await.unwrap(),
                document(70_000),
                "{trouble:?}"
            );
            server.script([trouble]);
            artifacts.delete(&kept).await.unwrap();
        }
    }
    assert_eq!(server.objects(), Vec::<String>::new());
}

#[tokio::test]
async fn lasting_trouble_ends_in_an_error_after_a_bounded_number_of_attempts() {
    let (dir, server) = (tempfile::tempdir().unwrap(), S3Server::start().await);
    let artifacts = open(dir.path(), &config(&server.url()));
    let kept = artifacts.put(Kind::Outbound, id(), document(10)).await.unwrap();
    let spool = dir.path().join("upload");
    std::fs::write(&spool, document(10)).unwrap();
    for trouble in [Fault::Status(500), Fault::Hang] {
        server.always(Some(trouble));
        server.take_seen();
        let put = artifacts.put(Kind::Outbound, id(), spool.clone()).await;
        assert!(matches!(put, Err(ArtifactError::Remote { .. })), "{put:?}");
        assert_eq!(server.take_seen().len(), 3);
        assert!(spool.exists(), "what was not kept must not be lost");
        assert!(artifacts.read(&kept, None).await.is_err());
        assert!(artifacts.delete(&kept).await.is_err());
        assert!(artifacts.check().await.is_err());
    }
    server.always(None);
    artifacts.check().await.unwrap();
    assert_eq!(server.objects().len(), 1);
}

#[tokio::test]
async fn a_refusal_is_not_retried_and_told_with_its_code() {
    let (dir, server) = (tempfile::tempdir().unwrap(), S3Server::start().await);
    let settings = S3Config {
        secret_access_key: Some(Secret::new("wrong".to_owned())),
        ..config(&server.url())
    };
    let artifacts = open(dir.path(), &settings);
    let error = artifacts
        .put(Kind::Outbound, id(), document(10))
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("SignatureDoesNotMatch"), "{error}");
    assert_eq!(server.take_seen().len(), 1);
    let settings = S3Config {
        bucket: "nowhere".to_owned(),
        ..config(&server.url())
    };
    let artifacts = open(dir.path(), &settings);
    assert!(artifacts.check().await.is_err());
}

#[tokio::test]
async fn a_cut_or_changed_answer_is_never_a_good_document() {
    let (dir, server) = (tempfile::tempdir().unwrap(), S3Server::start().await);
    let artifacts = open(dir.path(), &config(&server.url()));
    let kept = artifacts
        .put(Kind::Outbound, id(), document(300_000))
        .await
        .unwrap();
    for trouble in [Fault::Truncate, Fault::Corrupt] {
        server.script([trouble]);
        assert!(artifacts.read_all(&kept).await.is_err(), "{trouble:?}");
    }
    server.script([Fault::Corrupt]);
    let changed = artifacts.read_all(&kept).await;
    assert!(matches!(changed, Err(ArtifactError::Damaged(_))), "{changed:?}");
    server.script([Fault::Truncate]);
    assert!(read(&artifacts, &kept, Some(0..1000)).await.is_err());
    assert_eq!(artifacts.read_all(&kept).await.unwrap(), document(300_000));
}

#[tokio::test]
async fn a_dead_server_is_an_error_that_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let nobody = {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        socket.local_addr().unwrap()
    };
    let artifacts = open(dir.path(), &config(&format!("http://{nobody}")));
    let error = artifacts
        .put(Kind::Outbound, id(), document(10))
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("refused"), "{error}");
    assert!(artifacts.check().await.is_err());
}

#[tokio::test]
async fn documents_stay_readable_across_a_switch_of_storage() {
    let (dir, server) = (tempfile::tempdir().unwrap(), S3Server::start().await);
    let before = local(dir.path()).await;
    let first = before.put(Kind::Outbound, id(), document(50_000)).await.unwrap();
    let after = open(dir.path(), &config(&server.url()));
    let second = after.put(Kind::Outbound, id(), document(60_000)).await.unwrap();
    assert!(matches!(second.place, Place::S3(_)));
    assert_eq!(after.read_all(&first).await.unwrap(), document(50_000));
    assert_eq!(after.read_all(&second).await.unwrap(), document(60_000));
    let back = before.read_all(&second).await.unwrap_err();
    assert!(matches!(back, ArtifactError::Settings(_)), "{back}");
    after.delete(&first).await.unwrap();
    assert!(!file_of(dir.path(), &first).exists());
}

#[tokio::test]
async fn orphans_of_the_bucket_are_collected() {
    let (dir, server) = (tempfile::tempdir().unwrap(), S3Server::start().await);
    let artifacts = open(dir.path(), &config(&server.url()));
    let known = artifacts.put(Kind::Outbound, id(), document(10)).await.unwrap();
    artifacts.put(Kind::Inbound, id(), document(10)).await.unwrap();
    let elsewhere = open(
        dir.path(),
        &S3Config {
            prefix: "other".to_owned(),
            ..config(&server.url())
        },
    );
    elsewhere.put(Kind::Inbound, id(), document(10)).await.unwrap();
    let objects = || {
        server
            .objects()
            .into_iter()
            .filter(|name| name.ends_with(".pdf"))
            .count()
    };
    let place = known.place.clone();
    let is_known = move |asked: &Place| *asked == place;
    let hour = Duration::from_secs(3600);
    assert_eq!(
        artifacts.collect_orphans(is_known.clone(), hour).await.unwrap(),
        0
    );
    artifacts.clock.shift(SignedDuration::from_secs(3700));
    assert_eq!(artifacts.collect_orphans(is_known, hour).await.unwrap(), 1);
    assert_eq!(objects(), 2);
    assert_eq!(artifacts.read_all(&known).await.unwrap(), document(10));
}

#[tokio::test]
async fn a_bucket_without_credentials_is_refused_by_the_names_to_set() {
    let dir = tempfile::tempdir().unwrap();
    let settings = S3Config {
        access_key_id: None,
        ..config("http://127.0.0.1:1")
    };
    let opened = Artifacts::open(&StorageConfig::S3(settings), dir.path(), Clock::system()).await;
    let error = opened.err().unwrap().to_string();
    assert!(error.contains("AWS_ACCESS_KEY_ID"), "{error}");
}
