//! The plugins of one folder, which come and go: loading them, finding who exports what, and what all of them are doing.

mod change;
mod drain;
mod status;
mod watching;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use poolhouse_database::Database;
use tokio::sync::{Mutex as AsyncMutex, watch};

use crate::component::ComponentFile;
use crate::engine::Engine;
use crate::error::LoadError;
use crate::exports::Interface;
use crate::folder::{files, read, read_all, read_needed};
use crate::generation::{Generation, Member, Pinned};
use crate::links::{Resolved, Waiting, resolve};
use crate::plugin::{Plugin, PluginOptions};

use change::Candidates;
pub use change::{Again, Changed};
use drain::Drains;
use status::Book;
pub use status::{PluginState, PluginStatus};
use watching::Writing;

/// The plugins of a folder. A clone is another handle to the same.
#[derive(Clone)]
pub struct Plugins {
    shared: Arc<Shared>,
}

struct Shared {
    engine: Engine,
    folder: PathBuf,
    database: Database,
    current: RwLock<Arc<Generation>>,
    /// Held by the one change that may be under way.
    candidates: AsyncMutex<Candidates>,
    book: Mutex<Book>,
    writing: Mutex<Writing>,
    drains: Drains,
    /// How often the plugins have changed.
    changes: watch::Sender<u64>,
}

impl Plugins {
    /// Loads, links and starts every `.wasm` file of the folder, not deeper; with `only`, that one plugin and those that
    /// it imports from. A plugin that imports what nobody exports is left out and [waits](Plugins::waiting).
    ///
    /// # Errors
    /// At the first file that can't be used: all or nothing, so that a host never starts with half its plugins. Where every
    /// plugin waits, or the one of `only` does.
    pub async fn load(
        engine: &Engine,
        folder: &Path,
        only: Option<&str>,
        database: &Database,
        options: impl Fn(&str) -> PluginOptions,
    ) -> Result<Self, LoadError> {
        let plugins = Self::empty(engine, folder, database);
        let files = files(folder)?;
        let components = match only {
            None => read_all(engine, &files, &options).await?,
            Some(only) => read_needed(engine, folder, &files, only, &options).await?,
        };
        if components.is_empty() {
            return Err(LoadError::Empty {
                folder: folder.to_owned(),
            });
        }
        let mut made = Vec::with_capacity(components.len());
        for component in components {
            made.push(plugins.make(component, &options)?);
        }
        let mut resolved = resolve(&made, |_| false);
        if let Some(only) = only {
            // Others that could have given it what it imports are not asked for.
            resolved.keep_needed_by(only);
        }
        if !resolved.wrong.is_empty() {
            return Err(resolved.wrong.swap_remove(0));
        }
        let mut waiting = resolved.waiting.clone();
        if resolved.ready.is_empty() || waiting.iter().any(|waiting| only == Some(&*waiting.plugin))
        {
            // The one that was asked for first, and then those that it waits for.
            waiting.sort_by_key(|waiting| only != Some(&*waiting.plugin));
            return Err(LoadError::Waiting(waiting));
        }
        for waiting in waiting {
            tracing::warn!("{waiting}");
        }
        let generation = generation_of(&resolved);
        if let Err((_, error)) = start(&resolved.ready, &generation).await {
            return Err(error);
        }
        plugins.begin_with(generation, &made).await;
        Ok(plugins)
    }

    /// Like [`Plugins::load`], but leaves out every plugin that can't be used, and answers why.
    ///
    /// # Errors
    /// Only where the folder can't be read.
    pub async fn load_usable(
        engine: &Engine,
        folder: &Path,
        database: &Database,
        options: impl Fn(&str) -> PluginOptions,
    ) -> Result<(Self, Vec<LoadError>), LoadError> {
        let plugins = Self::empty(engine, folder, database);
        let mut unusable = Vec::new();
        let mut made = Vec::new();
        for file in files(folder)? {
            let plugin = read(engine, &file, &options)
                .and_then(|component| plugins.make(component, &options));
            match plugin {
                Ok(plugin) => made.push(plugin),
                Err(error) => unusable.push(error),
            }
        }
        loop {
            let resolved = resolve(&made, |_| false);
            let generation = generation_of(&resolved);
            match start(&resolved.ready, &generation).await {
                Ok(()) => {
                    unusable.extend(resolved.wrong);
                    plugins.begin_with(generation, &made).await;
                    return Ok((plugins, unusable));
                }
                // Those that import from it wait from now on.
                Err((failed, error)) => {
                    unusable.push(error);
                    made.retain(|plugin| plugin.id() != failed.id());
                }
            }
        }
    }

    fn empty(engine: &Engine, folder: &Path, database: &Database) -> Self {
        Self {
            shared: Arc::new(Shared {
                engine: engine.clone(),
                folder: folder.to_owned(),
                database: database.clone(),
                current: RwLock::default(),
                candidates: AsyncMutex::default(),
                book: Mutex::default(),
                writing: Mutex::default(),
                drains: Drains::default(),
                changes: watch::Sender::new(0),
            }),
        }
    }

    fn make(
        &self,
        component: ComponentFile,
        options: impl Fn(&str) -> PluginOptions,
    ) -> Result<Arc<Plugin>, LoadError> {
        let options = options(&component.name);
        let counters = self.shared.book.lock().counters(&component.name);
        let plugin = Plugin::new(
            &self.shared.engine,
            component,
            options,
            Some(self.shared.database.clone()),
            counters,
        )?;
        plugin.facts().log();
        let file = (plugin.facts().version.clone(), plugin.facts().sha256);
        self.shared.book.lock().has_file(plugin.name(), Some(file));
        Ok(Arc::new(plugin))
    }

    /// What was made and is not ready may become so when others come.
    async fn begin_with(&self, generation: Arc<Generation>, made: &[Arc<Plugin>]) {
        for plugin in generation.plugins() {
            self.shared.book.lock().runs(plugin.name());
        }
        let mut candidates = self.shared.candidates.lock().await;
        for plugin in made.iter().filter(|plugin| !generation.has(plugin)) {
            candidates.add(plugin);
        }
        *self.shared.current.write() = generation;
    }

    /// Those of this moment.
    pub(crate) fn current(&self) -> Arc<Generation> {
        Arc::clone(&self.shared.current.read())
    }

    /// Those that were left out, for nobody exports what they import.
    pub fn waiting(&self) -> Vec<Waiting> {
        self.current().waiting().to_vec()
    }

    /// See [`Engine::fewer_instances_than`].
    pub fn fewer_instances_than(&self, wanted: usize) -> Option<usize> {
        self.shared.engine.fewer_instances_than(wanted)
    }

    /// Where they are loaded from.
    pub fn folder(&self) -> &Path {
        &self.shared.folder
    }

    /// All of them, in order of name.
    pub fn iter(&self) -> impl Iterator<Item = Pinned> {
        let current = self.current();
        let all: Vec<_> = current
            .plugins()
            .map(|plugin| Pinned::new(&current, plugin))
            .collect();
        all.into_iter()
    }

    /// The plugin of that name.
    pub fn get(&self, name: &str) -> Option<Pinned> {
        let current = self.current();
        let plugin = current.get(name)?;
        Some(Pinned::new(&current, plugin))
    }

    /// The plugins that export the interface, in order of name.
    pub fn exporters(&self, interface: Interface) -> impl Iterator<Item = Pinned> {
        self.iter()
            .filter(move |plugin| plugin.exports.has(interface))
    }

    /// What is told of every change of the plugins, after it: how many there have been.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.shared.changes.subscribe()
    }

    /// Calls every plugin's `stop`, those first that import from others. Nothing changes any more.
    pub async fn stop(&self) {
        let mut candidates = self.shared.candidates.lock().await;
        candidates.close();
        self.shared.drains.finish().await;
        let current = self.current();
        for plugin in current.in_order().rev() {
            plugin.stop(&current).await;
        }
    }
}

fn generation_of(resolved: &Resolved) -> Arc<Generation> {
    Arc::new(Generation::of(resolved, |plugin| {
        Member::new(Arc::clone(plugin))
    }))
}

/// Applies the migrations of all of them that have not started, gives their roles what these made, and then starts one after the
/// other.
///
/// # Errors
/// At the first that fails, with that one.
async fn start(
    plugins: &[Arc<Plugin>],
    among: &Arc<Generation>,
) -> Result<(), (Arc<Plugin>, LoadError)> {
    let fresh = || plugins.iter().filter(|plugin| !plugin.has_started());
    let failed = |plugin: &Arc<Plugin>, error| (Arc::clone(plugin), error);
    // First all of them: in a circle one may call another in its own start.
    for plugin in fresh() {
        let migrated = plugin.migrate().await;
        migrated.map_err(|error| failed(plugin, error))?;
    }
    for plugin in fresh() {
        let granted = plugin.grant_role().await;
        granted.map_err(|error| failed(plugin, error))?;
        let started = plugin.start(among).await;
        started.map_err(|error| failed(plugin, error))?;
    }
    Ok(())
}
