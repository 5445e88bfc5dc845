//! Documents in a bucket.
//!
//! A put is one request: the object appears whole or not at all, and the answer means that it is durable. The
//! server is told the SHA-256 and refuses other bytes. Every attempt, every operation and the number of attempts
//! are bounded, so that a dead or slow S3 costs a request an error and nothing else.

use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{
    BehaviorVersion, Config, Credentials, Region, RequestChecksumCalculation, ResponseChecksumValidation,
    StalledStreamProtectionConfig, retry::RetryConfig, timeout::TimeoutConfig,
};
use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ServerSideEncryption;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use ulid::Ulid;

use super::layout::{self, Kind};
use super::{ArtifactError, Content, DocumentStream, blocking};
use faxgate_config::storage::S3Config;
use faxgate_domain::artifact::{Artifact, Place};

/// Name of the metadata entry with the lower-case hexadecimal SHA-256.
const SHA256: &str = "sha256";

/// Characters of the object storage's own words that are repeated.
const LONGEST_MESSAGE: usize = 300;

pub(super) struct S3Store {
    client: Client,
    bucket: String,
    /// Empty or ending in a slash.
    prefix: String,
    kms_key_id: Option<String>,
    check_timeout: Duration,
}

/// How long and how often S3 is asked.
#[derive(Debug, Clone)]
pub(super) struct Patience {
    /// Until a connection stands.
    pub(super) connect: Duration,
    /// Until the first byte of an answer.
    pub(super) answer: Duration,
    /// One attempt, the upload included.
    pub(super) attempt: Duration,
    /// All attempts.
    pub(super) operation: Duration,
    /// How many attempts.
    pub(super) attempts: u32,
    /// How long a transfer may stand still.
    pub(super) stall: Duration,
    /// The readiness check.
    pub(super) check: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(3),
            answer: Duration::from_secs(15),
            attempt: Duration::from_secs(30),
            operation: Duration::from_secs(60),
            attempts: 3,
            stall: Duration::from_secs(10),
            check: Duration::from_secs(5),
        }
    }
}

impl S3Store {
    pub(super) fn new(config: &S3Config, patience: Patience) -> Result<Self, ArtifactError> {
        let S3Config {
            bucket,
            region,
            prefix,
            endpoint_url,
            kms_key_id,
            access_key_id,
            secret_access_key,
            session_token,
        } = config;
        let (Some(key), Some(secret)) = (access_key_id, secret_access_key) else {
            return Err(ArtifactError::Settings(
                "storage.backend is s3 without credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
            ));
        };
        let token = session_token.as_ref().map(|token| token.reveal().to_owned());
        let mut builder = Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new(region.clone()))
            .credentials_provider(Credentials::new(
                key.reveal(),
                secret.reveal(),
                token,
                None,
                "configuration",
            ))
            // We give and check the SHA-256 ourselves; servers that only look like S3 refuse other trailers.
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
            .retry_config(
                RetryConfig::standard()
                    .with_max_attempts(patience.attempts)
                    .with_initial_backoff(Duration::from_millis(100))
                    .with_max_backoff(Duration::from_secs(2)),
            )
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(patience.connect)
                    .read_timeout(patience.answer)
                    .operation_attempt_timeout(patience.attempt)
                    .operation_timeout(patience.operation)
                    .build(),
            )
            .stalled_stream_protection(
                StalledStreamProtectionConfig::enabled()
                    .grace_period(patience.stall)
                    .build(),
            );
        if let Some(url) = endpoint_url {
            builder = builder.endpoint_url(url.as_str()).force_path_style(true);
        }
        Ok(Self {
            client: Client::from_conf(builder.build()),
            bucket: bucket.clone(),
            prefix: match prefix.trim_matches('/') {
                "" => String::new(),
                prefix => format!("{prefix}/"),
            },
            kms_key_id: kms_key_id.clone(),
            check_timeout: patience.check,
        })
    }

    pub(super) async fn put(
        &self,
        kind: Kind,
        id: Ulid,
        content: Content,
    ) -> Result<Artifact, ArtifactError> {
        let key = format!("{}{}", self.prefix, layout::name(kind, id));
        let (body, bytes, sha256, path) = match content {
            Content::Bytes(content) => {
                let sha256: [u8; 32] = Sha256::digest(&content).into();
                let bytes = content.len() as u64;
                (ByteStream::from(content), bytes, sha256, None)
            }
            Content::File { path, sha256 } => {
                let (bytes, sha256) = measure(&path, sha256).await?;
                let body = ByteStream::read_from()
                    .path(&path)
                    .build()
                    .await
                    .map_err(|error| ArtifactError::Io {
                        doing: "read a document to upload",
                        source: io::Error::other(error),
                    })?;
                (body, bytes, sha256, Some(path))
            }
        };
        let encryption = self.kms_key_id.as_ref().map(|_| ServerSideEncryption::AwsKms);
        self.client
            .put_object()
            .bucket(&self.bucket)
            .key(&key)
            .content_type("application/pdf")
            .content_length(i64::try_from(bytes).unwrap_or(i64::MAX))
            .checksum_sha256(BASE64.encode(sha256))
            .metadata(SHA256, hex::encode(sha256))
            .set_server_side_encryption(encryption)
            .set_ssekms_key_id(self.kms_key_id.clone())
            .body(body)
            .send()
            .await
            .map_err(remote("store a document"))?;
        if let Some(path) = path {
            // What stays behind here is emptied with the spool folder at the next start.
            let _ = tokio::fs::remove_file(path).await;
        }
        Ok(Artifact {
            place: Place::S3(key),
            bytes,
            sha256,
        })
    }

    pub(super) async fn read(
        &self,
        key: &str,
        bytes: u64,
        range: Range<u64>,
    ) -> Result<DocumentStream, ArtifactError> {
        let length = range.end.saturating_sub(range.start);
        if length == 0 {
            return Ok(stream::empty().boxed());
        }
        let part = (length != bytes).then(|| format!("bytes={}-{}", range.start, range.end - 1));
        let answer = self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(key)
            .set_range(part)
            .send()
            .await
            .map_err(|error| match error.as_service_error() {
                Some(service) if service.is_no_such_key() => ArtifactError::NotFound,
                _ => remote("give a document")(error),
            })?;
        if answer
            .content_length()
            .is_some_and(|told| u64::try_from(told).ok() != Some(length))
        {
            return Err(ArtifactError::Damaged("its size is not what was kept"));
        }
        Ok(stream::unfold(answer.body, |mut body| async move {
            let piece = body.next().await?;
            Some((piece.map_err(io::Error::other), body))
        })
        .boxed())
    }

    pub(super) async fn delete(&self, key: &str) -> Result<(), ArtifactError> {
        let outcome = self
            .client
            .delete_object()
            .bucket(&self.bucket)
            .key(key)
            .send()
            .await;
        match outcome {
            Ok(_) => Ok(()),
            // Not what S3 itself answers, but servers that look like it do.
            Err(error) if status(&error) == Some(404) && error.code() != Some("NoSuchBucket") => Ok(()),
            Err(error) => Err(remote("delete a document")(error)),
        }
    }

    pub(super) async fn check(&self) -> Result<(), ArtifactError> {
        let timeouts = TimeoutConfig::builder()
            .operation_timeout(self.check_timeout)
            .build();
        self.client
            .head_bucket()
            .bucket(&self.bucket)
            .customize()
            .config_override(Config::builder().timeout_config(timeouts))
            .send()
            .await
            .map(|_| ())
            .map_err(remote("answer for the bucket"))
    }

    /// Removes old objects of ours that `known` does not know. Other objects below the prefix are left alone.
    pub(super) async fn collect_orphans<F>(
        &self,
        known: Arc<F>,
        cutoff: Timestamp,
    ) -> Result<u64, ArtifactError>
    where
        F: Fn(&Place) -> bool + Send + Sync + 'static,
    {
        let mut removed = 0;
        for kind in Kind::EVERY {
            let mut pages = self
                .client
                .list_objects_v2()
                .bucket(&self.bucket)
                .prefix(format!("{}{}/", self.prefix, kind.folder()))
                .into_paginator()
                .send();
            while let Some(page) = pages.next().await {
                let page = page.map_err(remote("list documents"))?;
                let old: Vec<String> = page
                    .contents()
                    .iter()
                    .filter(|object| {
                        object
                            .last_modified()
                            .is_some_and(|at| at.secs() < cutoff.as_second())
                    })
                    .filter_map(|object| object.key().map(str::to_owned))
                    .filter(|key| self.is_ours(key))
                    .collect();
                let known = Arc::clone(&known);
                let orphans = blocking("look for orphans", move || {
                    let orphan = |key: &String| !known(&Place::S3(key.clone()));
                    Ok(old.into_iter().filter(orphan).collect::<Vec<_>>())
                })
                .await?;
                for key in orphans {
                    self.delete(&key).await?;
                    removed += 1;
                }
            }
        }
        Ok(removed)
    }

    fn is_ours(&self, key: &str) -> bool {
        let name = key.strip_prefix(&self.prefix);
        name.is_some_and(|name| layout::parse(name).is_some_and(|(kind, id)| layout::name(kind, id) == name))
    }
}

/// Size and SHA-256 of a file.
async fn measure(path: &std::path::Path, sha256: Option<[u8; 32]>) -> Result<(u64, [u8; 32]), ArtifactError> {
    let path = path.to_path_buf();
    blocking("read a document to upload", move || {
        let measure = || {
            let mut file = std::fs::File::open(path)?;
            let bytes = file.metadata()?.len();
            let sha256 = match sha256 {
                Some(known) => known,
                None => super::local::hash_file(&mut file)?,
            };
            Ok((bytes, sha256))
        };
        measure().map_err(ArtifactError::io("read a document to upload"))
    })
    .await
}

/// A sentence of a stranger's, for the log: one line of bounded length.
fn shortened(message: &str) -> String {
    let plain = message.chars().map(|c| if c.is_control() { ' ' } else { c });
    plain.take(LONGEST_MESSAGE).collect()
}

fn status<E>(error: &SdkError<E>) -> Option<u16> {
    error.raw_response().map(|answer| answer.status().as_u16())
}

/// Names what was tried. The whole chain of causes is kept: "dispatch failure" alone does not help.
fn remote<E>(doing: &'static str) -> impl Fn(SdkError<E>) -> ArtifactError
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
{
    move |error| {
        let reason = match (status(&error), error.code()) {
            // Its own words say which policy, key or bucket is meant.
            (Some(status), Some(code)) => match error.message() {
                Some(message) => format!("{code} (HTTP {status}): {}", shortened(message)),
                None => format!("{code} (HTTP {status})"),
            },
            (Some(status), None) => format!("HTTP {status}"),
            _ => DisplayErrorContext(&error).to_string(),
        };
        ArtifactError::Remote { doing, reason }
    }
}
