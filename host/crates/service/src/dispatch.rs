//! Floor 5: sending jobs and following them until they end.
//!
//! Two lanes over one store: jobs that wait for their turn, and jobs under way. Each lane takes what is due in
//! order of time, at the provider's pace, and puts what came of it through the job table. The intent to send is
//! durable before a request leaves; what may have been sent is looked up by its tag and never sent blindly.

mod backoff;
mod follow;
mod gate;
mod lane;
mod pace;
mod setback;
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

use gate::Gate;
use lane::Hands;
use pace::Pacer;
use setback::Setback;

/// The parts the dispatcher works with.
#[derive(Clone)]
pub struct Parts {
    /// Settings in force.
    pub config: Arc<ArcSwap<Config>>,
    /// Time.
    pub clock: Clock,
    /// Records.
    pub store: Store,
    /// Documents: one that can't be read now is not announced to the provider.
    pub artifacts: Artifacts,
    /// The provider.
    pub phaxio: Phaxio,
    /// Key of the links that the provider fetches documents through.
    pub links: LinkKey,
    /// Where to say that the provider doesn't work.
    pub board: Board,
    /// Rings when there may be work.
    pub work: Arc<Notify>,
}

/// Sends jobs and follows them.
#[derive(Clone)]
pub struct Dispatcher {
    parts: Parts,
    pacer: Arc<Pacer>,
    gate: Arc<Gate>,
    hands: Arc<Hands>,
    setback: Arc<Setback>,
    /// Since when look-ups did not find a fax, by [`Clock::uptime`].
    absent: Arc<Mutex<HashMap<JobId, Duration>>>,
}

impl Dispatcher {
    /// A dispatcher that has not begun.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let pacer = Arc::new(Pacer::new(parts.clock.clone()));
        let gate = Arc::new(Gate::new(parts.board.clone(), parts.clock.clone()));
        Self {
            parts,
            pacer,
            gate,
            hands: Arc::default(),
            setback: Arc::default(),
            absent: Arc::default(),
        }
    }

    /// Works until `stop` turns true, then waits for the requests under way.
    ///
    /// # Errors
    /// When the store can't be read at the start.
    pub async fn run(self, stop: watch::Receiver<bool>) -> Result<(), StoreError> {
        self.recover().await?;
        self.notice_setback().await?;
        let bells = [Arc::new(Notify::new()), Arc::new(Notify::new())];
        let [dispatch, follow] = &bells;
        tokio::join!(
            self.spread(&bells, stop.clone()),
            lane::run(&self, Queue::Dispatch, dispatch, stop.clone()),
            lane::run(&self, Queue::Follow, follow, stop.clone()),
        );
        Ok(())
    }

    /// Lets the next request through although the provider refused our credentials: they were replaced.
    pub fn credentials_changed(&self) {
        self.gate.open();
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

    /// The newest job tells what the clock showed before this process began.
    async fn notice_setback(&self) -> Result<(), StoreError> {
        let newest = PageRequest {
            limit: 1,
            cursor: None,
        };
        let newest = self.parts.store.jobs(&JobFilter::default(), &newest).await?;
        if let Some(job) = newest.items.first() {
            self.setback
                .showed(&self.parts.clock, job.created_at.max(job.updated_at));
        }
        Ok(())
    }

    /// Rings both lanes when there may be work.
    async fn spread(&self, bells: &[Arc<Notify>], mut stop: watch::Receiver<bool>) {
        loop {
            tokio::select! {
                () = self.parts.work.notified() => {}
                _ = stop.wait_for(|stop| *stop) => break,
            }
            bells.iter().for_each(|bell| bell.notify_one());
        }
        bells.iter().for_each(|bell| bell.notify_one());
    }

    /// Records what happened to a job, whatever the database needs to be persuaded: an outcome that is known
    /// must not be lost to a passing fault.
    async fn settle(&self, id: JobId, event: JobEvent) -> Option<Advanced> {
        for attempt in 1..=SETTLE_ATTEMPTS {
            match self.parts.store.advance(id, event.clone()).await {
                Ok(done) => {
                    if let Some(refusal) = done.refusal {
                        tracing::debug!(job = %id, %refusal, "an outcome did not fit the job's state");
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
                        .sleep(backoff::exponential(SETTLE_BASE, attempt))
                        .await;
                }
            }
        }
        // The job's own wake-up time stands in the database: it will be looked up at the provider.
        None
    }

    /// When to ask about `job` again if nothing is heard. Soon, when a callback said how it ended and the provider
    /// does not say so yet.
    fn poll_at(&self, job: &Job) -> jiff::Timestamp {
        let config = self.parts.config.load();
        let base = match job.pending_update {
            Some(_) => config.dispatch.backoff.min(config.dispatch.poll_after),
            None => config.dispatch.poll_after,
        };
        let wait = backoff::exponential(base, job.poll_attempts.saturating_add(1));
        after(self.parts.clock.now(), wait)
    }

    /// Waits for the provider's pace.
    async fn slot(&self) {
        let per_second = self.parts.config.load().phaxio.requests_per_second;
        self.pacer.slot(per_second).await;
    }
}

const SETTLE_ATTEMPTS: u32 = 8;
const SETTLE_BASE: Duration = Duration::from_millis(200);
