//! The contract's types and functions as generated from `wit/`; nothing here is written by hand.

#![allow(
    missing_docs,
    reason = "the contract documents its items, and generated helpers are not for reading"
)]

/// What a plugin imports: `poolhouse:database`, `poolhouse:plugin/types` and `wasi:logging`.
pub mod imports {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "
            package poolhouse:rust-sdk;

            world imports {
                import poolhouse:database/database@0.1.0;
                import poolhouse:plugin/types@0.1.0;
                import wasi:logging/logging@0.1.0-draft;
            }
        ",
        generate_all,
        generate_unused_types: true,
        additional_derives: [PartialEq],
    });
}

/// What a strategy exports: `poolhouse:trading/strategy`.
pub mod strategy {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "poolhouse:trading/strategy-plugin",
        with: {
            "wasi:logging/logging@0.1.0-draft": super::imports::wasi::logging::logging,
        },
        pub_export_macro: true,
        additional_derives: [PartialEq],
    });
}
