//! The worker of one queue: takes due jobs in order of time, never two for one destination at once.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};
use tokio_util::task::TaskTracker;

use super::circuit_breaker::Permit;
use super::{Dispatcher, clock_skew, follow_up, submit};
use faxgate_base::clock::after;
use faxgate_domain::ids::JobId;
use faxgate_domain::job::{Job, Queue};

/// Jobs read from the queue at a time.
const BATCH: usize = 64;
/// Jobs looked at to find one whose destination is free.
const LOOK_AHEAD: usize = 1024;
/// Longest sleep without reading the queue: a missed wake-up costs no more.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);
/// The same while the wall clock has to catch up.
const CLOCK_SKEW_POLL: Duration = Duration::from_secs(1);

/// The jobs that are being worked on, in both queues: the wake-up time of such a job does not count.
#[derive(Debug, Default)]
pub(super) struct InFlight(Mutex<Busy>);

#[derive(Debug, Default)]
struct Busy {
    jobs: HashSet<JobId>,
    /// Numbers that a request is being made for.
    destinations: HashSet<String>,
}

/// A job that is being worked on; released on drop.
struct JobLease {
    job: Job,
    queue: Queue,
    in_flight: Arc<InFlight>,
    work: Arc<Notify>,
    /// The permission of the circuit breaker, for a job that is sent.
    permit: Option<Permit>,
    _slot: OwnedSemaphorePermit,
}

/// Works on one queue until `stop` turns true, then waits for the jobs that are being worked on.
pub(super) async fn run(
    dispatcher: &Dispatcher,
    queue: Queue,
    wakeup: &Arc<Notify>,
    mut stop: watch::Receiver<bool>,
) {
    let slots = Arc::new(Semaphore::new(
        dispatcher.parts.config.load().dispatch.concurrency.max(1),
    ));
    let tasks = TaskTracker::new();
    loop {
        let next = async {
            let Ok(slot) = Arc::clone(&slots).acquire_owned().await else {
                return None;
            };
            next_job(dispatcher, queue, wakeup, slot).await
        };
        let lease = tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => break,
            next = next => next,
        };
        if let Some(lease) = lease {
            let dispatcher = dispatcher.clone();
            tasks.spawn(async move {
                match queue {
                    Queue::Dispatch => submit::submit(&dispatcher, &lease.job).await,
                    Queue::Follow => follow_up::follow_up(&dispatcher, &lease.job).await,
                }
                // Dropped also when that panicked: the job is released, and the next request may probe.
                drop(lease);
            });
        }
    }
    tasks.close();
    tasks.wait().await;
}

/// Waits for a job that is due and may be worked on.
async fn next_job(
    dispatcher: &Dispatcher,
    queue: Queue,
    wakeup: &Arc<Notify>,
    slot: OwnedSemaphorePermit,
) -> Option<JobLease> {
    loop {
        // Subscribe before reading the queue, or a job that arrives in between is missed.
        let woken = wakeup.notified();
        tokio::pin!(woken);
        woken.as_mut().enable();
        let now = dispatcher.parts.clock.now();
        let wait_until = match acquire_permit(dispatcher, queue) {
            Err(span) => after(now, span),
            Ok(permit) => match find(dispatcher, queue).await {
                Ok(Found::Job(job)) => {
                    return Some(JobLease {
                        job: *job,
                        queue,
                        in_flight: Arc::clone(&dispatcher.in_flight),
                        work: Arc::clone(&dispatcher.parts.work),
                        permit,
                        _slot: slot,
                    });
                }
                Ok(Found::NothingUntil(until)) => until,
                Err(error) => {
                    tracing::error!(%error, "the queue can't be read");
                    after(now, Duration::from_secs(1))
                }
            },
        };
        let wait_until = wait_until.min(after(now, LONGEST_SLEEP));
        tokio::select! {
            () = woken => {}
            () = dispatcher.parts.clock.doze_until(wait_until) => {}
        }
    }
}

/// Only requests to send need a permission of the circuit breaker: look-ups are always allowed.
fn acquire_permit(dispatcher: &Dispatcher, queue: Queue) -> Result<Option<Permit>, Duration> {
    match queue {
        Queue::Dispatch => dispatcher.breaker.try_acquire().map(Some),
        Queue::Follow => Ok(None),
    }
}

enum Found {
    Job(Box<Job>),
    NothingUntil(Timestamp),
}

/// The first due job of the queue that is not being worked on and whose destination is free.
async fn find(dispatcher: &Dispatcher, queue: Queue) -> Result<Found, faxgate_store::StoreError> {
    let store = &dispatcher.parts.store;
    let (now, lead) = dispatcher.clock_skew.now(&dispatcher.parts.clock);
    let mut position = None;
    let mut seen = 0;
    while seen < LOOK_AHEAD {
        let batch = store.waiting(queue, after(now, lead), position, BATCH).await?;
        let Some(last) = batch.last() else { break };
        position = Some(*last);
        seen += batch.len();
        for (_, id) in &batch {
            if dispatcher.in_flight.holds(*id) {
                continue;
            }
            let Some(job) = store.job(*id).await? else {
                continue;
            };
            // The job may have changed since the queue was read.
            let due = job
                .queue_entry()
                .is_some_and(|(of, at)| of == queue && clock_skew::is_due(&job, at, now, lead));
            if due && dispatcher.in_flight.take(&job, queue) {
                return Ok(Found::Job(Box::new(job)));
            }
        }
    }
    if !lead.is_zero() {
        return Ok(Found::NothingUntil(after(now, CLOCK_SKEW_POLL)));
    }
    // A released job wakes this worker. Otherwise the next job that is due later decides, except after a full
    // look-ahead: then the next one is due as well and only a released job helps.
    let later = if seen < LOOK_AHEAD {
        store
            .waiting(queue, Timestamp::MAX, position, 1)
            .await?
            .first()
            .map(|(at, _)| *at)
    } else {
        None
    };
    Ok(Found::NothingUntil(later.unwrap_or(Timestamp::MAX)))
}

impl InFlight {
    fn holds(&self, id: JobId) -> bool {
        self.0.lock().jobs.contains(&id)
    }

    /// Takes `job`, unless it is being worked on or a request is being made for its destination.
    fn take(&self, job: &Job, queue: Queue) -> bool {
        let mut busy = self.0.lock();
        if busy.jobs.contains(&job.id) {
            return false;
        }
        if queue == Queue::Dispatch && !busy.destinations.insert(job.to.as_str().to_owned()) {
            return false;
        }
        busy.jobs.insert(job.id)
    }
}

impl Drop for JobLease {
    fn drop(&mut self) {
        // The next request may have been waiting for the outcome of this one.
        drop(self.permit.take());
        let mut busy = self.in_flight.0.lock();
        busy.jobs.remove(&self.job.id);
        if self.queue == Queue::Dispatch {
            busy.destinations.remove(self.job.to.as_str());
        }
        drop(busy);
        self.work.notify_one();
    }
}
