//! faxgate: one binary that gives a VPS a secure fax API.
//!
//! The house has floors; imports go down only (`tests/tidy.rs` checks it).
//!
//! | floor | rooms |
//! |---|---|
//! | 7 | `cli`, `compose`, `control`, `lifecycle` |
//! | 6 | `http` |
//! | 5 | `app`, `dispatch`, `retention` |
//! | 4 | `store`, `artifacts`, `phaxio`, `simulator`, `tls`, `ratelimit`, `plugin` |
//! | 3 | `telemetry` |
//! | 2 | `config` |
//! | 1 | `domain` |
//! | 0 | `base` |

pub mod app;
pub mod artifacts;
pub mod base;
pub mod cli;
pub mod compose;
pub mod config;
pub mod control;
pub mod dispatch;
pub mod domain;
pub mod http;
pub mod lifecycle;
pub mod phaxio;
pub mod plugin;
pub mod ratelimit;
pub mod retention;
pub mod simulator;
pub mod store;
pub mod telemetry;
pub mod tls;
