//! Looks into one plugin's file: whether this host can link it and what it would need. Has no database, and runs nothing of
//! the guest's but what tells its tables, parameters and warm-up, within the limits of every call.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use wasmtime::component::Component;
use wasmtime::component::types::ComponentItem;

use crate::bindings::exports::poolhouse::plugin::migrations::Dialect;
use crate::component::{ComponentFile, Origin, functions_of, is_for_host, origin};
use crate::engine::Engine;
use crate::error::{CallError, LoadError};
use crate::facts::Facts;
use crate::folder;
use crate::generation::Pinned;
use crate::links::{resolve, source};
use crate::migrations;
use crate::plugin::{Plugin, PluginOptions};
use crate::trading::{Description, Parameter, StrategyInstance, describe};
use crate::wasm_file::{WasmFile, name_of, quoted};

/// What a look into a file found.
#[derive(Debug)]
pub struct Inspection {
    /// What its bytes tell.
    pub facts: Facts,
    /// What it imports, in its own order.
    pub imports: Vec<Import>,
    /// What it exports, in its own order.
    pub exports: Vec<Export>,
    /// Why this host can't load it as things stand, in sentences; empty = it can.
    pub troubles: Vec<String>,
    /// Why no host of this version could load it, whatever lies beside it: it imports what is not to be had, or its
    /// migrations can't be asked.
    pub unlinkable: Option<String>,
    /// Its migrations; none where it has none, or could not be asked.
    pub migrations: Option<Result<Migrations, CallError>>,
    /// Its strategy; none where it is no strategy, or could not be asked.
    pub strategy: Option<Result<Strategy, CallError>>,
}

/// Something that a component imports.
#[derive(Debug)]
pub struct Import {
    /// With its version, as the component has it.
    pub name: String,
    /// Who gives it.
    pub source: Source,
}

/// Who gives an import.
#[derive(Debug, PartialEq, Eq)]
pub enum Source {
    /// The host.
    Host,
    /// The plugin of that name.
    Plugin(Arc<str>),
    /// Nobody, for this reason.
    Nobody(String),
}

/// Something that a component exports.
#[derive(Debug)]
pub struct Export {
    /// With its version, as the component has it.
    pub name: String,
    /// The functions of an interface, the methods of its resources among them.
    pub functions: Vec<String>,
    /// Only the host calls it.
    pub is_for_host: bool,
}

/// What a plugin says of its migrations.
#[derive(Debug, Default)]
pub struct Migrations {
    /// How many there are, of whichever dialect has more.
    pub count: usize,
    /// The tables that they make.
    pub tables: Vec<String>,
    /// The grant that they need, as a line of the plugin's section in host.toml.
    pub grant: String,
}

/// What a strategy says of itself.
#[derive(Debug)]
pub struct Strategy {
    /// Its parameters.
    pub description: Description,
    /// Of an instance with the defaults; none where a parameter has none.
    pub warm_up_bars: Option<Result<u32, CallError>>,
}

/// Looks into a file. Other plugins that it imports from are looked for in `plugins`, if there is such a folder.
///
/// # Errors
/// Where the file is no component, or can't be read.
pub async fn inspect(
    engine: &Engine,
    path: &Path,
    plugins: &Path,
    options: impl Fn(&str) -> PluginOptions,
) -> Result<Inspection, LoadError> {
    let file = WasmFile::read(path)?;
    // Nobody trusts it yet, so it has nothing of what its name may be granted.
    let own = PluginOptions {
        grants: None,
        environment: Vec::new(),
        folders: Default::default(),
        ..options(&file.name)
    };
    let pinned = file.check_pin(&own);
    let (component, compile_time) = file.compile(engine)?;
    let facts = Facts::of(engine, &file, &component, compile_time)?;
    let mut found = Inspection {
        imports: imports(engine, &component),
        exports: exports(engine, &component),
        troubles: Vec::new(),
        unlinkable: None,
        migrations: None,
        strategy: None,
        facts: facts.clone(),
    };
    for import in &found.imports {
        if let Source::Nobody(reason) = &import.source {
            found.troubles.push(
                LoadError::Import {
                    file: path.to_owned(),
                    import: import.name.clone(),
                    reason: reason.clone(),
                }
                .to_string(),
            );
        }
    }
    let made = ComponentFile::of(engine, component, facts)
        .and_then(|component| Plugin::new(engine, component, own, None, Arc::default()));
    match made {
        Ok(plugin) => {
            let plugin = Arc::new(plugin);
            link(engine, &plugin, plugins, &options, &mut found);
            // A file that the host would not run is not run here.
            if pinned.is_ok() {
                found.migrations = ask_migrations(&plugin).await;
                found.strategy = ask_strategy(&plugin).await;
                if let Some(Err(error)) = &found.migrations {
                    found.troubles.push(error.to_string());
                    found.unlinkable = Some(error.to_string());
                }
            }
        }
        Err(error) => {
            if found.troubles.is_empty() {
                found.troubles.push(error.to_string());
            }
            found.unlinkable = found.troubles.first().cloned();
        }
    }
    if let Err(error) = pinned {
        found.troubles.push(error.to_string());
    }
    Ok(found)
}

/// All of them as if every interface of plain data were given by nobody yet.
fn imports(engine: &Engine, component: &Component) -> Vec<Import> {
    let ty = component.component_type();
    let imports = ty.imports(engine.wasmtime()).map(|(name, item)| Import {
        name: quoted(name),
        source: match origin(engine, name, item.ty) {
            // Who gives the second kind is found out when it is linked.
            Origin::Host | Origin::Plugin(_) => Source::Host,
            Origin::Nobody(reason) => Source::Nobody(reason),
        },
    });
    imports.collect()
}

fn exports(engine: &Engine, component: &Component) -> Vec<Export> {
    let ty = component.component_type();
    let exports = ty.exports(engine.wasmtime()).map(|(name, item)| {
        let parent = component.get_export_index(None, name);
        let functions = match (&item.ty, parent) {
            (ComponentItem::ComponentInstance(interface), Some(parent)) => {
                functions_of(engine, component, &parent, interface)
            }
            _ => Vec::new(),
        };
        Export {
            name: quoted(name),
            functions: functions.iter().map(|(name, ..)| quoted(name)).collect(),
            is_for_host: is_for_host(name),
        }
    });
    exports.collect()
}

/// Links the plugin to those of the folder, and notes who gives it what.
fn link(
    engine: &Engine,
    plugin: &Arc<Plugin>,
    folder: &Path,
    options: impl Fn(&str) -> PluginOptions,
    found: &mut Inspection,
) {
    if plugin.links().is_empty() {
        return;
    }
    // One that can't be used gives nothing, and why is not asked here.
    let mut all: Vec<_> = folder::files(folder)
        .unwrap_or_default()
        .iter()
        .filter(|file| name_of(file) != **plugin.name())
        .filter_map(|file| {
            let options = options(&name_of(file));
            let component = ComponentFile::read(engine, file, &options).ok()?;
            Plugin::new(engine, component, options, None, Arc::default()).ok()
        })
        .map(Arc::new)
        .collect();
    all.push(Arc::clone(plugin));
    let ready: BTreeSet<_> = resolve(&all, |_| false)
        .ready
        .iter()
        .map(|plugin| Arc::clone(plugin.name()))
        .collect();
    for link in plugin.links() {
        let source = match source(plugin, link, &all) {
            // Where the plugin itself is ready, so are all that it imports from.
            Ok(provider) if ready.contains(&provider) || ready.contains(plugin.name()) => {
                Source::Plugin(provider)
            }
            Ok(provider) => {
                let waits =
                    format!("plugin \"{provider}\" exports it and can't be used itself yet");
                found.troubles.push(format!(
                    "plugin \"{}\" waits for {}: {waits}",
                    plugin.name(),
                    link.interface
                ));
                Source::Nobody(waits)
            }
            Err(reason) => {
                found.troubles.push(reason.clone());
                Source::Nobody(reason)
            }
        };
        let mut imports = found.imports.iter_mut();
        if let Some(import) = imports.find(|import| import.name == link.interface.full()) {
            import.source = source;
        }
    }
}

async fn ask_migrations(plugin: &Plugin) -> Option<Result<Migrations, CallError>> {
    let exports = plugin.exports.migrations.as_ref()?;
    let mut all = Migrations::default();
    let mut tables = BTreeSet::new();
    for dialect in [Dialect::Sqlite, Dialect::Postgresql] {
        match migrations::ask(plugin, exports.clone(), dialect).await {
            Ok(migrations) => {
                all.count = all.count.max(migrations.len());
                tables.extend(migrations.iter().flat_map(migrations::tables));
            }
            Err(error) => return Some(Err(error)),
        }
    }
    all.grant = migrations::grant_for(&tables);
    all.tables = tables.into_iter().collect();
    Some(Ok(all))
}

async fn ask_strategy(plugin: &Arc<Plugin>) -> Option<Result<Strategy, CallError>> {
    plugin.exports.strategy.as_ref()?;
    let plugin = Pinned::new(&Arc::default(), plugin);
    let scope = plugin.scope();
    let description = match describe(&plugin, &scope).await {
        Ok(description) => description,
        Err(error) => return Some(Err(error)),
    };
    let defaults: Option<Vec<_>> = description
        .parameters
        .iter()
        .map(|parameter| {
            Some(Parameter {
                name: parameter.name.clone(),
                value: parameter.default.clone()?,
            })
        })
        .collect();
    let warm_up_bars = match defaults {
        Some(defaults) => {
            let timeout = plugin.limits().call_timeout;
            let scope = plugin.scope();
            let made = StrategyInstance::create(&plugin, &scope, defaults, timeout).await;
            Some(made.map(|instance| instance.warm_up_bars()))
        }
        None => None,
    };
    Some(Ok(Strategy {
        description,
        warm_up_bars,
    }))
}
