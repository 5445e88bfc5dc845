//! Where log lines go: standard error, by a thread of its own.
//!
//! A write to a file or a pipe is a call into the kernel, and each request writes a line. So lines are gathered for a few
//! milliseconds and written together. What is a warning or worse is written before the call that logs it returns, and
//! so is everything when the process ends in order; only a process that is killed takes the last information with it.
//!
//! A standard error that nobody reads must not stop the service. Whoever logs waits for a slow reader, but only for
//! [`PATIENCE`]: then lines that find no room are dropped and counted until the reader takes something again.

use std::io::{self, Write};
use std::sync::{Arc, OnceLock};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

use crate::metrics::LOG_LINES_DROPPED;

/// How long a line waits for others.
const GATHER: Duration = Duration::from_millis(5);
/// Bytes that wait to be written.
const CAPACITY: usize = 256 * 1024;
/// How long whoever logs waits for the reader.
const PATIENCE: Duration = Duration::from_millis(250);
/// How long the end of the process waits for the reader.
const PATIENCE_AT_END: Duration = Duration::from_secs(2);

/// Gathers lines for a sink. Clones share it.
#[derive(Clone)]
pub(super) struct BatchWriter {
    shared: Arc<Shared>,
    /// The thread that writes, which must never wait for itself.
    thread: ThreadId,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    /// A line came.
    filled: Condvar,
    /// Lines were written.
    written: Condvar,
}

#[derive(Default)]
struct Queue {
    lines: Vec<u8>,
    /// Bytes that were ever accepted and ever written.
    accepted: u64,
    written: u64,
    /// The reader was waited for in vain and has taken nothing since.
    stalled: bool,
    /// Lines without room since the last report.
    dropped: u64,
}

/// One line on its way.
pub(super) struct Line<'a> {
    to: &'a BatchWriter,
    urgent: bool,
}

static STDERR: OnceLock<BatchWriter> = OnceLock::new();

/// Standard error, for the process.
///
/// # Errors
/// When its thread can't be made.
pub(super) fn stderr() -> io::Result<BatchWriter> {
    let writer = BatchWriter::start(Box::new(io::stderr()))?;
    Ok(STDERR.get_or_init(|| writer).clone())
}

/// Waits until everything is written, or for as long as the end of the process may take.
pub(super) fn flush() {
    if let Some(writer) = STDERR.get() {
        writer.flush(PATIENCE_AT_END);
    }
}

impl BatchWriter {
    fn start(sink: Box<dyn Write + Send>) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let handle = thread::Builder::new().name("log".to_owned()).spawn({
            let shared = Arc::clone(&shared);
            move || shared.write_all(sink)
        })?;
        Ok(Self {
            shared,
            thread: handle.thread().id(),
        })
    }

    /// Takes a line, or drops it when there is no room in time.
    fn push(&self, line: &[u8], urgent: bool) {
        let may_wait = thread::current().id() != self.thread;
        let mut queue = self.shared.queue.lock();
        let deadline = Instant::now() + PATIENCE;
        while queue.lines.len() + line.len() > CAPACITY && !queue.lines.is_empty() {
            if !may_wait || queue.stalled || self.shared.written.wait_until(&mut queue, deadline).timed_out()
            {
                queue.stalled |= may_wait;
                queue.dropped += 1;
                metrics::counter!(LOG_LINES_DROPPED).increment(1);
                return;
            }
        }
        queue.lines.extend_from_slice(line);
        queue.accepted += line.len() as u64;
        self.shared.filled.notify_one();
        if urgent && may_wait {
            let end = queue.accepted;
            while queue.written < end && !queue.stalled {
                if self.shared.written.wait_until(&mut queue, deadline).timed_out() {
                    queue.stalled = true;
                }
            }
        }
    }

    fn flush(&self, patience: Duration) {
        let deadline = Instant::now() + patience;
        let mut queue = self.shared.queue.lock();
        let end = queue.accepted;
        while queue.written < end {
            if self.shared.written.wait_until(&mut queue, deadline).timed_out() {
                return;
            }
        }
    }
}

impl Shared {
    /// Writes what comes, for ever.
    fn write_all(&self, mut sink: Box<dyn Write + Send>) {
        let mut lines = Vec::new();
        loop {
            {
                let mut queue = self.queue.lock();
                while queue.lines.is_empty() {
                    self.filled.wait(&mut queue);
                }
            }
            thread::sleep(GATHER);
            lines.clear();
            std::mem::swap(&mut lines, &mut self.queue.lock().lines);
            // A reader that has gone: nobody is left to report it to.
            drop(sink.write_all(&lines).and_then(|()| sink.flush()));
            let dropped = {
                let mut queue = self.queue.lock();
                queue.written += lines.len() as u64;
                queue.stalled = false;
                std::mem::take(&mut queue.dropped)
            };
            self.written.notify_all();
            if dropped > 0 {
                tracing::warn!(
                    dropped,
                    "log lines were dropped: nobody read standard error in time"
                );
            }
        }
    }
}

impl Write for Line<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.to.push(line, self.urgent);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for BatchWriter {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line {
            to: self,
            urgent: true,
        }
    }

    fn make_writer_for(&'a self, metadata: &Metadata<'_>) -> Line<'a> {
        Line {
            to: self,
            urgent: *metadata.level() <= Level::WARN,
        }
    }
}

#[cfg(test)]
mod tests;
