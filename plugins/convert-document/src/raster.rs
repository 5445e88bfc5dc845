//! Pages to pixels: what the far machine will print.

mod bitmap;
mod codes;
mod g4;
mod halftone;
mod render;

pub(crate) use bitmap::Bitmap;
#[cfg(test)]
pub(crate) use g4::decoded;
pub(crate) use g4::encode;
pub(crate) use render::render;
