//! Form bodies: multipart uploads, the forms of callbacks, and small forms or JSON objects with text fields.

pub(crate) mod fields;
pub(crate) mod multipart;
