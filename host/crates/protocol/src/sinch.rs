//! Sinch's Fax API, version 3, and its callbacks.
//!
//! - [`status`]: the table of status words, for sent and for received faxes
//! - [`error`]: error types, codes and their failure classes
//! - [`fields`]: names of labels, parameters, form fields and paths
//! - [`create`]: the request to send
//! - [`token`]: OAuth2 access tokens
//! - [`fax`]: the fax object; [`price`]: its cost
//! - [`answer`]: answers of the API: one fax, several, a page of a list, an error
//! - [`callback`]: every shape a callback has
//! - [`limits`]: what the provider takes and how long it tries
//!
//! Sources: the vendor's documentation at <https://developers.sinch.com/docs/fax>, its SDKs, and recorded answers of
//! integrations. Callbacks carry no signature.

pub mod answer;
pub mod callback;
pub mod create;
pub mod error;
pub mod fax;
pub mod fields;
pub mod limits;
pub mod price;
pub mod status;
pub mod token;

#[cfg(any(test, feature = "test-vectors"))]
pub mod vectors;

#[cfg(test)]
mod tests;

pub use answer::{ApiError, FaxPage};
pub use callback::{Event, Payload};
pub use create::CreateRequest;
pub use error::ErrorType;
pub use fax::Fax;
pub use fields::JOB_LABEL;
pub use price::Price;
pub use status::StatusWord;
