//! The components that come with the binary. They go through the same component_interface as an operator's.

use std::sync::LazyLock;

use sha2::{Digest, Sha256};

/// Name and bytes of a built-in component.
pub(crate) struct Embedded {
    pub(crate) name: &'static str,
    pub(crate) wasm: &'static [u8],
}

/// Every built-in component, one for each slot.
pub(crate) const EMBEDDED: &[Embedded] = &[
    Embedded {
        name: "convert-document",
        wasm: include_bytes!("../../../../../plugins/dist/convert-document.wasm"),
    },
    Embedded {
        name: "number-e164",
        wasm: include_bytes!("../../../../../plugins/dist/number-e164.wasm"),
    },
    Embedded {
        name: "callback-phaxio",
        wasm: include_bytes!("../../../../../plugins/dist/callback-phaxio.wasm"),
    },
];

/// Digests of [`EMBEDDED`], in its order. They are megabytes and never change: once is enough.
static DIGESTS: LazyLock<Vec<[u8; 32]>> = LazyLock::new(|| {
    EMBEDDED
        .iter()
        .map(|embedded| Sha256::digest(embedded.wasm).into())
        .collect()
});

/// Every built-in component with its digest.
pub(crate) fn all() -> impl Iterator<Item = (&'static Embedded, [u8; 32])> {
    EMBEDDED.iter().zip(DIGESTS.iter().copied())
}
