//! Floor 3: what the service says about itself. [`logs`] for people, [`metrics`] for graphs and alarms, [`board`] for
//! readiness.

pub mod board;
pub mod logs;
pub mod metrics;
