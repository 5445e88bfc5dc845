//! The embedded engine: redb, one writer thread, and the operations of the store on its tables.
//!
//! Only this folder knows redb. Reads are snapshot reads on the caller's task (a few microseconds) or, for scans, on a
//! thread that may block. Writes go to one thread that puts everything waiting into one transaction and answers after
//! the durable commit ([`writer`]): a commit costs a disk sync whether it holds one job or a hundred.

pub(crate) mod apply;
pub(crate) mod backend;
pub(crate) mod database;
pub(crate) mod index_scan;
pub(crate) mod meta;
pub(crate) mod operations;
pub(crate) mod tables;
pub(crate) mod writer;
