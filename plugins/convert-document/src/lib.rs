//! Built-in converter: PDF, text and pictures to fax pages.
//!
//! Everything is turned into a PDF or is one already; [`Document`] opens it, counts its pages, and draws a page as
//! a fax machine prints it. All of it is plain Rust that runs and is tested on any target; `guest` is the only
//! file that knows the component model.

mod cover;
mod document;
#[cfg(target_family = "wasm")]
mod guest;
mod html;
mod model;
#[cfg(test)]
mod one_page;
mod pdf;
mod picture;
mod raster;
mod sniff;
mod text;

pub use document::Document;
pub use model::{
    Failure, FailureKind, FaxPage, FontProvider, Halftone, Limits, OpenOptions, Paper, Part, Raster,
    Resolution, X_DPI,
};
