//! Where log lines go: standard error, by a thread of its own.
//!
//! A write to a file or a pipe is a call into the kernel, and each request writes a line. So lines are gathered for a few
//! milliseconds and written together. What is a warning or worse is written before the call that logs it returns, and
//! so is everything when the process ends in order; only a process that is killed takes the last information with it.

use std::io::{self, Write};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

/// How long a line waits for others.
const GATHER: Duration = Duration::from_millis(5);
/// Bytes that wait; whoever logs beyond that writes them out itself, so that a slow reader slows the service down
/// instead of filling its memory.
const MOST: usize = 256 * 1024;

/// Gathers lines for a sink. Clones share it.
#[derive(Clone)]
pub(super) struct Gatherer(Arc<Shared>);

struct Shared {
    waiting: Mutex<Vec<u8>>,
    came: Condvar,
    /// Locked before `waiting`: what was taken first is written first.
    sink: Mutex<Sink>,
}

struct Sink {
    to: Box<dyn Write + Send>,
    /// What is being written; kept for its room.
    lines: Vec<u8>,
}

/// One line on its way.
pub(super) struct Line<'a> {
    to: &'a Shared,
    urgent: bool,
}

static STDERR: OnceLock<Gatherer> = OnceLock::new();

/// Standard error, for the process.
///
/// # Errors
/// When its thread can't be made.
pub(super) fn stderr() -> io::Result<Gatherer> {
    let gatherer = Gatherer::start(Box::new(io::stderr()))?;
    Ok(STDERR.get_or_init(|| gatherer).clone())
}

/// Writes what still waits.
pub(super) fn flush() {
    if let Some(gatherer) = STDERR.get() {
        gatherer.0.write_out();
    }
}

impl Gatherer {
    fn start(to: Box<dyn Write + Send>) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            waiting: Mutex::default(),
            came: Condvar::new(),
            sink: Mutex::new(Sink {
                to,
                lines: Vec::new(),
            }),
        });
        let gatherer = Self(Arc::clone(&shared));
        thread::Builder::new().name("log".to_owned()).spawn(move || {
            loop {
                shared.wait();
                thread::sleep(GATHER);
                shared.write_out();
            }
        })?;
        Ok(gatherer)
    }
}

impl Shared {
    fn wait(&self) {
        let mut waiting = self.waiting.lock();
        while waiting.is_empty() {
            self.came.wait(&mut waiting);
        }
    }

    fn push(&self, line: &[u8]) -> usize {
        let mut waiting = self.waiting.lock();
        if waiting.is_empty() {
            self.came.notify_one();
        }
        waiting.extend_from_slice(line);
        waiting.len()
    }

    fn write_out(&self) {
        let mut sink = self.sink.lock();
        let Sink { to, lines } = &mut *sink;
        lines.clear();
        std::mem::swap(lines, &mut self.waiting.lock());
        // Whoever reads us has gone: there is nobody left to tell.
        let _ = to.write_all(lines).and_then(|()| to.flush());
    }
}

impl Write for Line<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.to.push(line) > MOST || self.urgent {
            self.to.write_out();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Gatherer {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line {
            to: &self.0,
            urgent: true,
        }
    }

    fn make_writer_for(&'a self, metadata: &Metadata<'_>) -> Line<'a> {
        Line {
            to: &self.0,
            urgent: *metadata.level() <= Level::WARN,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Default)]
    struct Paper(Arc<Mutex<Vec<u8>>>);

    impl Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Paper {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().clone()).expect("text")
        }
    }

    fn log(gatherer: &Gatherer, urgent: bool, text: &str) {
        let mut line = Line {
            to: &gatherer.0,
            urgent,
        };
        line.write_all(text.as_bytes()).expect("taken");
    }

    #[test]
    fn lines_come_out_in_order_by_themselves() {
        let paper = Paper::default();
        let gatherer = Gatherer::start(Box::new(paper.clone())).expect("thread");
        let mut all = String::new();
        for number in 0..1000 {
            let line = format!("line {number}\n");
            log(&gatherer, false, &line);
            all.push_str(&line);
        }
        while paper.text().len() < all.len() {
            thread::sleep(Duration::from_millis(1));
        }
        assert_eq!(paper.text(), all);
    }

    #[test]
    fn what_is_urgent_is_out_at_once_and_behind_what_came_before() {
        let paper = Paper::default();
        let gatherer = Gatherer::start(Box::new(paper.clone())).expect("thread");
        log(&gatherer, false, "first\n");
        log(&gatherer, true, "second\n");
        assert_eq!(paper.text(), "first\nsecond\n");
    }

    #[test]
    fn what_waits_is_bounded() {
        let paper = Paper::default();
        let gatherer = Gatherer::start(Box::new(paper.clone())).expect("thread");
        let line = "x".repeat(1024);
        for _ in 0..2 * MOST / 1024 {
            log(&gatherer, false, &line);
            assert!(gatherer.0.waiting.lock().len() <= MOST + line.len());
        }
        assert!(paper.text().len() >= MOST, "written by those who logged");
    }
}
