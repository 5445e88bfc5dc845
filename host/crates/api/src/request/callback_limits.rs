//! Limits of callbacks, which anybody may post: bodies that are read at the same time, callbacks that are judged at the
//! same time, and refused ones per address.

use std::net::IpAddr;
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::problem::Problem;
use faxgate_domain::code::Code;
use faxgate_edge::ratelimit::{Limiter, WINDOW};
use faxgate_edge::{Admission, Permit, limit_key};

/// Callbacks in work at the same time, waiting ones included.
const MAX_IN_WORK: usize = 64;
/// Of these, the callbacks of one address.
const MAX_OF_ADDRESS: usize = 16;
/// Callbacks that are parsed and judged at the same time; the others wait in order of arrival.
const MAX_JUDGED: usize = 4;
/// Refused callbacks of one address in a minute, before further ones are refused unread.
const REFUSED_PER_MINUTE: u32 = 240;
/// `Retry-After` when an address has too many callbacks in work.
const RETRY: Duration = Duration::from_secs(2);

/// The limits.
#[derive(Debug)]
pub(crate) struct CallbackLimits {
    in_work: Admission,
    judged: Semaphore,
    refused: Limiter<IpAddr>,
}

impl Default for CallbackLimits {
    fn default() -> Self {
        Self {
            in_work: Admission::new(MAX_IN_WORK, MAX_OF_ADDRESS),
            judged: Semaphore::new(MAX_JUDGED),
            refused: Limiter::new(REFUSED_PER_MINUTE),
        }
    }
}

impl CallbackLimits {
    /// A permit for one more callback of this address.
    ///
    /// # Errors
    /// 429 when the address has too many in work or was refused too often.
    pub(crate) fn admit(&self, address: IpAddr) -> Result<Permit, Problem> {
        if !self.refused.would_allow(&limit_key(address), None) {
            return Err(too_many(
                "too many callbacks of this address were refused: check the callback token, and wait a minute",
                WINDOW / REFUSED_PER_MINUTE,
            ));
        }
        self.in_work.try_permit(Some(address)).ok_or_else(|| {
            too_many(
                "too many callbacks of this address are in work: deliver it again a little later",
                RETRY,
            )
        })
    }

    /// Waits for the turn to be judged.
    pub(crate) async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        self.judged.acquire().await.ok()
    }

    /// Counts a refused callback.
    pub(crate) fn count_refused(&self, address: IpAddr) {
        self.refused.check(&limit_key(address), None);
    }
}

fn too_many(detail: &'static str, wait: Duration) -> Problem {
    Problem::new(Code::RateLimited, detail).retry_after(Some(wait))
}

#[cfg(test)]
mod tests;
