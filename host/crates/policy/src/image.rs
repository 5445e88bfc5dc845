//! Fax pages as image files.

pub mod png;
pub mod tiff;
