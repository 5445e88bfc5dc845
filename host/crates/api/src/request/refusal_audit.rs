//! Audit records of what anybody can cause: refused links and callbacks, and keys sent in clear. They are bounded per
//! address and in all, since records are kept for ever; how many were left out is one record.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use faxgate_edge::limit_key;
use faxgate_edge::ratelimit::{Limiter, WINDOW};
use faxgate_service::App;

/// Records of one address in a minute.
const PER_ADDRESS: u32 = 5;
/// Records of all addresses in a minute.
const IN_ALL: u32 = 10;

/// Decides which refusals are recorded.
#[derive(Debug)]
pub(crate) struct RefusalAudit {
    addresses: Limiter<IpAddr>,
    all: Limiter<()>,
    omitted: Arc<AtomicU64>,
}

impl Default for RefusalAudit {
    fn default() -> Self {
        Self {
            addresses: Limiter::new(PER_ADDRESS),
            all: Limiter::new(IN_ALL),
            omitted: Arc::default(),
        }
    }
}

impl RefusalAudit {
    /// Records a refusal of this address, or counts it as left out.
    pub(crate) fn record(&self, app: &App, address: IpAddr, record: impl FnOnce(&App)) {
        let key = limit_key(address);
        if self.addresses.check(&key, None).allowed && self.all.check(&(), None).allowed {
            return record(app);
        }
        if self.omitted.fetch_add(1, Ordering::Relaxed) == 0 {
            // The first one that is left out: in a minute there is one record for all of them.
            let (app, omitted) = (app.clone(), Arc::clone(&self.omitted));
            tokio::spawn(async move {
                tokio::time::sleep(WINDOW).await;
                report(&app, &omitted);
            });
        }
    }

    /// Records how many were left out since the last such record.
    #[cfg(test)]
    pub(crate) fn report(&self, app: &App) {
        report(app, &self.omitted);
    }
}

fn report(app: &App, omitted: &AtomicU64) {
    let count = omitted.swap(0, Ordering::Relaxed);
    if count > 0 {
        app.refusals_omitted(count);
    }
}
