//! Logs, metrics and traces of the service. [`logs`] for people ([`scope`] names the request a line belongs to),
//! [`metrics`] for graphs and alarms ([`requests`] for the two that every request makes), [`trace`] and [`otlp`] for
//! whoever follows a request through several systems, [`board`] for readiness.

mod batch_writer;
pub mod board;
mod lines;
pub mod logs;
pub mod metrics;
pub mod otlp;
pub mod requests;
pub mod scope;
pub mod trace;
