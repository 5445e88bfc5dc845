//! What must stay secret, separate or unchanged: secrets, the faxes of other owners, the audit log.

mod audit_tampering;
mod secrets;
mod tenants;
