//! `[limits]`: sizes and rates.

use super::check::Reader;
use faxgate_base::size::MIB;

/// `[limits]`. A rate of 0 is none.
#[derive(Debug, Clone)]
pub struct LimitsConfig {
    /// `max_file_size_mb`, default 10, here in bytes: one upload
    pub max_file_bytes: u64,
    /// `requests_per_minute`, default 0: of one key, across routes
    pub requests_per_minute: u32,
    /// `inbound_list_rpm`, default 30: of one key
    pub inbound_list_rpm: u32,
    /// `inbound_get_rpm`, default 60: of one key
    pub inbound_get_rpm: u32,
    /// `auth_failures_per_minute`, default 30: of one client address
    pub auth_failures_per_minute: u32,
    /// `max_spool_mb`, default 1024, here in bytes: all uploads under way together
    pub max_spool_bytes: u64,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            max_file_bytes: 10 * MIB,
            requests_per_minute: 0,
            inbound_list_rpm: 30,
            inbound_get_rpm: 60,
            auth_failures_per_minute: 30,
            max_spool_bytes: 1024 * MIB,
        }
    }
}

impl LimitsConfig {
    pub(super) fn read(from: &mut Reader<'_>) -> Self {
        const MOST: u32 = 1_000_000;
        let default = Self::default();
        Self {
            max_file_bytes: from.mebibytes("limits.max_file_size_mb", 1024, default.max_file_bytes),
            requests_per_minute: from.whole(
                "limits.requests_per_minute",
                0..=MOST,
                default.requests_per_minute,
            ),
            inbound_list_rpm: from.whole("limits.inbound_list_rpm", 0..=MOST, default.inbound_list_rpm),
            inbound_get_rpm: from.whole("limits.inbound_get_rpm", 0..=MOST, default.inbound_get_rpm),
            auth_failures_per_minute: from.whole(
                "limits.auth_failures_per_minute",
                0..=MOST,
                default.auth_failures_per_minute,
            ),
            max_spool_bytes: from.mebibytes("limits.max_spool_mb", 1024 * 1024, default.max_spool_bytes),
        }
    }
}
