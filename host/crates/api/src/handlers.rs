//! One handler for each route: it reads the request, calls the use case and answers. Rules are in the use cases.

pub(crate) mod admin;
pub(crate) mod callback;
pub(crate) mod document;
pub(crate) mod fax;
pub(crate) mod health;
pub(crate) mod inbound;
pub(crate) mod keys;
