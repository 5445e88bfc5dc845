//! Documents of faxes: uploading, storing, opening, drawing and destroying them.

mod destroy;
mod draw;
mod keep;
mod open;
mod refusal;
mod upload;

pub(crate) use keep::Stored;
pub use open::{DocumentKey, OpenDocument};
pub(crate) use refusal::{gone, not_converted};
pub(crate) use upload::Spool;
pub use upload::{Upload, UploadSink};
