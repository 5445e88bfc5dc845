//! Where a request comes from.

use std::net::IpAddr;

use faxgate_domain::access::Principal;
use faxgate_domain::audit::AuditEntry;
use jiff::Timestamp;

/// Who asks, and from where.
#[derive(Debug, Clone)]
pub struct Actor {
    /// Who.
    pub principal: Principal,
    /// From which address, when it came over the network.
    pub address: Option<IpAddr>,
}

impl Actor {
    /// The person at the machine.
    #[must_use]
    pub fn operator() -> Self {
        Self {
            principal: Principal::operator(),
            address: None,
        }
    }

    /// An audit entry of something this actor did.
    #[must_use]
    pub fn did(&self, at: Timestamp, what: &str, object: impl ToString) -> AuditEntry {
        AuditEntry::new(at, self.principal.credential.name(), what, object)
            .from(self.address.map(|address| address.to_string()))
    }
}
