//! `[dispatch]`: sending and following.

use std::time::Duration;

/// `[dispatch]`
#[derive(Debug, Clone)]
pub struct DispatchConfig {
    /// `backoff_seconds`, default 5: first wait after a sure failure, doubled each time, at most an hour
    pub backoff: Duration,
    /// `grace_seconds`, default 120: how long an uncertain fax must stay absent before it is sent again
    pub grace: Duration,
    /// `poll_after_seconds`, default 600: silence after which the provider is asked
    pub poll_after: Duration,
    /// `job_deadline_seconds`, default 86400: age at which a job is looked at a last time and closed
    pub job_deadline: Duration,
    /// `concurrency`, default 4: requests to the provider under way at once
    pub concurrency: usize,
}

impl Default for DispatchConfig {
    fn default() -> Self {
        Self {
            backoff: Duration::from_secs(5),
            grace: Duration::from_secs(120),
            poll_after: Duration::from_secs(600),
            job_deadline: Duration::from_secs(86_400),
            concurrency: 4,
        }
    }
}
