//! What a plugin's store holds: one field for each capability, so that this struct is the table of contents.

use std::sync::Arc;

use tokio::time::Instant;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use crate::database::DatabaseState;
use crate::limits::Limits;
use crate::links::Caller;
use crate::output::{Output, Stream};

/// The host's side of one instance.
pub(crate) struct PluginState {
    wasi: WasiCtx,
    pub(crate) table: ResourceTable,
    pub(crate) database: DatabaseState,
    pub(crate) memory: MemoryLimit,
    pub(crate) stdout: Output,
    pub(crate) stderr: Output,
    /// When the call under way must end; looked at at every epoch tick.
    pub(crate) deadline: Instant,
    /// How many calls deep in its chain the call under way is.
    pub(crate) depth: u32,
}

impl PluginState {
    pub(crate) fn new(plugin: &Arc<str>, limits: &Limits, database: DatabaseState) -> Self {
        let stdout = Output::new(Arc::clone(plugin), Stream::Stdout);
        let stderr = Output::new(Arc::clone(plugin), Stream::Stderr);
        // No arguments, environment, folders or network: an empty context but for the two streams.
        let wasi = WasiCtx::builder()
            .stdout(stdout.clone())
            .stderr(stderr.clone())
            .build();
        Self {
            wasi,
            table: ResourceTable::new(),
            database,
            memory: MemoryLimit {
                maximum: limits.memory,
                used: 0,
                growing: 0,
                refused: None,
            },
            stdout,
            stderr,
            deadline: Instant::now(),
            depth: 0,
        }
    }
}

impl PluginState {
    /// Where a call from this guest into another comes from; none while the component starts.
    pub(crate) fn caller(&self) -> Option<Caller> {
        Some(Caller {
            plugin: Arc::clone(&self.database.access.plugin),
            scope: self.database.scope.clone()?,
            depth: self.depth,
            deadline: self.deadline,
        })
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
    /// Bytes in all memories of the instance.
    used: usize,
    /// Bytes of the growth allowed last, to be taken back if the system has not so much.
    growing: usize,
    /// Bytes of the request refused last.
    pub(crate) refused: Option<usize>,
}

/// Elements of one table; a pointer's size each.
const MAX_TABLE_ELEMENTS: usize = 100_000;
/// Core tables, memories and instances that one component may be made of. Compilers make a handful.
const MAX_TABLES: usize = 64;
const MAX_MEMORIES: usize = 16;
const MAX_INSTANCES: usize = 128;

impl wasmtime::ResourceLimiter for MemoryLimit {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let growing = desired.saturating_sub(current);
        let allowed = self.used.saturating_add(growing) <= self.maximum;
        if allowed {
            self.used += growing;
            self.growing = growing;
        } else {
            self.refused = Some(growing);
        }
        Ok(allowed)
    }

    fn memory_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        self.refused = Some(self.growing);
        self.used -= std::mem::take(&mut self.growing);
        Ok(())
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(desired <= MAX_TABLE_ELEMENTS)
    }

    fn instances(&self) -> usize {
        MAX_INSTANCES
    }

    fn tables(&self) -> usize {
        MAX_TABLES
    }

    fn memories(&self) -> usize {
        MAX_MEMORIES
    }
}
