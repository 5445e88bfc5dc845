//! One lane: takes what is due, in order of time, never two jobs of one destination at once.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};
use tokio_util::task::TaskTracker;

use super::gate::Entrance;
use super::{Dispatcher, follow, setback, submit};
use faxgate_base::clock::after;
use faxgate_domain::ids::JobId;
use faxgate_domain::job::{Job, Queue};

/// Jobs read from the queue at a time.
const BATCH: usize = 64;
/// Jobs looked at to find one whose destination is free.
const LOOK_AHEAD: usize = 1024;
/// Longest sleep without a look: no wake-up call is relied upon alone.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);
/// The same while the wall clock has to catch up.
const SETBACK_LOOK: Duration = Duration::from_secs(1);

/// What is being worked on, in both lanes: a job whose request is under way is not one that was left lying, whatever
/// the clock says.
#[derive(Debug, Default)]
pub(super) struct Hands(Mutex<Busy>);

#[derive(Debug, Default)]
struct Busy {
    jobs: HashSet<JobId>,
    /// Those that something is being sent to.
    destinations: HashSet<String>,
}

/// A job in hand; given back on drop.
struct InHand {
    job: Job,
    lane: Queue,
    hands: Arc<Hands>,
    work: Arc<Notify>,
    /// The permission to send, for the one lane.
    entrance: Option<Entrance>,
    _permit: OwnedSemaphorePermit,
}

/// Works on one lane until told to stop, then waits for what is under way.
pub(super) async fn run(
    dispatcher: &Dispatcher,
    lane: Queue,
    bell: &Arc<Notify>,
    mut stop: watch::Receiver<bool>,
) {
    let permits = Arc::new(Semaphore::new(
        dispatcher.parts.config.load().dispatch.concurrency.max(1),
    ));
    let tasks = TaskTracker::new();
    loop {
        let next = async {
            let Ok(permit) = Arc::clone(&permits).acquire_owned().await else {
                return None;
            };
            next_job(dispatcher, lane, bell, permit).await
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
                    Queue::Dispatch => submit::submit(&dispatcher, &in_hand.job).await,
                    Queue::Follow => follow::follow(&dispatcher, &in_hand.job).await,
                }
                // Also when that panicked: nothing stays in hand, and the next request may probe.
                drop(in_hand);
            });
        }
    }
    tasks.close();
    tasks.wait().await;
}

/// Waits for a job that is due and may be worked on.
async fn next_job(
    dispatcher: &Dispatcher,
    lane: Queue,
    bell: &Arc<Notify>,
    permit: OwnedSemaphorePermit,
) -> Option<InHand> {
    loop {
        // Ask to be woken before looking, or a job that arrives in between is missed.
        let woken = bell.notified();
        tokio::pin!(woken);
        woken.as_mut().enable();
        let now = dispatcher.parts.clock.now();
        let wait_until = match entrance(dispatcher, lane) {
            Err(span) => after(now, span),
            Ok(entrance) => match find(dispatcher, lane).await {
                Ok(Found::Job(job)) => {
                    return Some(InHand {
                        job: *job,
                        lane,
                        hands: Arc::clone(&dispatcher.hands),
                        work: Arc::clone(&dispatcher.parts.work),
                        entrance,
                        _permit: permit,
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

/// Only what is sent has to pass the gate: questions may always be asked.
fn entrance(dispatcher: &Dispatcher, lane: Queue) -> Result<Option<Entrance>, Duration> {
    match lane {
        Queue::Dispatch => dispatcher.gate.enter().map(Some),
        Queue::Follow => Ok(None),
    }
}

enum Found {
    Job(Box<Job>),
    NothingUntil(Timestamp),
}

/// The first job of the queue that nobody works on and whose destination is free.
async fn find(dispatcher: &Dispatcher, lane: Queue) -> Result<Found, faxgate_store::StoreError> {
    let store = &dispatcher.parts.store;
    let (now, lead) = dispatcher.setback.now(&dispatcher.parts.clock);
    let mut position = None;
    let mut seen = 0;
    while seen < LOOK_AHEAD {
        let batch = store.waiting(lane, after(now, lead), position, BATCH).await?;
        let Some(last) = batch.last() else { break };
        position = Some(*last);
        seen += batch.len();
        for (_, id) in &batch {
            if dispatcher.hands.holds(*id) {
                continue;
            }
            let Some(job) = store.job(*id).await? else {
                continue;
            };
            // The snapshot of the queue may be older than the job.
            let due = job
                .queue_entry()
                .is_some_and(|(where_, at)| where_ == lane && setback::is_due(&job, at, now, lead));
            if due && dispatcher.hands.take(&job, lane) {
                return Ok(Found::Job(Box::new(job)));
            }
        }
    }
    if !lead.is_zero() {
        return Ok(Found::NothingUntil(after(now, SETBACK_LOOK)));
    }
    // Whoever is busy rings when done. What is due later has its time, also behind those that are busy; past a
    // full look-ahead the next one is due as well, and only the bell helps.
    let later = if seen < LOOK_AHEAD {
        store
            .waiting(lane, Timestamp::MAX, position, 1)
            .await?
            .first()
            .map(|(at, _)| *at)
    } else {
        None
    };
    Ok(Found::NothingUntil(later.unwrap_or(Timestamp::MAX)))
}

impl Hands {
    fn holds(&self, id: JobId) -> bool {
        self.0.lock().jobs.contains(&id)
    }

    /// Takes `job` in hand, unless somebody has it or sends to its destination.
    fn take(&self, job: &Job, lane: Queue) -> bool {
        let mut busy = self.0.lock();
        if busy.jobs.contains(&job.id) {
            return false;
        }
        if lane == Queue::Dispatch && !busy.destinations.insert(job.to.as_str().to_owned()) {
            return false;
        }
        busy.jobs.insert(job.id)
    }
}

impl Drop for InHand {
    fn drop(&mut self) {
        // The next one may have been waiting for what became of this.
        drop(self.entrance.take());
        let mut busy = self.hands.0.lock();
        busy.jobs.remove(&self.job.id);
        if self.lane == Queue::Dispatch {
            busy.destinations.remove(self.job.to.as_str());
        }
        drop(busy);
        self.work.notify_one();
    }
}
