//! The plugins of one folder: loading, linking and starting them all, and finding who exports what.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use poolhouse_database::Database;

use crate::component::ComponentFile;
use crate::engine::Engine;
use crate::error::LoadError;
use crate::exports::Interface;
use crate::links::{Waiting, resolve};
use crate::plugin::{Plugin, PluginOptions};
use crate::wasm_file::name_of;

/// The loaded plugins, in order of name.
pub struct Plugins {
    folder: PathBuf,
    plugins: Vec<Arc<Plugin>>,
    /// The same, as they were started.
    started: Vec<Arc<Plugin>>,
    waiting: Vec<Waiting>,
}

impl Plugins {
    /// Loads, links and starts every `.wasm` file of the folder, not deeper; with `only`, that one plugin and those that
    /// it imports from. A plugin that imports what nobody exports is left out and [waits](Plugins::waiting).
    ///
    /// # Errors
    /// At the first file that can't be used: all or nothing, so that a host never runs with half its plugins. Where every
    /// plugin waits, or the one of `only` does.
    pub async fn load(
        engine: &Engine,
        folder: &Path,
        only: Option<&str>,
        database: &Database,
        options: impl Fn(&str) -> PluginOptions,
    ) -> Result<Self, LoadError> {
        let files = files(folder)?;
        let components = match only {
            None => read_all(engine, &files, &options).await?,
            Some(only) => read_needed(engine, folder, &files, only, &options).await?,
        };
        let folder = folder.to_owned();
        if components.is_empty() {
            return Err(LoadError::Empty { folder });
        }
        let mut made = Vec::with_capacity(components.len());
        for component in components {
            made.push(make(engine, component, database, &options)?);
        }
        let mut resolved = resolve(&made);
        if let Some(only) = only {
            // Others that could have given it what it imports are not asked for.
            resolved.keep_needed_by(only);
        }
        if let Some(error) = resolved.wrong.into_iter().next() {
            return Err(error);
        }
        let all_wait = resolved.ready.is_empty();
        let mut waiting = resolved.waiting.clone();
        if all_wait || waiting.iter().any(|waiting| only == Some(&*waiting.plugin)) {
            // The one that was asked for first, and then those that it waits for.
            waiting.sort_by_key(|waiting| only != Some(&*waiting.plugin));
            return Err(LoadError::Waiting(waiting));
        }
        for waiting in waiting {
            tracing::warn!("{waiting}");
        }
        let mut loaded = Self {
            folder,
            plugins: Vec::new(),
            started: Vec::new(),
            waiting: resolved.waiting,
        };
        match loaded.start(resolved.ready, None).await {
            Ok(()) => Ok(loaded),
            Err(error) => {
                loaded.stop().await;
                Err(error)
            }
        }
    }

    /// Loads, links and starts every file that can be used, and says why the others can't, but for those that
    /// [wait](Plugins::waiting): for looking into what is wrong.
    ///
    /// # Errors
    /// Only where the folder itself can't be read.
    pub async fn load_usable(
        engine: &Engine,
        folder: &Path,
        database: &Database,
        options: impl Fn(&str) -> PluginOptions,
    ) -> Result<(Self, Vec<LoadError>), LoadError> {
        let mut unusable = Vec::new();
        let mut made = Vec::new();
        for file in files(folder)? {
            let plugin = read(engine, &file, &options)
                .and_then(|component| make(engine, component, database, &options));
            match plugin {
                Ok(plugin) => made.push(plugin),
                Err(error) => unusable.push(error),
            }
        }
        let resolved = resolve(&made);
        unusable.extend(resolved.wrong);
        let mut loaded = Self {
            folder: folder.to_owned(),
            plugins: Vec::new(),
            started: Vec::new(),
            waiting: resolved.waiting,
        };
        loaded.start(resolved.ready, Some(&mut unusable)).await?;
        Ok((loaded, unusable))
    }

    /// Applies the migrations of all of them, gives their roles what these made, and then starts one after the other. With
    /// `unusable`, one that fails is left out and its error put there.
    async fn start(
        &mut self,
        plugins: Vec<Arc<Plugin>>,
        mut unusable: Option<&mut Vec<LoadError>>,
    ) -> Result<(), LoadError> {
        let mut note = |error: LoadError| match &mut unusable {
            Some(unusable) => {
                unusable.push(error);
                Ok(())
            }
            None => Err(error),
        };
        let mut migrated = Vec::with_capacity(plugins.len());
        // First all of them: in a circle one may call another in its own start.
        for plugin in plugins {
            match plugin.migrate().await {
                Ok(()) => migrated.push(plugin),
                Err(error) => note(error)?,
            }
        }
        for plugin in migrated {
            if let Err(error) = plugin.grant_role().await {
                note(error)?;
                continue;
            }
            if let Some(waiting) = plugin.waits_for_one_that_failed() {
                note(LoadError::Waiting(vec![waiting]))?;
                continue;
            }
            match plugin.start().await {
                Ok(()) => self.started.push(plugin),
                Err(error) => note(error)?,
            }
        }
        self.plugins = self.started.clone();
        self.plugins.sort_by(|a, b| a.name().cmp(b.name()));
        Ok(())
    }

    /// Those that were left out, for nobody exports what they import.
    pub fn waiting(&self) -> &[Waiting] {
        &self.waiting
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

    /// Calls every plugin's `stop`, those first that import from others.
    pub async fn stop(&self) {
        for plugin in self.started.iter().rev() {
            plugin.stop().await;
        }
    }
}

/// Compiling blocks the thread: nothing else runs while a folder is loaded.
async fn read_all(
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
async fn read_needed(
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

fn read(
    engine: &Engine,
    file: &Path,
    options: impl Fn(&str) -> PluginOptions,
) -> Result<ComponentFile, LoadError> {
    ComponentFile::read(engine, file, &options(&name_of(file)))
}

fn make(
    engine: &Engine,
    component: ComponentFile,
    database: &Database,
    options: impl Fn(&str) -> PluginOptions,
) -> Result<Arc<Plugin>, LoadError> {
    let options = options(&component.name);
    let plugin = Plugin::new(engine, component, options, Some(database.clone()))?;
    plugin.facts().log();
    Ok(Arc::new(plugin))
}

/// The plugin files of a folder, in order of name; not deeper.
pub(crate) fn files(folder: &Path) -> Result<Vec<PathBuf>, LoadError> {
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
    Ok(files)
}
