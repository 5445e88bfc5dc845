//! Small helpers without a subject of their own.

pub mod files;
pub mod paths;
pub mod ports;
pub mod rng;
pub mod wait;
