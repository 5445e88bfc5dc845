//! Limits how many connections and requests there may be: in all, and from one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::request::client::limit_key;

/// Permits for connections or requests.
#[derive(Debug)]
pub struct Admission {
    all: Arc<Semaphore>,
    most: usize,
    per_address: usize,
    held: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// Admits one request among all that are in flight; given back on drop.
#[derive(Debug)]
pub struct Permit {
    _permit: OwnedSemaphorePermit,
    _slot: Option<AddressSlot>,
}

/// One of the permits that an address may hold; given back on drop.
#[derive(Debug)]
pub(crate) struct AddressSlot {
    address: IpAddr,
    held: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl Admission {
    /// At most `all` permits, of which one address may hold `per_address`.
    #[must_use]
    pub fn new(all: usize, per_address: usize) -> Self {
        let most = all.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            all: Arc::new(Semaphore::new(most)),
            most,
            per_address: per_address.max(1),
            held: Arc::default(),
        }
    }

    /// How many permits are in use.
    pub(crate) fn in_use(&self) -> usize {
        self.most.saturating_sub(self.all.available_permits())
    }

    /// Waits for a permit for one more connection; taken before the connection is accepted, so that those beyond the
    /// limit wait in the kernel and cost no memory.
    pub(crate) async fn wait(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.all).acquire_owned().await.ok()
    }

    /// A slot of `address`; none when it holds as many as it may.
    pub(crate) fn address_slot(&self, address: IpAddr) -> Option<AddressSlot> {
        let address = limit_key(address);
        let mut held = self.held.lock();
        let count = held.entry(address).or_default();
        if *count >= self.per_address {
            return None;
        }
        *count += 1;
        Some(AddressSlot {
            address,
            held: Arc::clone(&self.held),
        })
    }

    /// A permit for a request, at once or not at all. `address` is none for those whose share is not limited.
    #[must_use]
    pub fn try_permit(&self, address: Option<IpAddr>) -> Option<Permit> {
        let permit = Arc::clone(&self.all).try_acquire_owned().ok()?;
        let slot = match address {
            Some(address) => Some(self.address_slot(address)?),
            None => None,
        };
        Some(Permit {
            _permit: permit,
            _slot: slot,
        })
    }
}

impl Drop for AddressSlot {
    fn drop(&mut self) {
        let mut held = self.held.lock();
        if let Some(count) = held.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                held.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests;
