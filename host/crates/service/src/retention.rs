//! Retention: destroys documents and idempotency rows that are due, by an index on expiry.
//!
//! A sweep destroys the bytes first and marks the record after: a crash in between leaves something to repeat.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use futures_util::{StreamExt, stream};
use tokio::sync::watch;

use faxgate_artifacts::{ArtifactError, Artifacts};
use faxgate_base::clock::Clock;
use faxgate_config::Config;
use faxgate_domain::artifact::{Artifact, Place};
use faxgate_domain::status::JobEvent;
use faxgate_store::{Expiring, Store, StoreError};
use faxgate_telemetry::board::Board;
use faxgate_telemetry::metrics as names;

/// Rows of the index taken at a time.
const BATCH: usize = 256;
/// Documents destroyed side by side: their records share commits.
const SIDE_BY_SIDE: usize = 32;
/// When to try again what could not be destroyed, if the next sweep is not sooner.
const RETRY: Duration = Duration::from_secs(60);
/// Refusals of the bucket in a row after which the rest of a sweep leaves it alone: each costs all its retries.
const PATIENCE: usize = 2 * SIDE_BY_SIDE;

/// The parts a sweep works with.
#[derive(Clone)]
pub struct Sweeper {
    /// Settings in force.
    pub config: Arc<ArcSwap<Config>>,
    /// Time.
    pub clock: Clock,
    /// Records.
    pub store: Store,
    /// Documents.
    pub artifacts: Artifacts,
    /// Where to say that something could not be destroyed.
    pub board: Board,
}

/// What one sweep did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Documents and rows destroyed.
    pub destroyed: usize,
    /// Those that could not be destroyed and are tried again.
    pub failed: usize,
}

#[derive(Debug, thiserror::Error)]
enum SweepError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    #[error("the object storage does not answer: not asked again before the next sweep")]
    Skipped,
}

/// How the bucket does in one sweep.
#[derive(Debug, Default)]
struct Bucket {
    refusals: AtomicUsize,
}

impl Sweeper {
    /// Sweeps at start, then at the configured interval and whenever something has to go at once, until `stop`
    /// turns true. A sweep that is cut short goes on after the next start.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let due = self.store.due_at_once();
        loop {
            let swept = tokio::select! {
                swept = self.sweep() => swept,
                _ = stop.wait_for(|stop| *stop) => return,
            };
            if swept.destroyed > 0 || swept.failed > 0 {
                tracing::info!(
                    destroyed = swept.destroyed,
                    failed = swept.failed,
                    "retention sweep"
                );
            }
            let interval = self
                .config
                .load()
                .retention
                .cleanup_interval
                .max(Duration::from_secs(1));
            let pause = match swept.failed {
                0 => interval,
                _ => interval.min(RETRY),
            };
            tokio::select! {
                () = self.clock.sleep(pause) => {}
                () = due.notified() => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
        }
    }

    /// Destroys what has expired.
    pub async fn sweep(&self) -> Swept {
        let mut swept = Swept::default();
        let bucket = Bucket::default();
        let now = self.clock.now();
        self.follow_inbound_setting().await;
        loop {
            // What failed stays in the index: read past it.
            let batch = match self.store.expiring(now, BATCH + swept.failed).await {
                Ok(batch) => batch,
                Err(error) => {
                    tracing::error!(%error, "the expiry index can't be read");
                    return swept;
                }
            };
            let fresh: Vec<_> = batch.into_iter().skip(swept.failed).collect();
            if fresh.is_empty() {
                break;
            }
            let bucket = &bucket;
            let mut done = stream::iter(fresh)
                .map(|(_, what)| async move { self.destroy(&what, bucket).await })
                .buffer_unordered(SIDE_BY_SIDE);
            while let Some(result) = done.next().await {
                match result {
                    Ok(()) => swept.destroyed += 1,
                    Err(error) => {
                        swept.failed += 1;
                        if !matches!(error, SweepError::Skipped) {
                            tracing::warn!(%error, "something that has expired could not be destroyed yet");
                        }
                    }
                }
            }
        }
        metrics::counter!(names::PURGED, "outcome" => "ok").increment(swept.destroyed as u64);
        metrics::counter!(names::PURGED, "outcome" => "failed").increment(swept.failed as u64);
        if swept.failed == 0 {
            self.board.good("retention");
        } else {
            self.board.bad(
                "retention",
                format!("{} expired documents could not be destroyed yet", swept.failed),
            );
        }
        swept
    }

    /// A setting that was shortened holds for the received documents that are here.
    async fn follow_inbound_setting(&self) {
        let ttl = self.config.load().retention.inbound;
        match self.store.apply_inbound_retention(ttl).await {
            Ok(0) => {}
            Ok(changed) => tracing::info!(changed, "received documents follow the changed retention setting"),
            Err(error) => {
                tracing::error!(%error, "the retention setting of received documents could not be applied")
            }
        }
    }

    async fn destroy(&self, what: &Expiring, bucket: &Bucket) -> Result<(), SweepError> {
        match what {
            Expiring::Job(id) => {
                if let Some(job) = self.store.job(*id).await? {
                    self.remove(job.artifact.as_ref(), bucket).await?;
                    self.store.advance(*id, JobEvent::Purged).await?;
                }
            }
            Expiring::Inbound(id) => {
                if let Some(fax) = self.store.inbound(*id).await? {
                    self.remove(fax.artifact.as_ref(), bucket).await?;
                    self.store.purge_inbound(*id).await?;
                }
            }
            Expiring::Idempotency { who, key } => self.store.drop_idempotency(who, key).await?,
        }
        Ok(())
    }

    async fn remove(&self, artifact: Option<&Artifact>, bucket: &Bucket) -> Result<(), SweepError> {
        match artifact.map(|artifact| (artifact, &artifact.place)) {
            // Bytes in the database go in the commit that marks the record.
            None | Some((_, Place::Database)) => Ok(()),
            Some((artifact, Place::Local(_))) => Ok(self.artifacts.delete(artifact).await?),
            Some((artifact, Place::S3(_))) => {
                if bucket.refusals.load(Ordering::Relaxed) >= PATIENCE {
                    return Err(SweepError::Skipped);
                }
                let deleted = self.artifacts.delete(artifact).await;
                match deleted {
                    Ok(()) => bucket.refusals.store(0, Ordering::Relaxed),
                    Err(_) => _ = bucket.refusals.fetch_add(1, Ordering::Relaxed),
                }
                Ok(deleted?)
            }
        }
    }
}
