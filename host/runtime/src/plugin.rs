//! A loaded plugin: its compiled component, its warm instances, and calls into them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use poolhouse_database::{Actor, Database, Grants, Quota};
use tokio::time::Instant;
use wasmtime::Store;
use wasmtime::component::{Component, ComponentExportIndex, Instance, InstancePre, Val};

use crate::admission::Admission;
use crate::component::{ComponentFile, OfferedInterface};
use crate::database::DatabaseAccess;
use crate::declared;
use crate::engine::Engine;
use crate::error::{CallError, LONGEST_MESSAGE, LoadError, Wait, shortened};
use crate::exports::Exports;
use crate::facts::Facts;
use crate::instance::{Answered, Call, Outcome, Plain, Running, Work};
use crate::interface_name::InterfaceName;
use crate::limits::Limits;
use crate::links::{Caller, Link, Waiting};
use crate::sandbox::Sandbox;
use crate::scope::Scope;
use crate::state::PluginState;
use crate::wasm_file::one_line;

/// Of its caller's time, the most that is kept for putting away what a callee leaves when its own is over.
const LONGEST_TIDYING: Duration = Duration::from_millis(100);

/// What host.toml says of one plugin.
#[derive(Debug, Clone, Default)]
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
    name: Arc<str>,
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
    warm: Mutex<Vec<Running>>,
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
        let links: Vec<_> = wanted
            .into_iter()
            .map(|wanted| Link::new(&name, wanted))
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
        );
        Ok(Self {
            name,
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
            warm: Mutex::default(),
        })
    }

    /// Applies the plugin's migrations. To be called once, before any other call.
    ///
    /// # Errors
    /// Where a migration fails; then the plugin must not be used.
    pub(crate) async fn migrate(&self) -> Result<(), LoadError> {
        crate::migrations::apply(self).await
    }

    /// Gives its role the rights that its grants name. To be called after everybody's migrations, and before `start`.
    ///
    /// # Errors
    /// Where there is no such role, or the database's user can't take it or give it its rights.
    pub(crate) async fn grant_role(&self) -> Result<(), LoadError> {
        if let (Some(database), Some(actor)) = (&self.access.database, &self.access.actor) {
            database.grant_role(actor).await.map_err(Box::new)?;
        }
        Ok(())
    }

    /// Calls its `start`, after which other plugins may call it. To be called once, after its migrations.
    ///
    /// # Errors
    /// Where the plugin's own start fails; then the plugin must not be used.
    pub(crate) async fn start(&self) -> Result<(), LoadError> {
        let started = match &self.exports.lifecycle {
            None => Ok(()),
            Some(lifecycle) => {
                let lifecycle = lifecycle.clone();
                let call = self.call_of("lifecycle.start");
                let scope = self.scope();
                let started = self
                    .call(&scope, &call, move |store, instance| {
                        Box::pin(async move {
                            lifecycle
                                .load(&mut *store, instance)?
                                .call_start(store)
                                .await
                        })
                    })
                    .await;
                scope.finish().await;
                started.and_then(|answer| {
                    answer.map_err(|failure| self.failed(&call, failure.message))
                })
            }
        };
        started.map_err(|cause| LoadError::Start {
            plugin: Arc::clone(&self.name),
            cause: Box::new(cause),
        })?;
        self.started.store(true, Ordering::Release);
        Ok(())
    }

    /// Calls the plugin's `stop`. A failure is only logged: the plugin goes in any case.
    pub async fn stop(&self) {
        let Some(lifecycle) = self.exports.lifecycle.clone() else {
            return;
        };
        let scope = self.scope();
        let stopped = self
            .call(
                &scope,
                &self.call_of("lifecycle.stop"),
                move |store, instance| {
                    Box::pin(async move {
                        lifecycle
                            .load(&mut *store, instance)?
                            .call_stop(store)
                            .await
                            .map(Plain)
                    })
                },
            )
            .await;
        scope.finish().await;
        if let Err(error) = stopped {
            tracing::warn!(plugin = %self.name, "{error}");
        }
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

    /// A new call chain with the plugin's own `call_timeout`.
    pub fn scope(&self) -> Arc<Scope> {
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

    /// That a plugin which it imports from has gone since they were linked, for it could not be started.
    pub(crate) fn waits_for_one_that_failed(&self) -> Option<Waiting> {
        let gone = self.links.iter().find(|link| link.provider().is_none())?;
        Some(Waiting {
            plugin: Arc::clone(&self.name),
            interface: gone.interface.full().to_owned(),
            instead: "the plugin that exports it could not be started".to_owned(),
        })
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

    pub(crate) fn call_of(&self, function: &str) -> Call {
        self.call_from_host(function.into())
    }

    fn call_from_host(&self, function: Arc<str>) -> Call {
        Call {
            function,
            limit: self.sandbox.limits.call_timeout,
            setting: "limit `call_timeout`",
            spent: Duration::ZERO,
            depth: 1,
        }
    }

    pub(crate) fn failed(&self, call: &Call, message: String) -> CallError {
        CallError::Failed {
            plugin: Arc::clone(&self.name),
            function: Arc::clone(&call.function),
            message: shortened(message, LONGEST_MESSAGE),
        }
    }

    /// An instance of one's own, not taken from the warm ones and not given back. One of those makes room for it where there
    /// are as many as may be. The time it took is `call`'s.
    pub(crate) async fn instance(&self, call: &mut Call) -> Result<Running, CallError> {
        let begun = Instant::now();
        loop {
            let started = Running::start(&self.pre, &self.access, &self.sandbox, call).await;
            call.spent = begun.elapsed();
            let is_full = matches!(started, Err(CallError::TooManyInstances { .. }));
            if !is_full {
                return started;
            }
            let idle = self.warm.lock().pop();
            if idle.is_none() {
                return started;
            }
        }
    }

    /// Calls into a warm instance, or a new one. The instance is kept unless it is dead. Where the plugin is busy, the call
    /// waits its turn, no longer than it may take.
    ///
    /// Cancel safety: dropped midway, the instance is dropped and the scope rolls back.
    pub(crate) async fn call<R: Outcome>(
        &self,
        scope: &Arc<Scope>,
        call: &Call,
        work: impl for<'a> FnOnce(&'a mut Store<PluginState>, &'a Instance) -> Work<'a, R>,
    ) -> Result<R, CallError> {
        let until = (Instant::now() + call.limit).min(scope.deadline());
        let place = self.admission.in_turn(until).await;
        let _place = place.map_err(|wait| self.busy(call, wait))?;
        self.call_with(scope, call, &mut (), move |store, instance, ()| {
            work(store, instance)
        })
        .await
    }

    fn busy(&self, call: &Call, wait: Wait) -> CallError {
        CallError::Busy {
            plugin: Arc::clone(&self.name),
            function: Arc::clone(&call.function),
            calls: self.sandbox.limits.concurrent_calls,
            wait,
        }
    }

    /// [`Plugin::call`] for work on what the caller lends, with a place of its own already.
    async fn call_with<I, R: Outcome>(
        &self,
        scope: &Arc<Scope>,
        call: &Call,
        lent: &mut I,
        work: impl for<'a> FnOnce(&'a mut Store<PluginState>, &'a Instance, &'a mut I) -> Work<'a, R>,
    ) -> Result<R, CallError> {
        let warm = self.warm.lock().pop();
        let mut cold = None;
        let mut running = match warm {
            Some(running) => running,
            // Boxed, for it is much of the call's state and hardly ever needed.
            None => Box::pin(self.instance(cold.insert(call.clone()))).await?,
        };
        let call = cold.as_ref().unwrap_or(call);
        let result = running.call_with(scope, call, lent, work).await;
        if running.is_dead() {
            drop(running);
        } else {
            let mut warm = self.warm.lock();
            if warm.len() < self.sandbox.limits.warm_instances {
                warm.push(running);
            }
        }
        result
    }

    /// A call from another plugin, as a part of its call chain and no longer than the caller itself has.
    ///
    /// # Errors
    /// Those of every call, and that calls are nested too deep, the plugin has not started yet, or as many calls as may be are in it:
    /// its caller's chain may hold what those wait for, so it does not wait for them.
    pub(crate) async fn call_linked(
        &self,
        caller: &Caller,
        function: &Arc<str>,
        index: ComponentExportIndex,
        params: &[Val],
        results: &mut [Val],
    ) -> Result<(), CallError> {
        let depth = caller.depth.saturating_add(1);
        if depth > self.sandbox.limits.call_depth {
            return Err(CallError::TooDeep {
                plugin: Arc::clone(&self.name),
                function: Arc::clone(function),
                limit: self.sandbox.limits.call_depth,
            });
        }
        if !self.started.load(Ordering::Acquire) {
            return Err(CallError::NotStarted {
                plugin: Arc::clone(&self.name),
                function: Arc::clone(function),
            });
        }
        // A little less than the caller has, which is the time in which what it leaves is put away: were both over at once,
        // the caller's end would cut that off, and with it the connection of whoever called the caller.
        let left = caller.deadline.saturating_duration_since(Instant::now());
        let left = left - (left / 10).min(LONGEST_TIDYING);
        let mut call = self.call_from_host(Arc::clone(function));
        call.depth = depth;
        if left < call.limit {
            call.limit = left;
            call.setting = "what its caller had left";
        }
        let place = self.admission.at_once();
        let _place = place.map_err(|wait| self.busy(&call, wait))?;
        let begun = Instant::now();
        let mut lent = (params, results);
        let answered = self
            .call_with(
                &caller.scope,
                &call,
                &mut lent,
                move |store, instance, (params, results)| {
                    Box::pin(async move {
                        let function = instance
                            .get_func(&mut *store, index)
                            .ok_or_else(|| wasmtime::format_err!("the export has gone"))?;
                        function.call_async(store, params, results).await?;
                        Ok(Answered::of(results))
                    })
                },
            )
            .await;
        tracing::debug!(
            chain = caller.scope.id(),
            depth,
            caller = %caller.plugin,
            plugin = %self.name,
            %function,
            took = ?begun.elapsed(),
            failed = answered.as_ref().map_or(true, Outcome::failed),
            "called"
        );
        answered.map(|_| ())
    }
}
