//! Rust types and traits generated from `wit/`; nothing here is written by hand.

wasmtime::component::bindgen!({
    path: "../../wit",
    inline: r#"
        package poolhouse:host;

        world host {
            import poolhouse:database/database@0.1.0;
            import wasi:logging/logging@0.1.0-draft;
            export poolhouse:plugin/migrations@0.1.0;
            export poolhouse:plugin/lifecycle@0.1.0;
            export poolhouse:trading/config-loader@0.1.0;
            export poolhouse:trading/user-service@0.1.0;
            export poolhouse:trading/order-manager@0.1.0;
            export poolhouse:trading/strategy@0.1.0;
        }
    "#,
    world: "poolhouse:host/host",
    imports: { default: async | trappable },
    exports: { default: async },
    with: {
        "poolhouse:database/database.session": crate::database::Session,
        "poolhouse:database/database.transaction": crate::database::Transaction,
        "poolhouse:database/database.cursor": crate::database::Cursor,
    },
});
