//! Floor 5: forgetting what is due to be forgotten: documents and idempotency rows, by an index on expiry.
//!
//! A sweep destroys the bytes first and marks the record after: a crash in between leaves something to repeat.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::watch;

use crate::artifacts::{ArtifactError, Artifacts};
use crate::base::clock::Clock;
use crate::config::Config;
use crate::domain::artifact::Artifact;
use crate::domain::status::Happening;
use crate::store::{Expiring, Store, StoreError};
use crate::telemetry::board::Board;
use crate::telemetry::metrics as names;

/// Rows of the index taken at a time.
const BATCH: usize = 256;

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
}

impl Sweeper {
    /// Sweeps at start and then at the configured interval, until `stop` turns true.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        loop {
            let swept = self.sweep().await;
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
            tokio::select! {
                () = self.clock.sleep(interval) => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
        }
    }

    /// Destroys what has expired.
    pub async fn sweep(&self) -> Swept {
        let mut swept = Swept::default();
        let now = self.clock.now();
        loop {
            // What failed stays in the index: read past it.
            let batch = match self.store.expiring(now, BATCH + swept.failed) {
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
            for (_, what) in fresh {
                match self.destroy(&what).await {
                    Ok(()) => swept.destroyed += 1,
                    Err(error) => {
                        swept.failed += 1;
                        tracing::warn!(%error, "something that has expired could not be destroyed yet");
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

    async fn destroy(&self, what: &Expiring) -> Result<(), SweepError> {
        match what {
            Expiring::Job(id) => {
                if let Some(job) = self.store.job(*id)? {
                    self.remove(job.artifact.as_ref()).await?;
                    self.store.advance(*id, Happening::Purged).await?;
                }
            }
            Expiring::Inbound(id) => {
                if let Some(fax) = self.store.inbound(*id)? {
                    self.remove(fax.artifact.as_ref()).await?;
                    self.store.purge_inbound(*id).await?;
                }
            }
            Expiring::Idempotency { who, key } => self.store.drop_idempotency(who, key).await?,
        }
        Ok(())
    }

    async fn remove(&self, artifact: Option<&Artifact>) -> Result<(), ArtifactError> {
        match artifact {
            Some(artifact) if !artifact.is_in_database() => self.artifacts.delete(artifact).await,
            // Bytes in the database go in the commit that marks the record.
            _ => Ok(()),
        }
    }
}
