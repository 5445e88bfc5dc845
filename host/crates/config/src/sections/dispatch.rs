//! `[dispatch]`: sending and tracking faxes.

use std::time::Duration;

use crate::read::reader::{Reader, Unit};
use faxgate_domain::provider::FailureClass;

/// `[dispatch]`
#[derive(Debug, Clone)]
pub struct DispatchConfig {
    /// `backoff_seconds`: first wait after a request that certainly had no effect; doubled each time, at most an hour
    pub backoff: Duration,
    /// `grace_seconds`: how long a fax with an unknown outcome must stay absent before it is sent again
    pub grace: Duration,
    /// `poll_after_seconds`: time without a callback after which the provider is asked
    pub poll_after: Duration,
    /// `job_deadline_seconds`: age at which a job is looked up a last time and closed
    pub job_deadline: Duration,
    /// `concurrency`: requests to the provider at the same time
    pub concurrency: usize,
    /// `confirm_callbacks`: whether the provider is asked before a callback that says how a fax ended
    /// is believed
    pub confirm_callbacks: bool,
    /// `fax_retries`: further faxes of a job whose fax failed, see `fax_retry_after`
    pub fax_retries: u32,
    /// `fax_retry_seconds`: wait before each of them
    pub fax_retry: Duration,
    /// `fax_retry_after`: the failures that another fax may follow
    pub fax_retry_after: Vec<FailureClass>,
    /// `fetch_retries`: further faxes of a job whose document the provider could not fetch from us
    pub fetch_retries: u32,
}

impl DispatchConfig {
    pub(crate) fn read(from: &mut Reader<'_>) -> Self {
        const HOUR: f64 = 3600.0;
        const DAY: f64 = 24.0 * HOUR;
        let mut seconds = |key, range| from.span(key, Unit::Seconds, range);
        Self {
            backoff: seconds("dispatch.backoff_seconds", 0.0..=HOUR),
            grace: seconds("dispatch.grace_seconds", 0.0..=DAY),
            poll_after: seconds("dispatch.poll_after_seconds", 0.1..=7.0 * DAY),
            job_deadline: seconds("dispatch.job_deadline_seconds", 1.0..=30.0 * DAY),
            fax_retry: seconds("dispatch.fax_retry_seconds", 0.0..=DAY),
            fax_retries: from.whole("dispatch.fax_retries", 0..=20),
            fax_retry_after: classes(from, "dispatch.fax_retry_after"),
            fetch_retries: from.whole("dispatch.fetch_retries", 0..=20),
            confirm_callbacks: from.flag("dispatch.confirm_callbacks"),
            concurrency: from.count("dispatch.concurrency", 256),
        }
    }
}

/// Failures by name.
fn classes(from: &mut Reader<'_>, key: &str) -> Vec<FailureClass> {
    let mut classes = Vec::new();
    for text in from.list(key) {
        match FailureClass::RETRYABLE.iter().find(|(word, _)| *word == text) {
            Some((_, class)) if classes.contains(class) => {}
            Some((_, class)) => classes.push(*class),
            None => from.problem(
                key,
                format!("has {text:?}; give some of busy, no_answer, line and fax: after other failures another fax would fail as well"),
            ),
        }
    }
    classes
}
