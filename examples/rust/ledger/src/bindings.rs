//! The plugin's world as generated from `wit/`, on the SDK's types; nothing here is written by hand.

#![allow(
    unsafe_code,
    reason = "the generated exports take raw pointers from the host; natively there are none"
)]

wit_bindgen::generate!({
    path: ["../../../wit", "wit"],
    world: "local:ledger/plugin",
    with: {
        "poolhouse:database/types@0.1.0": ::poolhouse::bindings::imports::poolhouse::database::types,
        "poolhouse:database/database@0.1.0": ::poolhouse::bindings::imports::poolhouse::database::database,
        "poolhouse:plugin/types@0.1.0": ::poolhouse::bindings::imports::poolhouse::plugin::types,
        "wasi:logging/logging@0.1.0-draft": ::poolhouse::bindings::imports::wasi::logging::logging,
    },
    additional_derives: [PartialEq],
});

// The exports' names mean something to a component only; a native linker refuses them.
#[cfg(target_family = "wasm")]
use crate::Ledger;
#[cfg(target_family = "wasm")]
export!(Ledger);
