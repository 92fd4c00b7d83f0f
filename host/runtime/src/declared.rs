//! What a component declares that each of its instances has from the start, compared with the plugin's limits at load, where it
//! can be said in a sentence; what grows later is the store's.

use std::sync::Arc;

use wasmtime::component::Component;

use crate::error::LoadError;
use crate::limits::Limits;

/// Bytes of WebAssembly's page, in which memories are declared.
const PAGE: u64 = 64 << 10;

/// # Errors
/// Where no instance could be made.
pub(crate) fn check(
    component: &Component,
    plugin: &Arc<str>,
    limits: &Limits,
) -> Result<(), LoadError> {
    // None for a component that instantiates what it imports, which the linker refuses anyway.
    let Some(needed) = component.resources_required() else {
        return Ok(());
    };
    let refused = |wanted: String, maximum: usize, setting: &'static str| {
        Err(LoadError::Declares {
            plugin: Arc::clone(plugin),
            wanted,
            maximum,
            setting,
        })
    };
    let memory = needed
        .max_initial_memory_size
        .unwrap_or(0)
        .saturating_mul(PAGE);
    if memory > limits.memory as u64 {
        return refused(
            format!("a memory of {memory} bytes"),
            limits.memory,
            "memory",
        );
    }
    let table = needed.max_initial_table_size.unwrap_or(0);
    if table > limits.table_elements as u64 {
        return refused(
            format!("a table of {table} elements"),
            limits.table_elements,
            "table_elements",
        );
    }
    Ok(())
}

/// Memory maps that one instance of it takes: some for its own structures, and for each linear memory what is reserved, what is
/// in use, and the guard behind it.
pub(crate) fn memory_maps(component: &Component) -> usize {
    let memories = component
        .resources_required()
        .map_or(0, |needed| needed.num_memories as usize);
    MAPS_OF_ITS_OWN + memories.saturating_mul(MAPS_OF_A_MEMORY)
}

const MAPS_OF_ITS_OWN: usize = 4;
const MAPS_OF_A_MEMORY: usize = 3;
/// Of a guest with one memory, as compilers make them.
pub(crate) const MAPS_OF_A_SMALL_INSTANCE: usize = MAPS_OF_ITS_OWN + MAPS_OF_A_MEMORY;

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that finds no value has failed")]
mod tests {
    use wasmtime::Store;
    use wasmtime::component::Linker;

    use super::*;
    use crate::engine::Engine;

    const INSTANCES: usize = 100;

    fn maps() -> usize {
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        maps.lines().count()
    }

    /// What other tests do meanwhile is a small part of it.
    #[test]
    #[cfg(target_os = "linux")]
    fn no_instance_takes_more_memory_maps_than_are_counted() {
        let engine = Engine::new().unwrap();
        for memories in [1, 14] {
            let module = format!(
                "(component (core module $m {} {}) (core instance (instantiate $m)))",
                "(memory 1)".repeat(memories),
                "(table 1000 funcref)".repeat(40)
            );
            let component =
                Component::from_binary(engine.wasmtime(), &wat::parse_str(module).unwrap())
                    .unwrap();
            let linker = Linker::<()>::new(engine.wasmtime());
            let before = maps();
            let alive: Vec<_> = (0..INSTANCES)
                .map(|_| {
                    let mut store = Store::new(engine.wasmtime(), ());
                    linker.instantiate(&mut store, &component).unwrap();
                    store
                })
                .collect();
            let taken = (maps() - before).div_ceil(alive.len());
            let counted = memory_maps(&component);
            assert!(
                taken <= counted && counted <= 4 * taken,
                "{memories} memories: {taken} taken, {counted} counted"
            );
        }
    }
}
