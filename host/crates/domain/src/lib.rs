//! The rules of faxing. Pure values and functions: no I/O, no async, no HTTP, no database.

pub mod access;
pub mod artifact;
pub mod audit;
pub mod code;
pub mod document;
pub mod event;
pub mod ids;
pub mod inbound;
pub mod job;
pub mod link;
pub mod number;
pub mod provider;
pub mod scope;
pub mod status;
pub mod ticket;
