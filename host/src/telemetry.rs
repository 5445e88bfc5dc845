//! Floor 3: what the service says about itself. [`logs`] for people, [`metrics`] for graphs and alarms ([`requests`]
//! for the two that every request makes), [`board`] for readiness.

pub mod board;
pub mod logs;
pub mod metrics;
pub mod requests;
