//! What a plugin's store holds: one field for each capability, so that this struct is the table of contents.

use std::sync::Arc;

use tokio::time::Instant;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use crate::database::DatabaseState;
use crate::limits::Limits;
use crate::output::{Output, Stream};

/// The host's side of one instance.
pub(crate) struct PluginState {
    wasi: WasiCtx,
    pub(crate) table: ResourceTable,
    pub(crate) database: DatabaseState,
    pub(crate) memory: MemoryLimit,
    pub(crate) stderr: Output,
    /// When the call under way must end; looked at at every epoch tick.
    pub(crate) deadline: Instant,
}

impl PluginState {
    pub(crate) fn new(plugin: &Arc<str>, limits: &Limits, database: DatabaseState) -> Self {
        let stderr = Output::new(Arc::clone(plugin), Stream::Stderr);
        // No arguments, environment, folders or network: an empty context but for the two streams.
        let wasi = WasiCtx::builder()
            .stdout(Output::new(Arc::clone(plugin), Stream::Stdout))
            .stderr(stderr.clone())
            .build();
        Self {
            wasi,
            table: ResourceTable::new(),
            database,
            memory: MemoryLimit {
                maximum: limits.memory,
                refused: None,
            },
            stderr,
            deadline: Instant::now(),
        }
    }
}

impl WasiView for PluginState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

/// Refuses memory past the plugin's limit, and remembers that it did: the guest usually answers with a
/// trap that says nothing.
pub(crate) struct MemoryLimit {
    maximum: usize,
    /// Bytes of the request refused last.
    pub(crate) refused: Option<usize>,
}

/// Table elements one instance may have; a pointer's size each.
const MAX_TABLE_ELEMENTS: usize = 100_000;

impl wasmtime::ResourceLimiter for MemoryLimit {
    fn memory_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let allowed = desired <= self.maximum;
        if !allowed {
            self.refused = Some(desired);
        }
        Ok(allowed)
    }

    fn table_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        Ok(desired <= MAX_TABLE_ELEMENTS)
    }
}
