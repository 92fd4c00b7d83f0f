//! The guests' world as generated from WIT, on the SDK's types; nothing here is written by hand.

#![allow(
    unsafe_code,
    missing_docs,
    reason = "the generated exports take raw pointers from the host; natively there are none"
)]

wit_bindgen::generate!({
    path: ["../../../wit", "wit"],
    world: "poolhouse-tests:misbehaving/misbehaving",
    with: {
        "poolhouse:database/types@0.1.0": ::poolhouse::bindings::imports::poolhouse::database::types,
        "poolhouse:database/database@0.1.0": ::poolhouse::bindings::imports::poolhouse::database::database,
        "poolhouse:plugin/types@0.1.0": ::poolhouse::bindings::imports::poolhouse::plugin::types,
    },
    pub_export_macro: true,
    export_macro_name: "export_culprit",
});

pub use exports::poolhouse_tests::misbehaving::culprit::Guest;
pub use poolhouse_tests::misbehaving::culprit as peer;
