//! Runs sandboxed WebAssembly components and lends them the database: the wasmtime engine, plugins, call
//! chains, limits, and the host side of every WIT interface. Reads no settings; knows no SQL.
//!
//! A [`Plugin`] is a loaded component; [`Plugins`] a folder of them, which come and go. A call into one happens in a [`Scope`],
//! the call chain, which holds at most one shared connection and rolls back whatever is left open.

#[expect(
    missing_docs,
    reason = "generated from wit/, where the documentation is"
)]
mod bindings;

mod admission;
mod code_cache;
mod compile_cost;
mod component;
mod database;
mod declared;
mod engine;
mod error;
mod exports;
mod facts;
mod folder;
mod generation;
mod guest_log;
mod inspect;
mod instance;
mod interface_name;
mod limits;
mod links;
mod logging;
mod long_running;
mod low_priority;
mod migrations;
mod nesting;
mod output;
mod plain_data;
mod plugin;
mod plugins;
mod sandbox;
mod scope;
mod stack;
mod state;
pub mod trading;
mod warm;
mod wasm_file;
mod wave;

pub use code_cache::{CodeCache, CodeCacheError};
pub use engine::{EPOCH_TICK, Engine};
pub use error::{CallError, LoadError, Wait, shortened};
pub use exports::Interface;
pub use facts::{Facts, Memory};
pub use generation::Pinned;
pub use guest_log::is_unprintable;
pub use inspect::{Export, Import, Inspection, Migrations, Source, Strategy, inspect};
pub use limits::Limits;
pub use links::Waiting;
pub use plugin::{Plugin, PluginOptions};
pub use plugins::{Again, Changed, PluginState, PluginStatus, Plugins};
pub use scope::Scope;
pub use wasm_file::Digest;
pub use wave::Answer;
