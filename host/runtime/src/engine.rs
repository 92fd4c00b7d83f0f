//! The one wasmtime engine: its configuration, its linker, and the clock that interrupts guests.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use wasmtime::component::Linker;

use crate::admission::Supply;
use crate::code_cache::CodeCache;
use crate::database;
use crate::error::LoadError;
use crate::logging;
use crate::long_running;
use crate::state::PluginState;
use crate::wasm_file::one_line;

/// How often running guests are interrupted to look at the clock and let others run.
pub const EPOCH_TICK: Duration = Duration::from_millis(10);

/// Frames of a trap's stack, the innermost; what an author looks for is seldom further out.
const MAX_FRAMES: usize = 16;

/// Compiles and links components. A clone is another handle to the same engine.
#[derive(Clone)]
pub struct Engine {
    engine: wasmtime::Engine,
    linker: Arc<Linker<PluginState>>,
    memory_maps: Arc<Supply>,
    code_cache: Option<Arc<CodeCache>>,
}

impl Engine {
    /// An engine with WASI 0.2 and the database interface, and nothing else to import.
    ///
    /// # Errors
    /// Only where this machine can't run wasmtime at all, such as an unknown processor.
    pub fn new() -> Result<Self, LoadError> {
        Self::try_new(false).map_err(|error| LoadError::Engine(one_line(&error)))
    }

    /// The same for a process that runs no plugins beside: it compiles on all processors. What it keeps in the code cache is the same.
    ///
    /// # Errors
    /// Those of [`Engine::new`].
    pub fn compiling_on_all_processors() -> Result<Self, LoadError> {
        Self::try_new(true).map_err(|error| LoadError::Engine(one_line(&error)))
    }

    fn try_new(on_all_processors: bool) -> wasmtime::Result<Self> {
        let mut config = wasmtime::Config::new();
        config.epoch_interruption(true);
        // Synchronous components call four times faster without the machinery of WASI 0.3.
        config.concurrency_support(false);
        // Where plugins run, one thread of the host's own choosing, whose priority it sets.
        config.parallel_compilation(on_all_processors);
        // Where a trap was, by function and, where the guest has debug information, by file and line.
        config.wasm_backtrace_max_frames(NonZeroUsize::new(MAX_FRAMES));
        config.wasm_backtrace_details(wasmtime::WasmBacktraceDetails::Enable);
        let engine = wasmtime::Engine::new(&config)?;
        tick(&engine)?;

        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
        database::add_to_linker(&mut linker)?;
        logging::add_to_linker(&mut linker)?;
        Ok(Self {
            engine,
            linker: Arc::new(linker),
            memory_maps: Supply::memory_maps(),
            code_cache: None,
        })
    }

    /// The same, but what it compiles is kept there, and taken from there where it is.
    #[must_use]
    pub fn with_code_cache(self, cache: CodeCache) -> Self {
        Self {
            code_cache: Some(Arc::new(cache)),
            ..self
        }
    }

    pub(crate) fn code_cache(&self) -> Option<&CodeCache> {
        self.code_cache.as_deref()
    }

    /// How many instances all plugins together can have at once by what this system lets a process have, where that is fewer than
    /// `wanted`: their memories take entries of its table of memory maps (`vm.max_map_count`).
    pub fn fewer_instances_than(&self, wanted: usize) -> Option<usize> {
        Some(self.memory_maps.instances()).filter(|instances| *instances < wanted)
    }

    pub(crate) fn wasmtime(&self) -> &wasmtime::Engine {
        &self.engine
    }

    /// Those that the instances of all plugins share.
    pub(crate) fn memory_maps(&self) -> &Arc<Supply> {
        &self.memory_maps
    }

    pub(crate) fn linker(&self) -> &Linker<PluginState> {
        &self.linker
    }
}

/// Moves the engine's epoch on for as long as the engine lives. A thread of its own, since no guest
/// can keep the system from scheduling it.
fn tick(engine: &wasmtime::Engine) -> wasmtime::Result<()> {
    let engine = engine.weak();
    std::thread::Builder::new()
        .name("poolhouse-epoch".into())
        .spawn(move || {
            while let Some(engine) = engine.upgrade() {
                engine.increment_epoch();
                long_running::tick();
                drop(engine);
                std::thread::sleep(EPOCH_TICK);
            }
        })?;
    Ok(())
}
