//! Phaxio's REST API, versions 1 to 2.1, and its callbacks.
//!
//! - [`status`]: the table of status words, for sent and for received faxes
//! - [`error`]: error types and ids
//! - [`fields`]: names of form fields and JSON members
//! - [`fax`]: the fax object
//! - [`envelope`]: what wraps every answer
//! - [`callback`]: finds the fax object in every shape a callback has
//! - [`signature`]: what a callback's signature covers, how it is spelled, and (feature `signing`) made and checked
//! - [`limits`]: what the provider takes at most
//!
//! Sources: the vendor's documentation at <https://www.phaxio.com/docs> and the recorded answers in the tests of the
//! vendor's open-source clients.

pub mod callback;
pub mod envelope;
pub mod error;
pub mod fax;
pub mod fields;
pub mod limits;
pub mod signature;
pub mod status;

pub use callback::{EventType, Payload};
pub use envelope::Envelope;
pub use error::ErrorType;
pub use fax::{ErrorFields, Fax, Recipient};
pub use fields::JOB_TAG;
pub use status::StatusWord;
