//! What a plugin's store holds: one field for each capability, so that this struct is the table of contents.

use std::sync::Arc;

use tokio::time::Instant;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtxView, WasiView};

use crate::database::DatabaseState;
use crate::limits::Limits;
use crate::links::Caller;
use crate::long_running::Pace;
use crate::sandbox::{Cut, Wasi};

/// The host's side of one instance.
pub(crate) struct PluginState {
    pub(crate) wasi: Wasi,
    /// The handles of the database.
    pub(crate) table: ResourceTable,
    pub(crate) database: DatabaseState,
    pub(crate) growth: Growth,
    /// When the call under way must end; looked at at every epoch tick.
    pub(crate) deadline: Instant,
    /// How many calls deep in its chain the call under way is.
    pub(crate) depth: u32,
    /// How long it has computed.
    pub(crate) pace: Pace,
    /// Whether it is to end now.
    pub(crate) cut: Arc<Cut>,
}

impl PluginState {
    pub(crate) fn new(
        limits: &Limits,
        wasi: Wasi,
        pace: Pace,
        cut: Arc<Cut>,
        database: DatabaseState,
    ) -> Self {
        Self {
            wasi,
            table: ResourceTable::new(),
            database,
            growth: Growth {
                most_bytes: limits.memory,
                bytes: 0,
                most_elements: limits.table_elements,
                elements: 0,
                refused: None,
            },
            deadline: Instant::now(),
            depth: 0,
            pace,
            cut,
        }
    }

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
            ctx: &mut self.wasi.context,
            table: &mut self.wasi.table,
        }
    }
}

/// Refuses memory and table elements past the plugin's limits, and remembers that it did: the guest usually answers with a
/// trap that says nothing.
///
/// What was allowed once is never taken back, though the system may not have had so much: wasmtime tells in the same way of
/// growth that it refused without asking here, and a guest could have its whole memory uncounted by that.
pub(crate) struct Growth {
    most_bytes: usize,
    /// Bytes in all memories of the instance.
    bytes: usize,
    most_elements: usize,
    /// Elements in all tables of the instance.
    elements: usize,
    /// The request refused last.
    pub(crate) refused: Option<RefusedGrowth>,
}

/// What was asked for and not given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RefusedGrowth {
    Bytes(usize),
    Elements(usize),
}

impl RefusedGrowth {
    /// For the reason of the trap that usually follows.
    pub(crate) fn shown(self) -> String {
        match self {
            Self::Bytes(bytes) => format!("{bytes} bytes of memory were refused (limit `memory`)"),
            Self::Elements(elements) => {
                format!("{elements} elements of a table were refused (limit `table_elements`)")
            }
        }
    }
}

/// Core tables, memories and instances that one component may be made of. Compilers make a handful.
const MAX_TABLES: usize = 64;
const MAX_MEMORIES: usize = 16;
const MAX_INSTANCES: usize = 128;

/// Counts `growing` more of what there may be so much of; false, and nothing counted, where that is too much.
fn grow(counted: &mut usize, most: usize, growing: usize) -> bool {
    let grown = counted.saturating_add(growing);
    let is_allowed = grown <= most;
    if is_allowed {
        *counted = grown;
    }
    is_allowed
}

impl wasmtime::ResourceLimiter for Growth {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        // Past its own maximum it fails whatever is said here, and would have been counted.
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        let growing = desired.saturating_sub(current);
        let is_allowed = grow(&mut self.bytes, self.most_bytes, growing);
        if !is_allowed {
            self.refused = Some(RefusedGrowth::Bytes(growing));
        }
        Ok(is_allowed)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        let growing = desired.saturating_sub(current);
        let is_allowed = grow(&mut self.elements, self.most_elements, growing);
        if !is_allowed {
            self.refused = Some(RefusedGrowth::Elements(growing));
        }
        Ok(is_allowed)
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
