//! `[storage]`: where documents are kept.

use url::Url;

/// `[storage]`
#[derive(Debug, Clone, Default)]
pub enum StorageConfig {
    /// In the data folder.
    #[default]
    Local,
    /// In a bucket.
    S3(S3Config),
}

/// `[storage.s3]`. Credentials come from `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY` (or `[storage.s3]`).
#[derive(Debug, Clone)]
pub struct S3Config {
    /// `bucket`
    pub bucket: String,
    /// `region`, default `us-east-1`
    pub region: String,
    /// `prefix` of every key
    pub prefix: String,
    /// `endpoint_url`: path-style addressing when set
    pub endpoint_url: Option<Url>,
    /// `kms_key_id`: SSE-KMS when set
    pub kms_key_id: Option<String>,
    /// `access_key_id` (`AWS_ACCESS_KEY_ID`)
    pub access_key_id: Option<crate::base::secret::Secret>,
    /// `secret_access_key` (`AWS_SECRET_ACCESS_KEY`)
    pub secret_access_key: Option<crate::base::secret::Secret>,
    /// `session_token` (`AWS_SESSION_TOKEN`)
    pub session_token: Option<crate::base::secret::Secret>,
}
