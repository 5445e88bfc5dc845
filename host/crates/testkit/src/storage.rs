//! A disk and a bucket with faults on request.

#[cfg(feature = "in-process")]
pub mod power_cut_disk;
#[cfg(feature = "s3")]
pub mod s3_server;
