//! A loaded plugin: its compiled component, what it may use, and its warm instances.

mod calls;
mod lifecycle;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use poolhouse_database::{Actor, Database, Grants, Quota};
use wasmtime::component::{Component, InstancePre};

use crate::admission::Admission;
use crate::component::{ComponentFile, OfferedInterface};
use crate::database::DatabaseAccess;
use crate::declared;
use crate::engine::Engine;
use crate::error::LoadError;
use crate::exports::Exports;
use crate::facts::Facts;
use crate::interface_name::InterfaceName;
use crate::limits::Limits;
use crate::links::Link;
use crate::sandbox::{Counters, Sandbox};
use crate::scope::Scope;
use crate::state::PluginState;
use crate::warm::Warm;
use crate::wasm_file::one_line;

static NEXT_PLUGIN: AtomicU64 = AtomicU64::new(1);

/// Tells a plugin from every other that was ever made in this process, such as another version of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct PluginId(u64);

/// What host.toml says of one plugin.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PluginOptions {
    /// None = no database.
    pub grants: Option<Grants>,
    /// The PostgreSQL role whose rights its statements run with; none = the login's own.
    pub role: Option<Arc<str>>,
    /// What it may use.
    pub limits: Limits,
    /// Environment variables that it sees, with their values.
    pub environment: Vec<(String, String)>,
    /// Folders that it may read, by the path under which it sees them.
    pub folders: BTreeMap<String, PathBuf>,
    /// What its file's SHA-256 must be; none = whatever it is.
    pub sha256: Option<[u8; 32]>,
    /// Whether it is refused without one.
    pub require_pin: bool,
    /// Which plugin gives it an interface, by the interface's name with its version or without; needed only where
    /// several could.
    pub uses: BTreeMap<String, String>,
}

/// A plugin that can be called. Calls run side by side, each in an instance of its own.
pub struct Plugin {
    id: PluginId,
    name: Arc<str>,
    /// As it was made with.
    options: PluginOptions,
    component: Component,
    facts: Facts,
    pre: InstancePre<PluginState>,
    pub(crate) exports: Exports,
    offered: Vec<OfferedInterface>,
    links: Vec<Arc<Link>>,
    uses: BTreeMap<String, String>,
    access: Arc<DatabaseAccess>,
    sandbox: Arc<Sandbox>,
    admission: Admission,
    /// Its start is over: other plugins may call it.
    started: AtomicBool,
    /// Its migrations were applied.
    migrated: AtomicBool,
    warm: Warm,
}

impl Plugin {
    /// Makes a plugin of a component: offers it what it imports, and makes it a tenant of the pool. Runs nothing of the
    /// guest's yet; its imports from other plugins are still to be bound.
    ///
    /// # Errors
    /// Where the host has not what it wants, or it exports an interface of ours in another form; the error names the file
    /// and what to do.
    pub(crate) fn new(
        engine: &Engine,
        component_file: ComponentFile,
        options: PluginOptions,
        database: Option<Database>,
        counters: Arc<Counters>,
    ) -> Result<Self, LoadError> {
        let ComponentFile {
            name,
            file,
            component,
            facts,
            wanted,
            offered,
        } = component_file;
        declared::check(&component, &name, &options.limits)?;
        let as_given = options.clone();
        let id = PluginId(NEXT_PLUGIN.fetch_add(1, Ordering::Relaxed));
        let links: Vec<_> = wanted
            .into_iter()
            .enumerate()
            .map(|(at, wanted)| Link::new(&name, id, at, wanted))
            .collect();
        for key in options.uses.keys() {
            let is_import =
                |link: &Arc<Link>| [link.interface.full(), link.interface.bare()].contains(&&**key);
            if !links.iter().any(is_import) {
                tracing::warn!(
                    "[plugins.{}.use] in host.toml names {key}, which plugin \"{name}\" does not import from another plugin: is it misspelt?",
                    poolhouse_database::toml_key(&name)
                );
            }
        }
        let unlinkable = |error: wasmtime::Error| LoadError::Import {
            file: file.clone(),
            import: "an interface in a form".to_owned(),
            reason: one_line(&error),
        };
        let mut linker = engine.linker().clone();
        for link in &links {
            link.add_to_linker(&mut linker).map_err(unlinkable)?;
        }
        let pre = linker.instantiate_pre(&component).map_err(unlinkable)?;
        let exports = Exports::of(engine, &component, &pre, &file)?;
        let PluginOptions {
            grants,
            role,
            limits,
            environment,
            folders,
            sha256: _,
            require_pin: _,
            uses,
        } = options;
        let quota = Quota {
            max: Some(limits.connections),
            reserved: limits.reserved_connections,
        };
        let tenant = match &database {
            Some(database) if grants.is_some() => Some(database.tenant(&name, quota)),
            _ => None,
        };
        let tenant = tenant.transpose().map_err(|cause| LoadError::Connections {
            plugin: Arc::clone(&name),
            cause: Box::new(cause),
        })?;
        let access = Arc::new(DatabaseAccess {
            plugin: Arc::clone(&name),
            database,
            actor: grants.map(|grants| Actor {
                plugin: Arc::clone(&name),
                grants,
                max_rows: limits.rows,
                max_bytes: limits.bytes,
                statement_timeout: Some(limits.statement_timeout),
                transaction_timeout: Some(limits.transaction_timeout),
                role,
                // What it calls may write in its transactions, by grants of its own.
                composes: !links.is_empty(),
                tenant: tenant.clone(),
            }),
            tenant,
            quota,
            max_handles: limits.handles,
        });
        let sandbox = Sandbox::new(
            &name,
            limits.clone(),
            environment,
            folders,
            engine.memory_maps(),
            declared::memory_maps(&component),
            counters,
        );
        Ok(Self {
            id,
            name,
            options: as_given,
            component,
            facts,
            pre,
            exports,
            offered,
            links,
            uses,
            access,
            admission: Admission::new(limits.concurrent_calls, limits.waiting_calls),
            sandbox: Arc::new(sandbox),
            started: AtomicBool::new(false),
            migrated: AtomicBool::new(false),
            warm: Warm::default(),
        })
    }

    /// The file's name without `.wasm`.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// What it may use.
    pub fn limits(&self) -> &Limits {
        &self.sandbox.limits
    }

    /// On whose behalf the plugin's statements run; none without a grant.
    pub fn actor(&self) -> Option<&Actor> {
        self.access.actor.as_ref()
    }

    pub(crate) fn id(&self) -> PluginId {
        self.id
    }

    /// What host.toml said of it when it was made.
    pub(crate) fn options(&self) -> &PluginOptions {
        &self.options
    }

    pub(crate) fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// Its warm instances.
    pub(crate) fn warm(&self) -> &Warm {
        &self.warm
    }

    /// A new call chain with the plugin's own `call_timeout`, of no generation yet.
    pub(crate) fn scope(&self) -> Arc<Scope> {
        Scope::new(
            self.access.database.clone(),
            self.sandbox.limits.call_timeout,
        )
    }

    pub(crate) fn access(&self) -> &Arc<DatabaseAccess> {
        &self.access
    }

    /// What could be told of its component before it was linked.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    pub(crate) fn component(&self) -> &Component {
        &self.component
    }

    /// What it has from other plugins.
    pub(crate) fn links(&self) -> &[Arc<Link>] {
        &self.links
    }

    /// What other plugins can have of it.
    pub(crate) fn offered(&self) -> &[OfferedInterface] {
        &self.offered
    }

    /// The plugin that host.toml says the interface is to come from.
    pub(crate) fn chosen(&self, interface: &InterfaceName) -> Option<&str> {
        self.uses
            .get(interface.full())
            .or_else(|| self.uses.get(interface.bare()))
            .map(String::as_str)
    }
}
