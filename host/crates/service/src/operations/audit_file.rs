//! The audit log as JSON lines in a file, for collectors that read files. The chained log in the database stays
//! the one that counts; the file follows it and catches up after a restart.

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::watch;

use faxgate_base::clock::Clock;
use faxgate_domain::audit::AuditRecord;
use faxgate_store::Store;

/// How far behind the file may be.
const INTERVAL: Duration = Duration::from_secs(1);
/// Records written at a time.
const BATCH: usize = 500;

/// Follows the audit log into a file.
#[derive(Clone)]
pub struct AuditFile {
    file: PathBuf,
    store: Store,
    clock: Clock,
}

impl AuditFile {
    /// A follower that has not begun.
    #[must_use]
    pub const fn new(file: PathBuf, store: Store, clock: Clock) -> Self {
        Self { file, store, clock }
    }

    /// Writes what is new until `stop` turns true, and then what is left.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut told = false;
        // Read from the file once; from then on it is known what it holds.
        let mut written = None;
        loop {
            let last = *stop.borrow();
            match self.catch_up(written).await {
                Ok(position) => (written, told) = (Some(position), false),
                Err(error) => {
                    written = None;
                    if !std::mem::replace(&mut told, true) {
                        tracing::error!(%error, "the audit file can't be written; the log in the database goes on");
                    }
                }
            }
            if last {
                return;
            }
            tokio::select! {
                () = self.clock.sleep(INTERVAL) => {}
                _ = stop.wait_for(|stop| *stop) => {}
            }
        }
    }

    /// Writes what comes after `written` (0 for the beginning, none to find out); the number of the last record.
    async fn catch_up(&self, written: Option<u64>) -> io::Result<u64> {
        let mut written = match written {
            Some(written) => written,
            None => self.blocking(Self::last_written).await?,
        };
        loop {
            let after = (written > 0).then_some(written);
            let records = self.store.audit(after, BATCH).await.map_err(io::Error::other)?;
            let Some(last) = records.last().map(|record| record.seq) else {
                return Ok(written);
            };
            let mut lines = Vec::new();
            for record in &records {
                serde_json::to_writer(&mut lines, record)?;
                lines.push(b'\n');
            }
            self.blocking(move |follower| follower.append(&lines)).await?;
            written = last;
        }
    }

    fn append(&self, lines: &[u8]) -> io::Result<()> {
        let mut file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&self.file)?;
        file.write_all(lines)
    }

    /// Runs file system work off the async threads.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let follower = self.clone();
        tokio::task::spawn_blocking(move || work(&follower))
            .await
            .map_err(io::Error::other)?
    }

    /// The number of the last whole line. A line that a crash cut short is ended, so that the next one is whole.
    fn last_written(&self) -> io::Result<u64> {
        let file = match std::fs::File::open(&self.file) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
            Err(error) => return Err(error),
        };
        let mut last = 0;
        let mut whole = true;
        let mut reader = BufReader::new(file);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line)? > 0 {
            whole = line.ends_with(b"\n");
            if let Ok(record) = serde_json::from_slice::<AuditRecord>(&line) {
                last = record.seq;
            }
            line.clear();
        }
        if !whole {
            std::fs::OpenOptions::new()
                .append(true)
                .open(&self.file)?
                .write_all(b"\n")?;
        }
        Ok(last)
    }
}
