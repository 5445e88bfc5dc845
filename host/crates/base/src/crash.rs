//! Where a test lets the process die, to see that what was promised holds afterwards.
//!
//! Only in builds with debug assertions: a release has nothing of this but empty functions.

use std::fmt::Display;

/// Names the point at which the process dies, and the folder that remembers for whom it did: once each.
#[cfg(debug_assertions)]
const VARIABLES: (&str, &str) = ("FAXGATE_TEST_DIE_AT", "FAXGATE_TEST_DIED");

/// Ends the process as `kill -9` does when the test asks for it here, the first time that `subject` gets here.
#[cfg(debug_assertions)]
pub fn point(name: &str, subject: impl Display) {
    let Some(wanted) = std::env::var_os(VARIABLES.0).filter(|wanted| *wanted == *name) else {
        return;
    };
    let Some(folder) = std::env::var_os(VARIABLES.1) else {
        return;
    };
    let mark = std::path::Path::new(&folder).join(format!("{}-{subject}", wanted.to_string_lossy()));
    // Whoever makes the mark dies; the next time it is there already.
    if std::fs::File::create_new(mark).is_ok() {
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        loop {
            std::thread::park();
        }
    }
}

/// Does nothing.
#[cfg(not(debug_assertions))]
#[inline]
pub fn point(_: &str, _: impl Display) {}
