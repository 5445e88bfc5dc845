//! `[limits]`: size and rate limits.

use crate::read::reader::{Reader, defaults};

/// `[limits]`. A rate of 0 is none.
#[derive(Debug, Clone)]
pub struct LimitsConfig {
    /// `max_file_size_mb`, here in bytes: one upload
    pub max_file_bytes: u64,
    /// `requests_per_minute`: of one key, across routes
    pub requests_per_minute: u32,
    /// `inbound_list_rpm`: of one key
    pub inbound_list_rpm: u32,
    /// `inbound_get_rpm`: of one key
    pub inbound_get_rpm: u32,
    /// `auth_failures_per_minute`: of one client address
    pub auth_failures_per_minute: u32,
    /// `max_spool_mb`, here in bytes: all uploads in progress together
    pub max_spool_bytes: u64,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        defaults(Self::read)
    }
}

impl LimitsConfig {
    pub(crate) fn read(from: &mut Reader<'_>) -> Self {
        const MOST: u32 = 1_000_000;
        Self {
            max_file_bytes: from.mebibytes("limits.max_file_size_mb", 1024),
            requests_per_minute: from.whole("limits.requests_per_minute", 0..=MOST),
            inbound_list_rpm: from.whole("limits.inbound_list_rpm", 0..=MOST),
            inbound_get_rpm: from.whole("limits.inbound_get_rpm", 0..=MOST),
            auth_failures_per_minute: from.whole("limits.auth_failures_per_minute", 0..=MOST),
            max_spool_bytes: from.mebibytes("limits.max_spool_mb", 1024 * 1024),
        }
    }
}
