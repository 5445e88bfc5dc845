//! Time on the processor, which does not pass while others are served, and how threads share it.

use std::time::Duration;

/// Processor time that the calling thread has had so far. Differences between two readings on one thread mean
/// something, a single one doesn't. Where the system does not tell, it is time on the wall.
#[must_use]
pub fn thread_time() -> Duration {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        let mut time = libc::timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        // SAFETY: clock_gettime writes one timespec, which is ours and lives as long as the call.
        let answer = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
        if answer == 0 {
            let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
            let nanos = u32::try_from(time.tv_nsec).unwrap_or(0);
            return Duration::new(seconds, nanos);
        }
    }
    wall()
}

/// How many steps of niceness the threads in the background are below those that serve requests: each of them gets
/// about a tenth of what one of those gets when there is not enough for all.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;
/// How long the kernel lets a thread in the background run on when one that serves requests wakes up, in nanoseconds;
/// the least there is. The kernel's own choice is some milliseconds, which a short request notices.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const SLICE: u64 = 100_000;

/// Lets the calling thread step back behind all others of this process. Where the system can't do that, nothing happens:
/// on Linux niceness belongs to a thread, elsewhere to the process, and slices can be asked for since Linux 6.12.
pub fn step_back() {
    #[cfg(target_os = "linux")]
    // A thread may always be nicer; a refusal leaves it as it was.
    let _ = rustix::process::nice(NICENESS);
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        let wanted = libc::sched_attr {
            size: size_of::<libc::sched_attr>() as u32,
            sched_policy: libc::SCHED_OTHER as u32,
            sched_flags: 0,
            sched_nice: NICENESS,
            sched_priority: 0,
            sched_runtime: SLICE,
            sched_deadline: 0,
            sched_period: 0,
        };
        // SAFETY: sched_setattr(2) reads one structure of the size that it names, ours, and changes how the calling
        // thread (0) is scheduled, nothing else. Kernels that know no slices of ordinary threads ignore the wish.
        let _ = unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const wanted, 0) };
    }
}

/// Time since the first call.
fn wall() -> Duration {
    use std::sync::OnceLock;
    use std::time::Instant;
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_passes_while_work_is_done() {
        let before = thread_time();
        let mut sum = 0_u64;
        while thread_time() == before {
            sum = std::hint::black_box(sum.wrapping_mul(31).wrapping_add(7));
        }
        assert!(thread_time() > before);
    }
}
