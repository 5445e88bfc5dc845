//! How many connections and requests there may be: in all, and from one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::client::limit_key;

/// Permits for connections.
#[derive(Debug)]
pub(super) struct Admission {
    all: Arc<Semaphore>,
    most: usize,
    per_address: usize,
    taken: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// The place of one request among all that are being answered; given back on drop.
#[derive(Debug)]
pub(super) struct Place {
    _permit: OwnedSemaphorePermit,
    _slot: Option<Slot>,
}

/// A connection's place; given back on drop.
#[derive(Debug)]
pub(super) struct Slot {
    address: IpAddr,
    taken: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl Admission {
    /// At most `all` connections, of which one address may hold `per_address`.
    pub(super) fn new(all: usize, per_address: usize) -> Self {
        let most = all.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            all: Arc::new(Semaphore::new(most)),
            most,
            per_address: per_address.max(1),
            taken: Arc::default(),
        }
    }

    /// How many places are taken.
    pub(super) fn in_use(&self) -> usize {
        self.most.saturating_sub(self.all.available_permits())
    }

    /// Waits for room for one more connection; taken before the connection is accepted, so that those beyond
    /// wait in the kernel and cost us nothing.
    pub(super) async fn permit(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.all).acquire_owned().await.ok()
    }

    /// A place for a connection from `address`; none when it holds as many as it may.
    pub(super) fn slot(&self, address: IpAddr) -> Option<Slot> {
        let address = limit_key(address);
        let mut taken = self.taken.lock();
        let held = taken.entry(address).or_default();
        if *held >= self.per_address {
            return None;
        }
        *held += 1;
        Some(Slot {
            address,
            taken: Arc::clone(&self.taken),
        })
    }
}

impl Admission {
    /// A place for a request, at once or not at all. `address` is none for those whose share is not limited.
    pub(super) fn place(&self, address: Option<IpAddr>) -> Option<Place> {
        let permit = Arc::clone(&self.all).try_acquire_owned().ok()?;
        let slot = match address {
            Some(address) => Some(self.slot(address)?),
            None => None,
        };
        Some(Place {
            _permit: permit,
            _slot: slot,
        })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut taken = self.taken.lock();
        if let Some(held) = taken.get_mut(&self.address) {
            *held -= 1;
            if *held == 0 {
                taken.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_holds_so_many_and_no_more() {
        let admission = Admission::new(10, 2);
        let slot = |text: &str| admission.slot(text.parse().expect("address"));
        let first = slot("192.0.2.1").expect("slot");
        let _second = slot("192.0.2.1").expect("slot");
        assert!(slot("192.0.2.1").is_none());
        assert!(slot("192.0.2.2").is_some());
        drop(first);
        assert!(slot("192.0.2.1").is_some());
    }

    #[test]
    fn requests_get_a_place_at_once_or_not_at_all() {
        let admission = Admission::new(3, 2);
        let address = Some("192.0.2.1".parse().expect("address"));
        let first = admission.place(address).expect("place");
        let _second = admission.place(address).expect("place");
        assert!(admission.place(address).is_none());
        let _third = admission.place(None).expect("place");
        assert!(admission.place(None).is_none());
        assert_eq!(admission.in_use(), 3);
        drop(first);
        assert_eq!(admission.in_use(), 2);
        assert!(admission.place(address).is_some());
    }

    #[test]
    fn nothing_is_kept_of_addresses_that_left() {
        let admission = Admission::new(10, 2);
        drop(admission.slot("192.0.2.1".parse().expect("address")));
        assert!(admission.taken.lock().is_empty());
    }
}
