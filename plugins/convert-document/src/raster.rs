//! Pages to pixels: what the far machine will print.

mod bitmap;
mod codes;
mod diffusion;
mod g4;
mod grey;
mod halftone;
mod mode_table;
mod render;

pub(crate) use bitmap::Bitmap;
pub(crate) use g4::encode;
#[cfg(test)]
pub(crate) use g4::{decoded, encode_group3};
pub(crate) use halftone::luma;
pub(crate) use render::Renderer;
