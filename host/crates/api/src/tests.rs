//! The API from outside: what each kind of caller gets.

#![allow(clippy::unwrap_used, reason = "tests")]

mod access;
mod authorization_matrix;
mod forms;
pub(crate) mod installation;
mod requests;
mod sockets;
mod strangers;
