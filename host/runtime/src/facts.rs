//! What can be told of a component without running anything of it: size, hash, imports, exports and memory.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use wasmparser::{Parser, Payload};
use wasmtime::component::Component;

use crate::engine::Engine;
use crate::error::LoadError;
use crate::wasm_file::{Digest, WasmFile, quoted};

/// Names of a list in the log.
const NAMES_LOGGED: usize = 20;

/// The facts of one component.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The plugin's name: the file's without `.wasm`.
    pub plugin: Arc<str>,
    /// As it was given.
    pub file: PathBuf,
    /// Bytes of the file.
    pub size: u64,
    /// Of the bytes that were compiled.
    pub sha256: Digest,
    /// What its author calls this version of it, by its custom section `version`; none where it has none.
    pub version: Option<String>,
    /// Names of what it imports, with their versions, as it has them.
    pub imports: Vec<String>,
    /// Names of what it exports, with their versions, as it has them.
    pub exports: Vec<String>,
    /// The linear memories that its core modules declare.
    pub memories: Vec<Memory>,
    /// Bytes of the machine's code made of it.
    pub compiled_size: u64,
    /// What compiling took.
    pub compile_time: Duration,
}

/// A linear memory as it is declared, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// What it has from the start.
    pub minimum: u64,
    /// What it may grow to; none = as far as the limit `memory` lets it.
    pub maximum: Option<u64>,
}

impl Facts {
    pub(crate) fn of(
        engine: &Engine,
        file: &WasmFile,
        component: &Component,
        compile_time: Duration,
    ) -> Result<Self, LoadError> {
        let ty = component.component_type();
        let image = component.image_range();
        Ok(Self {
            plugin: Arc::clone(&file.name),
            file: file.path.clone(),
            size: file.bytes.len() as u64,
            sha256: file.sha256,
            version: version(&file.bytes),
            imports: names(ty.imports(engine.wasmtime()).map(|(name, _)| name)),
            exports: names(ty.exports(engine.wasmtime()).map(|(name, _)| name)),
            memories: memories(&file.bytes).map_err(|error| LoadError::Unusable {
                file: file.path.clone(),
                reason: format!("its memories can't be read ({error}); build it again"),
            })?,
            compiled_size: image.end.addr().saturating_sub(image.start.addr()) as u64,
            compile_time,
        })
    }

    /// One line of the log.
    pub(crate) fn log(&self) {
        tracing::info!(
            plugin = %self.plugin,
            file = %self.file.display(),
            size = self.size,
            sha256 = %self.sha256,
            version = self.version,
            imports = %logged(&self.imports),
            exports = %logged(&self.exports),
            memory = %self.memories.iter().map(Memory::to_string).collect::<Vec<_>>().join(", "),
            compiled_size = self.compiled_size,
            compile_time = ?self.compile_time,
            "loaded"
        );
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { minimum, maximum } = self;
        match maximum {
            Some(maximum) => write!(f, "{minimum} to {maximum} bytes"),
            None => write!(f, "{minimum} bytes or more"),
        }
    }
}

fn names<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    names.map(quoted).collect()
}

fn logged(names: &[String]) -> String {
    let mut logged = names
        .iter()
        .take(NAMES_LOGGED)
        .cloned()
        .collect::<Vec<_>>()
        .join(" ");
    if let Some(more @ 1..) = names.len().checked_sub(NAMES_LOGGED) {
        logged.push_str(&format!(" and {more} more"));
    }
    logged
}

/// Bytes of a version.
const LONGEST_VERSION: usize = 100;

/// The first custom section `version` there is, as `wasm-tools metadata add --version` writes it.
fn version(bytes: &[u8]) -> Option<String> {
    let sections = Parser::new(0).parse_all(bytes);
    let versions = sections.filter_map(|payload| match payload {
        Ok(Payload::CustomSection(section)) if section.name() == "version" => {
            std::str::from_utf8(section.data()).ok().map(str::trim)
        }
        _ => None,
    });
    let mut fitting = versions.filter(|text| (1..=LONGEST_VERSION).contains(&text.len()));
    fitting.next().map(quoted)
}

/// The memories of all core modules inside, however deep.
fn memories(bytes: &[u8]) -> Result<Vec<Memory>, wasmparser::BinaryReaderError> {
    let mut memories = Vec::new();
    for payload in Parser::new(0).parse_all(bytes) {
        let Payload::MemorySection(section) = payload? else {
            continue;
        };
        for memory in section {
            let memory = memory?;
            let page = 1_u64 << memory.page_size_log2.unwrap_or(16);
            memories.push(Memory {
                minimum: memory.initial.saturating_mul(page),
                maximum: memory.maximum.map(|pages| pages.saturating_mul(page)),
            });
        }
    }
    Ok(memories)
}
