//! Crashes, broken networks, clocks that jump: what was promised holds afterwards.

mod clock_jumps;
mod crashes;
mod fax_lifetimes;
mod network_faults;
mod predecessor_faults;
mod shutdown;
mod soak;
