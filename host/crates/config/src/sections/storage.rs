//! `[storage]`: where documents are stored.

use url::Url;

use crate::read::reader::Reader;

/// `[storage]`
#[derive(Debug, Clone, Default)]
#[allow(clippy::large_enum_variant, reason = "there is one of it in a process")]
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
    /// `region`
    pub region: String,
    /// `prefix` of every key
    pub prefix: String,
    /// `endpoint_url`: path-style addressing when set
    pub endpoint_url: Option<Url>,
    /// `kms_key_id`: SSE-KMS when set
    pub kms_key_id: Option<String>,
    /// `access_key_id` (`AWS_ACCESS_KEY_ID`)
    pub access_key_id: Option<faxgate_base::secret::Secret>,
    /// `secret_access_key` (`AWS_SECRET_ACCESS_KEY`)
    pub secret_access_key: Option<faxgate_base::secret::Secret>,
    /// `session_token` (`AWS_SESSION_TOKEN`)
    pub session_token: Option<faxgate_base::secret::Secret>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Backend {
    #[default]
    Local,
    S3,
}

impl StorageConfig {
    pub(crate) fn read(from: &mut Reader<'_>) -> Self {
        let words = [("local", Backend::Local), ("s3", Backend::S3)];
        let backend = from.word("storage.backend", &words);
        // Read in any case: a typing error in an unused section is still one.
        let s3 = S3Config::read(from);
        match backend {
            Backend::Local => Self::Local,
            Backend::S3 => {
                s3.check(from);
                Self::S3(s3)
            }
        }
    }
}

impl S3Config {
    fn read(from: &mut Reader<'_>) -> Self {
        Self {
            bucket: from.text("storage.s3.bucket").unwrap_or_default(),
            region: from.text("storage.s3.region").unwrap_or_default(),
            prefix: from.text("storage.s3.prefix").unwrap_or_default(),
            endpoint_url: from.url("storage.s3.endpoint_url"),
            kms_key_id: from.text("storage.s3.kms_key_id"),
            access_key_id: from.secret("storage.s3.access_key_id"),
            secret_access_key: from.secret("storage.s3.secret_access_key"),
            session_token: from.secret("storage.s3.session_token"),
        }
    }

    fn check(&self, from: &mut Reader<'_>) {
        if self.bucket.is_empty() {
            from.problem(
                "storage.s3.bucket",
                "is missing; give the bucket (S3_BUCKET), or set storage.backend (STORAGE_BACKEND) to local",
            );
        }
        for (key, value) in [
            ("storage.s3.access_key_id", &self.access_key_id),
            ("storage.s3.secret_access_key", &self.secret_access_key),
        ] {
            if value.is_none() {
                let spelled = Reader::spelled(key);
                from.problem(
                    key,
                    format!("is missing; storage in S3 needs {spelled} or {key}_file"),
                );
            }
        }
    }
}
