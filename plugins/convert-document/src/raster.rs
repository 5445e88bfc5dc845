//! Pages to pixels: what the far machine will print.

mod bitmap;
mod codes;
mod g4;
mod halftone;
mod render;

pub use render::render;
