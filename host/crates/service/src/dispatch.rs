//! The dispatcher: sends queued jobs and follows them until they end.
//!
//! It works on two queues of the store: jobs to be sent, and jobs under way. Each takes due jobs in order of time at
//! the provider's request rate and records the outcome as an event of the job. The intent to send is durable before
//! a request leaves. A fax that may have been sent is looked up by its tag and never sent again blindly.

mod backoff;
mod circuit_breaker;
mod clock_skew;
mod follow_up;
mod poll_status;
mod queue_worker;
mod rate_limiter;
mod reconcile;
mod submit;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use tokio::sync::{Notify, watch};

use faxgate_artifacts::Artifacts;
use faxgate_base::clock::{Clock, after};
use faxgate_config::Config;
use faxgate_domain::ids::JobId;
use faxgate_domain::job::{Job, Queue};
use faxgate_domain::link::LinkKey;
use faxgate_domain::status::JobEvent;
use faxgate_provider::phaxio::Phaxio;
use faxgate_store::{Advanced, JobFilter, PageRequest, Store, StoreError};
use faxgate_telemetry::board::Board;

use circuit_breaker::CircuitBreaker;
use clock_skew::ClockSkew;
use queue_worker::InFlight;
use rate_limiter::RateLimiter;

/// What the dispatcher works with.
#[derive(Clone)]
pub struct Parts {
    /// The settings in force.
    pub config: Arc<ArcSwap<Config>>,
    /// The wall clock and the monotonic clock.
    pub clock: Clock,
    /// The database.
    pub store: Store,
    /// Stored documents: a fax waits while its document cannot be read.
    pub artifacts: Artifacts,
    /// The client of the provider.
    pub phaxio: Phaxio,
    /// Signs the links that the provider fetches documents by.
    pub links: LinkKey,
    /// Where the health of the provider is reported.
    pub board: Board,
    /// Notified when there may be work.
    pub work: Arc<Notify>,
}

/// Sends jobs and follows them until they end.
#[derive(Clone)]
pub struct Dispatcher {
    parts: Parts,
    rate_limiter: Arc<RateLimiter>,
    breaker: Arc<CircuitBreaker>,
    in_flight: Arc<InFlight>,
    clock_skew: Arc<ClockSkew>,
    /// Since when look-ups did not find a fax, by [`Clock::uptime`].
    absent: Arc<Mutex<HashMap<JobId, Duration>>>,
}

impl Dispatcher {
    /// A dispatcher that is not running yet.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let rate_limiter = Arc::new(RateLimiter::new(parts.clock.clone()));
        let breaker = Arc::new(CircuitBreaker::new(parts.board.clone(), parts.clock.clone()));
        Self {
            parts,
            rate_limiter,
            breaker,
            in_flight: Arc::default(),
            clock_skew: Arc::default(),
            absent: Arc::default(),
        }
    }

    /// Works until `stop` turns true, then waits for the requests under way.
    ///
    /// # Errors
    /// When the store can't be read at the start.
    pub async fn run(self, stop: watch::Receiver<bool>) -> Result<(), StoreError> {
        self.recover().await?;
        self.observe_newest_job().await?;
        let wakeups = [Arc::new(Notify::new()), Arc::new(Notify::new())];
        let [dispatch, follow] = &wakeups;
        tokio::join!(
            self.forward_wakeups(&wakeups, stop.clone()),
            queue_worker::run(&self, Queue::Dispatch, dispatch, stop.clone()),
            queue_worker::run(&self, Queue::Follow, follow, stop.clone()),
        );
        Ok(())
    }

    /// Allows requests again after the credentials were replaced.
    pub fn credentials_changed(&self) {
        self.breaker.record_success();
        self.parts.work.notify_one();
    }

    /// Requests that were under way when the last process ended may have reached the provider.
    async fn recover(&self) -> Result<(), StoreError> {
        let now = self.parts.clock.now();
        let interrupted = self.parts.store.submitting().await?;
        if !interrupted.is_empty() {
            tracing::info!(
                jobs = interrupted.len(),
                "looking up faxes that were being sent when the last process ended"
            );
        }
        for id in interrupted {
            let reason = "the process ended while the request was under way".to_owned();
            self.parts
                .store
                .advance(id, JobEvent::OutcomeUnknown { reason, look_at: now })
                .await?;
        }
        Ok(())
    }

    /// Learns from the newest job what the wall clock showed before this process started.
    async fn observe_newest_job(&self) -> Result<(), StoreError> {
        let newest = PageRequest {
            limit: 1,
            cursor: None,
        };
        let newest = self.parts.store.jobs(&JobFilter::default(), &newest).await?;
        if let Some(job) = newest.items.first() {
            self.clock_skew
                .observe(&self.parts.clock, job.created_at.max(job.updated_at));
        }
        Ok(())
    }

    /// Wakes both queues when there may be work.
    async fn forward_wakeups(&self, wakeups: &[Arc<Notify>], mut stop: watch::Receiver<bool>) {
        loop {
            tokio::select! {
                () = self.parts.work.notified() => {}
                _ = stop.wait_for(|stop| *stop) => break,
            }
            wakeups.iter().for_each(|wakeup| wakeup.notify_one());
        }
        wakeups.iter().for_each(|wakeup| wakeup.notify_one());
    }

    /// Records an event of a job, with retries: a known outcome must not be lost to a passing fault of the database.
    async fn record_outcome(&self, id: JobId, event: JobEvent) -> Option<Advanced> {
        for attempt in 1..=RECORD_ATTEMPTS {
            match self.parts.store.advance(id, event.clone()).await {
                Ok(done) => {
                    if let Some(refusal) = done.refusal {
                        tracing::debug!(job = %id, %refusal, "an outcome was refused by the state of the job");
                    }
                    if done.changed {
                        let status = done.job.status().as_str();
                        tracing::info!(job = %id, status, attempts = done.job.attempts, "fax moved on");
                    }
                    return Some(done);
                }
                Err(StoreError::Closed) => return None,
                Err(error) => {
                    tracing::error!(job = %id, %error, "an outcome could not be recorded yet");
                    self.parts
                        .clock
                        .sleep(backoff::exponential(RECORD_BASE, attempt))
                        .await;
                }
            }
        }
        // The wake-up time of the job is in the database: it will be looked up at the provider.
        None
    }

    /// When to poll `job` again without a callback. Soon, when a callback reported an end that the provider does
    /// not confirm yet.
    fn poll_at(&self, job: &Job) -> jiff::Timestamp {
        let config = self.parts.config.load();
        let base = match job.pending_update {
            Some(_) => config.dispatch.backoff.min(config.dispatch.poll_after),
            None => config.dispatch.poll_after,
        };
        let wait = backoff::exponential(base, job.poll_attempts.saturating_add(1));
        after(self.parts.clock.now(), wait)
    }

    /// Waits until the request rate allows the next request.
    async fn throttle(&self) {
        let per_second = self.parts.config.load().phaxio.requests_per_second;
        self.rate_limiter.acquire(per_second).await;
    }
}

/// First wait between two look-ups of one fax.
const RECONCILE_BASE: Duration = Duration::from_secs(10);
/// How often an event is written to the database before it is left to the next look-up.
const RECORD_ATTEMPTS: u32 = 8;
/// First wait between two of them.
const RECORD_BASE: Duration = Duration::from_millis(200);
