//! The components that come with the binary. They go through the same doors as an operator's.

/// Name and bytes of a built-in component.
pub(super) struct Embedded {
    pub(super) name: &'static str,
    pub(super) wasm: &'static [u8],
}

/// Every built-in component, one for each slot.
pub(super) const EMBEDDED: &[Embedded] = &[
    Embedded {
        name: "number-e164",
        wasm: include_bytes!("../../../plugins/dist/number-e164.wasm"),
    },
    Embedded {
        name: "callback-phaxio",
        wasm: include_bytes!("../../../plugins/dist/callback-phaxio.wasm"),
    },
];
