//! The components that come with the binary. They go through the same doors as an operator's.

/// Name and bytes of a built-in component.
pub(super) struct Embedded {
    pub(super) name: &'static str,
    pub(super) wasm: &'static [u8],
}

/// Every built-in component, one for each slot.
pub(super) const EMBEDDED: &[Embedded] = &[];
