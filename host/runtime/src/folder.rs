//! The plugins of one folder: loading them all, and finding who exports what.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use poolhouse_database::Database;

use crate::engine::Engine;
use crate::error::LoadError;
use crate::exports::Interface;
use crate::plugin::{Plugin, PluginOptions};

/// The loaded plugins, in order of name.
pub struct Plugins {
    folder: PathBuf,
    plugins: Vec<Arc<Plugin>>,
}

impl Plugins {
    /// Loads and prepares every `.wasm` file of the folder, not deeper; with `only`, that one plugin.
    ///
    /// # Errors
    /// At the first file that can't be used: all or nothing, so that a host never runs with half its plugins.
    pub async fn load(
        engine: &Engine,
        folder: &Path,
        only: Option<&str>,
        database: &Database,
        options: impl Fn(&str) -> PluginOptions,
    ) -> Result<Self, LoadError> {
        let mut plugins = Vec::new();
        for file in files(folder, only)? {
            // Whoever waits for this may have been told to stop.
            tokio::task::yield_now().await;
            plugins.push(Arc::new(load_file(engine, &file, database, &options)?));
        }
        let folder = folder.to_owned();
        if plugins.is_empty() {
            return Err(LoadError::Empty { folder });
        }
        let mut prepared = Self {
            folder,
            plugins: Vec::with_capacity(plugins.len()),
        };
        for plugin in plugins {
            if let Err(error) = plugin.prepare().await {
                prepared.stop().await;
                return Err(error);
            }
            prepared.plugins.push(plugin);
        }
        Ok(prepared)
    }

    /// Loads and prepares every file that can be used, and says why the others can't: for looking into what is wrong.
    ///
    /// # Errors
    /// Only where the folder itself can't be read.
    pub async fn load_usable(
        engine: &Engine,
        folder: &Path,
        database: &Database,
        options: impl Fn(&str) -> PluginOptions,
    ) -> Result<(Self, Vec<LoadError>), LoadError> {
        let mut plugins = Vec::new();
        let mut unusable = Vec::new();
        for file in files(folder, None)? {
            let plugin = match load_file(engine, &file, database, &options) {
                Ok(plugin) => plugin,
                Err(error) => {
                    unusable.push(error);
                    continue;
                }
            };
            match plugin.prepare().await {
                Ok(()) => plugins.push(Arc::new(plugin)),
                Err(error) => unusable.push(error),
            }
        }
        let folder = folder.to_owned();
        Ok((Self { folder, plugins }, unusable))
    }

    /// Where they were loaded from.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// All of them, in order of name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Plugin>> {
        self.plugins.iter()
    }

    /// The plugin of that name.
    pub fn get(&self, name: &str) -> Option<&Arc<Plugin>> {
        self.plugins.iter().find(|plugin| &**plugin.name() == name)
    }

    /// The plugins that export the interface, in order of name.
    pub fn exporters(&self, interface: Interface) -> impl Iterator<Item = &Arc<Plugin>> {
        self.plugins
            .iter()
            .filter(move |plugin| plugin.exports.has(interface))
    }

    /// Calls every plugin's `stop`.
    pub async fn stop(&self) {
        for plugin in &self.plugins {
            plugin.stop().await;
        }
    }
}

/// Compiling blocks the thread: nothing else runs while a folder is loaded.
fn load_file(
    engine: &Engine,
    file: &Path,
    database: &Database,
    options: impl Fn(&str) -> PluginOptions,
) -> Result<Plugin, LoadError> {
    let plugin = Plugin::load(engine, file, options(&stem(file)), Some(database.clone()))?;
    tracing::info!(plugin = %plugin.name(), file = %file.display(), "loaded");
    Ok(plugin)
}

/// The plugin files of a folder, in order of name; not deeper.
fn files(folder: &Path, only: Option<&str>) -> Result<Vec<PathBuf>, LoadError> {
    let unreadable = |cause| LoadError::Folder {
        folder: folder.to_owned(),
        cause,
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "wasm")
            && path.is_file()
        {
            files.push(path);
        }
    }
    files.sort();
    if let Some(only) = only {
        let present = files.iter().map(|file| stem(file)).collect();
        files.retain(|file| stem(file) == only);
        if files.is_empty() {
            return Err(LoadError::Absent {
                plugin: only.to_owned(),
                folder: folder.to_owned(),
                present,
            });
        }
    }
    Ok(files)
}

fn stem(file: &Path) -> String {
    file.file_stem()
        .map(|stem| stem.to_string_lossy().into_owned())
        .unwrap_or_default()
}
