//! The chains of the slots: which plugins are asked, in which order, and what their answers mean.

pub(crate) mod call;
pub(crate) mod callback;
pub(crate) mod converter;
pub(crate) mod number;
pub(crate) mod render;
pub(crate) mod translate;
