//! `[tokens]` and `[retention]`: how long things last.

use std::time::Duration;

/// `[tokens]`
#[derive(Debug, Clone)]
pub struct TokensConfig {
    /// `pdf_ttl_minutes`, default 60: links to documents of sent faxes
    pub pdf_ttl: Duration,
    /// `inbound_ttl_minutes`, default 60: links to received documents
    pub inbound_ttl: Duration,
}

/// `[retention]`
#[derive(Debug, Clone)]
pub struct RetentionConfig {
    /// `artifact_ttl_days`, default 0: none keeps documents of sent faxes
    pub artifact_ttl: Option<Duration>,
    /// `inbound_days`, default 30: none (0) keeps received documents
    pub inbound: Option<Duration>,
    /// `cleanup_interval_minutes`, default 1440
    pub cleanup_interval: Duration,
}

const MINUTE: u64 = 60;
const DAY: u64 = 24 * 60 * MINUTE;

impl Default for TokensConfig {
    fn default() -> Self {
        Self {
            pdf_ttl: Duration::from_secs(60 * MINUTE),
            inbound_ttl: Duration::from_secs(60 * MINUTE),
        }
    }
}

impl Default for RetentionConfig {
    fn default() -> Self {
        Self {
            artifact_ttl: None,
            inbound: Some(Duration::from_secs(30 * DAY)),
            cleanup_interval: Duration::from_secs(DAY),
        }
    }
}
