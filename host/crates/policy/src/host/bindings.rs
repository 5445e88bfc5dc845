//! The worlds of `wit/` as Rust types, generated at compile time. Nothing outside this crate sees them:
//! `convert.rs` turns them into domain types.
//!
//! The interfaces that the gateway offers (`host`, `webhook`, `types`) are generated once, with the
//! `callback-policy` world, and shared by the other two.

#![allow(
    missing_docs,
    clippy::all,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::large_futures,
    unreachable_pub,
    reason = "generated from wit/, where the items are documented"
)]

/// Slot `callback-policy`, and the interfaces shared by all slots.
pub(crate) mod callback {
    wasmtime::component::bindgen!({
        path: "../../../wit",
        world: "callback-policy-plugin",
        imports: {
            "faxgate:policy/host": trappable,
            "faxgate:policy/webhook.[method]delivery.body": async | trappable,
            "faxgate:policy/webhook.[method]delivery.verify-mac": async | trappable,
            default: trappable,
        },
        exports: { default: async },
        with: { "faxgate:policy/webhook.delivery": crate::host::webhook::HostDelivery },
        additional_derives: [PartialEq],
    });
}

/// Slot `number-normalizer`.
pub(crate) mod number {
    wasmtime::component::bindgen!({
        path: "../../../wit",
        world: "number-normalizer-plugin",
        exports: { default: async },
        with: {
            "faxgate:policy/host": crate::host::bindings::callback::faxgate::policy::host,
            "faxgate:policy/types": crate::host::bindings::callback::faxgate::policy::types,
        },
        additional_derives: [PartialEq],
    });
}

/// Slot `converter`.
pub(crate) mod converter {
    wasmtime::component::bindgen!({
        path: "../../../wit",
        world: "converter-plugin",
        exports: { default: async },
        with: {
            "faxgate:policy/host": crate::host::bindings::callback::faxgate::policy::host,
            "faxgate:policy/types": crate::host::bindings::callback::faxgate::policy::types,
        },
        additional_derives: [PartialEq],
    });
}
