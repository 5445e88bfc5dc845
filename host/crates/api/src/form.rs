//! Form bodies: multipart uploads, the forms of callbacks, and small forms or JSON objects with text fields.

pub(crate) mod field_names;
pub(crate) mod fields;
pub(crate) mod multipart;
mod parameters;
mod part_head;
mod part_stream;
mod transfer_encoding;
pub(crate) mod urlencoded;
