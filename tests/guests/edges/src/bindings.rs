//! The guest's world as generated from WIT; nothing here is written by hand.

#![allow(
    unsafe_code,
    missing_docs,
    reason = "the generated exports take raw pointers from the host; natively there are none"
)]

wit_bindgen::generate!({
    path: ["../../../wit", "wit"],
    world: "poolhouse-tests:edges/edges-guest",
});

// The exports' names mean something to a component only; a native linker refuses them.
#[cfg(target_family = "wasm")]
use crate::Edges;
#[cfg(target_family = "wasm")]
export!(Edges);
