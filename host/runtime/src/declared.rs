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
