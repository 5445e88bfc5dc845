//! Ports that stay the same across restarts of a program and that no other test takes meanwhile.

use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

/// Below the range from which the system hands out ports by itself.
const FIRST: u16 = 12_000;
const SPAN: u16 = 20_000;

static NEXT: AtomicU16 = AtomicU16::new(0);

/// A free port of 127.0.0.1. Test programs that run side by side begin at different places.
pub fn reserve() -> SocketAddr {
    let begin = u16::try_from(std::process::id() * 61 % u32::from(SPAN)).expect("in range");
    for _ in 0..SPAN {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = FIRST + (begin + step % SPAN) % SPAN;
        let addr = SocketAddr::from(([127, 0, 0, 1], port));
        if TcpListener::bind(addr).is_ok() {
            return addr;
        }
    }
    panic!("no port of {SPAN} is free");
}
