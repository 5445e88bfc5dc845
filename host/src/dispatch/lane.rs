//! One lane: takes what is due, in order of time, never two jobs of one destination at once.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};
use tokio_util::task::TaskTracker;

use super::{Dispatcher, follow, submit};
use crate::base::clock::after;
use crate::domain::ids::JobId;
use crate::domain::job::{Job, Lane};

/// Jobs read from the queue at a time.
const BATCH: usize = 64;
/// Jobs looked at to find one whose destination is free.
const LOOK_AHEAD: usize = 1024;
/// Longest sleep without a look: no wake-up call is relied upon alone.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);

/// What a lane is busy with.
#[derive(Debug, Default)]
struct Busy {
    jobs: HashSet<JobId>,
    destinations: HashSet<String>,
}

/// A job in hand; given back on drop.
struct InHand {
    job: Job,
    busy: Arc<Mutex<Busy>>,
    bell: Arc<Notify>,
    _permit: OwnedSemaphorePermit,
}

/// Works on one lane until told to stop, then waits for what is under way.
pub(super) async fn run(
    dispatcher: &Dispatcher,
    lane: Lane,
    bell: &Arc<Notify>,
    mut stop: watch::Receiver<bool>,
) {
    let busy = Arc::new(Mutex::new(Busy::default()));
    let permits = Arc::new(Semaphore::new(
        dispatcher.parts.config.load().dispatch.concurrency.max(1),
    ));
    let tasks = TaskTracker::new();
    loop {
        let next = async {
            let Ok(permit) = Arc::clone(&permits).acquire_owned().await else {
                return None;
            };
            next_job(dispatcher, lane, bell, &busy, permit).await
        };
        let in_hand = tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => break,
            next = next => next,
        };
        if let Some(in_hand) = in_hand {
            let dispatcher = dispatcher.clone();
            tasks.spawn(async move {
                match lane {
                    Lane::Dispatch => submit::submit(&dispatcher, &in_hand.job).await,
                    Lane::Follow => follow::follow(&dispatcher, &in_hand.job).await,
                }
                drop(in_hand);
            });
        }
    }
    tasks.close();
    tasks.wait().await;
}

/// Waits for a job that is due, may be worked on, and has a slot of the provider's pace.
async fn next_job(
    dispatcher: &Dispatcher,
    lane: Lane,
    bell: &Arc<Notify>,
    busy: &Arc<Mutex<Busy>>,
    permit: OwnedSemaphorePermit,
) -> Option<InHand> {
    loop {
        // Ask to be woken before looking, or a job that arrives in between is missed.
        let woken = bell.notified();
        tokio::pin!(woken);
        woken.as_mut().enable();
        let now = dispatcher.parts.clock.now();
        let entrance = if lane == Lane::Dispatch {
            dispatcher.gate.enter(now)
        } else {
            Ok(())
        };
        let wait_until = match entrance {
            Err(until) => until,
            Ok(()) => match find(dispatcher, lane, busy, now) {
                Ok(Found::Job(job)) => {
                    return Some(InHand {
                        job: *job,
                        busy: Arc::clone(busy),
                        bell: Arc::clone(bell),
                        _permit: permit,
                    });
                }
                Ok(Found::NothingUntil(until)) => {
                    dispatcher.gate.leave();
                    until
                }
                Err(error) => {
                    dispatcher.gate.leave();
                    tracing::error!(%error, "the queue can't be read");
                    after(now, Duration::from_secs(1))
                }
            },
        };
        let wait_until = wait_until.min(after(now, LONGEST_SLEEP));
        tokio::select! {
            () = woken => {}
            () = dispatcher.parts.clock.sleep_until(wait_until) => {}
        }
    }
}

enum Found {
    Job(Box<Job>),
    NothingUntil(Timestamp),
}

/// The first job of the queue that nobody works on and whose destination is free.
fn find(
    dispatcher: &Dispatcher,
    lane: Lane,
    busy: &Mutex<Busy>,
    now: Timestamp,
) -> Result<Found, crate::store::StoreError> {
    let store = &dispatcher.parts.store;
    let mut position = None;
    let mut seen = 0;
    while seen < LOOK_AHEAD {
        let batch = store.waiting(lane, now, position, BATCH)?;
        let Some(last) = batch.last() else { break };
        position = Some(*last);
        seen += batch.len();
        for (_, id) in &batch {
            if busy.lock().jobs.contains(id) {
                continue;
            }
            let Some(job) = store.job(*id)? else { continue };
            // The snapshot of the queue may be older than the job.
            if job.waits().is_none_or(|(where_, at)| where_ != lane || at > now) {
                continue;
            }
            let mut busy = busy.lock();
            if lane == Lane::Dispatch && !busy.destinations.insert(job.to.as_str().to_owned()) {
                continue;
            }
            busy.jobs.insert(job.id);
            return Ok(Found::Job(Box::new(job)));
        }
    }
    // Whoever is busy rings when done. What is due later has its time, also behind those that are busy; past a
    // full look-ahead the next one is due as well, and only the bell helps.
    let later = if seen < LOOK_AHEAD {
        store
            .waiting(lane, Timestamp::MAX, position, 1)?
            .first()
            .map(|(at, _)| *at)
    } else {
        None
    };
    Ok(Found::NothingUntil(later.unwrap_or(Timestamp::MAX)))
}

impl Drop for InHand {
    fn drop(&mut self) {
        let mut busy = self.busy.lock();
        busy.jobs.remove(&self.job.id);
        busy.destinations.remove(self.job.to.as_str());
        drop(busy);
        self.bell.notify_one();
    }
}
