//! How guest code runs: the engine, one call, its limits and its measurements.

pub(crate) mod call;
pub(crate) mod engine;
pub(crate) mod epoch_ticker;
pub(crate) mod latency;
pub(crate) mod limits;
