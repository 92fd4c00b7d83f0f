//! The files of one folder: which of them are plugins, and reading those that are wanted.

use std::path::{Path, PathBuf};

use crate::component::ComponentFile;
use crate::engine::Engine;
use crate::error::LoadError;
use crate::plugin::PluginOptions;
use crate::wasm_file::name_of;

/// Compiling blocks the thread: nothing else runs while a folder is loaded.
pub(crate) async fn read_all(
    engine: &Engine,
    files: &[PathBuf],
    options: impl Fn(&str) -> PluginOptions,
) -> Result<Vec<ComponentFile>, LoadError> {
    let mut components = Vec::with_capacity(files.len());
    for file in files {
        // Whoever waits for this may have been told to stop.
        tokio::task::yield_now().await;
        components.push(read(engine, file, &options)?);
    }
    Ok(components)
}

/// Reads one plugin's file, and those of the plugins that may give it what it imports.
pub(crate) async fn read_needed(
    engine: &Engine,
    folder: &Path,
    files: &[PathBuf],
    only: &str,
    options: impl Fn(&str) -> PluginOptions,
) -> Result<Vec<ComponentFile>, LoadError> {
    let Some(file) = files.iter().find(|file| name_of(file) == only) else {
        return Err(LoadError::Absent {
            plugin: only.to_owned(),
            folder: folder.to_owned(),
            present: files.iter().map(|file| name_of(file)).collect(),
        });
    };
    let mut needed = vec![read(engine, file, &options)?];
    if needed.iter().all(|component| component.wanted.is_empty()) {
        return Ok(needed);
    }
    let mut others = Vec::new();
    for file in files.iter().filter(|file| name_of(file) != only) {
        tokio::task::yield_now().await;
        match read(engine, file, &options) {
            Ok(component) => others.push(component),
            Err(error) => tracing::warn!("not loaded: {error}"),
        }
    }
    let mut at = 0;
    while let Some(importer) = needed.get(at) {
        let uses = options(&importer.name).uses;
        let (found, rest) = others
            .into_iter()
            .partition::<Vec<_>, _>(|other| importer.may_import_from(other, &uses));
        needed.extend(found);
        others = rest;
        at += 1;
    }
    Ok(needed)
}

pub(crate) fn read(
    engine: &Engine,
    file: &Path,
    options: impl Fn(&str) -> PluginOptions,
) -> Result<ComponentFile, LoadError> {
    ComponentFile::read(engine, file, &options(&name_of(file)))
}

/// The plugin files of a folder, in order of name; not deeper, and none that are hidden, as what is being copied or edited often
/// is.
pub(crate) fn files(folder: &Path) -> Result<Vec<PathBuf>, LoadError> {
    let unreadable = |cause| LoadError::Folder {
        folder: folder.to_owned(),
        cause,
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let is_hidden = path
            .file_name()
            .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if path
            .extension()
            .is_some_and(|extension| extension == "wasm")
            && !is_hidden
            && is_there(&path)
        {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Whether it is a file. One of which the system does not say so is still there: who may look at it may have changed for a moment.
fn is_there(path: &Path) -> bool {
    match std::fs::metadata(path) {
        Ok(metadata) => metadata.is_file(),
        Err(error) => error.kind() != std::io::ErrorKind::NotFound,
    }
}
