//! A loaded plugin: its compiled component, its warm instances, and calls into them.

use std::path::Path;
use std::sync::Arc;

use parking_lot::Mutex;
use poolhouse_database::{Actor, Database, Grants, Quota};
use wasmtime::Store;
use wasmtime::component::{Component, Instance, InstancePre};

use crate::database::DatabaseAccess;
use crate::engine::Engine;
use crate::error::{CallError, LoadError};
use crate::exports::Exports;
use crate::instance::{Call, Outcome, Plain, Running, Work};
use crate::limits::Limits;
use crate::scope::Scope;
use crate::state::PluginState;

/// What host.toml says of one plugin.
#[derive(Debug, Clone, Default)]
pub struct PluginOptions {
    /// None = no database.
    pub grants: Option<Grants>,
    /// What it may use.
    pub limits: Limits,
}

/// A plugin that can be called. Calls run side by side, each in an instance of its own.
pub struct Plugin {
    name: Arc<str>,
    component: Component,
    pre: InstancePre<PluginState>,
    pub(crate) exports: Exports,
    access: Arc<DatabaseAccess>,
    limits: Limits,
    warm: Mutex<Vec<Running>>,
}

impl Plugin {
    /// Reads, compiles and links one file. Takes a processor for the tenth of a second that a small
    /// component needs. Runs nothing of the guest's yet: see [`Plugin::prepare`].
    ///
    /// # Errors
    /// Where the file is not a component that this host can run; the error names the file and what to do.
    pub fn load(
        engine: &Engine,
        file: &Path,
        options: PluginOptions,
        database: Option<Database>,
    ) -> Result<Self, LoadError> {
        let name: Arc<str> = file
            .file_stem()
            .map(|stem| stem.to_string_lossy().into_owned())
            .unwrap_or_default()
            .into();
        let component = compile(engine, file)?;
        let pre = engine
            .linker()
            .instantiate_pre(&component)
            .map_err(|error| unlinkable(engine, &component, file, &error))?;
        let exports = Exports::of(engine, &component, &pre, file)?;
        let PluginOptions { grants, limits } = options;
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
                tenant: tenant.clone(),
            }),
            tenant,
            quota,
            max_handles: limits.handles,
        });
        Ok(Self {
            name,
            component,
            pre,
            exports,
            access,
            limits,
            warm: Mutex::default(),
        })
    }

    /// Applies the plugin's migrations and calls its `start`. To be called once, before any other call.
    ///
    /// # Errors
    /// Where a migration or the plugin's own start fails; then the plugin must not be used.
    pub async fn prepare(&self) -> Result<(), LoadError> {
        crate::migrations::apply(self).await?;
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
        })
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
        &self.limits
    }

    /// On whose behalf the plugin's statements run; none without a grant.
    pub fn actor(&self) -> Option<&Actor> {
        self.access.actor.as_ref()
    }

    /// A new call chain with the plugin's own `call_timeout`.
    pub fn scope(&self) -> Arc<Scope> {
        Scope::new(self.access.database.clone(), self.limits.call_timeout)
    }

    pub(crate) fn access(&self) -> &Arc<DatabaseAccess> {
        &self.access
    }

    pub(crate) fn component(&self) -> &Component {
        &self.component
    }

    pub(crate) fn call_of(&self, function: &str) -> Call {
        Call {
            function: function.into(),
            limit: self.limits.call_timeout,
            setting: "limit `call_timeout`",
        }
    }

    pub(crate) fn failed(&self, call: &Call, message: String) -> CallError {
        CallError::Failed {
            plugin: Arc::clone(&self.name),
            function: Arc::clone(&call.function),
            message,
        }
    }

    /// An instance of one's own, not taken from the warm ones and not given back.
    pub(crate) async fn instance(&self, call: &Call) -> Result<Running, CallError> {
        Running::start(&self.pre, &self.access, &self.limits, call).await
    }

    /// Calls into a warm instance, or a new one. The instance is kept unless it is dead.
    ///
    /// Cancel safety: dropped midway, the instance is dropped and the scope rolls back.
    pub(crate) async fn call<R: Outcome>(
        &self,
        scope: &Arc<Scope>,
        call: &Call,
        work: impl for<'a> FnOnce(&'a mut Store<PluginState>, &'a Instance) -> Work<'a, R>,
    ) -> Result<R, CallError> {
        let warm = self.warm.lock().pop();
        let mut running = match warm {
            Some(running) => running,
            None => self.instance(call).await?,
        };
        let result = running.call(scope, call, work).await;
        if running.is_dead() {
            drop(running);
        } else {
            let mut warm = self.warm.lock();
            if warm.len() < self.limits.instances {
                warm.push(running);
            }
        }
        result
    }
}

fn compile(engine: &Engine, file: &Path) -> Result<Component, LoadError> {
    let bytes = std::fs::read(file).map_err(|cause| LoadError::Unreadable {
        file: file.to_owned(),
        cause,
    })?;
    let not_a_component = |reason: String| LoadError::NotAComponent {
        file: file.to_owned(),
        reason,
    };
    // The four bytes after the magic number tell a core module from a component.
    match bytes.get(..8) {
        Some([0, b'a', b's', b'm', 0x0d, 0, 1, 0]) => {}
        Some([0, b'a', b's', b'm', 1, 0, 0, 0]) => {
            return Err(not_a_component(
                "it is a core WebAssembly module; build it for the target wasm32-wasip2, or wrap it with \
                 `wasm-tools component new`"
                    .to_owned(),
            ));
        }
        Some([0, b'a', b's', b'm', ..]) => {
            return Err(not_a_component(
                "its binary version is unknown; build it with a toolchain of component model 1.0"
                    .to_owned(),
            ));
        }
        _ => {
            return Err(not_a_component(
                "it does not begin like one; take it out of the folder, or build it again"
                    .to_owned(),
            ));
        }
    }
    Component::from_binary(engine.wasmtime(), &bytes).map_err(|error| {
        not_a_component(format!(
            "it is damaged ({}); build it again",
            one_line(&error)
        ))
    })
}

/// Which import the linker did not have.
fn unlinkable(
    engine: &Engine,
    component: &Component,
    file: &Path,
    error: &wasmtime::Error,
) -> LoadError {
    let ty = component.component_type();
    let import = ty
        .imports(engine.wasmtime())
        .map(|(name, _)| name.to_owned())
        .find(|name| !is_offered(name));
    match import {
        Some(import) => LoadError::Import {
            file: file.to_owned(),
            reason: "a plugin may import poolhouse:database/database and WASI 0.2, of the versions in wit/".to_owned(),
            import,
        },
        None => LoadError::Import {
            file: file.to_owned(),
            import: "an interface in a form".to_owned(),
            reason: one_line(error),
        },
    }
}

fn is_offered(import: &str) -> bool {
    let (interface, version) = import.split_once('@').unwrap_or((import, ""));
    match interface.split_once(':') {
        Some(("wasi", rest)) => {
            let package = rest.split('/').next().unwrap_or_default();
            version.starts_with("0.2.")
                && matches!(
                    package,
                    "cli" | "clocks" | "filesystem" | "io" | "random" | "sockets"
                )
        }
        Some(("poolhouse", rest)) => {
            version.starts_with("0.1.")
                && matches!(
                    rest,
                    "database/database" | "database/types" | "plugin/types" | "trading/types"
                )
        }
        _ => false,
    }
}

pub(crate) fn one_line(error: &wasmtime::Error) -> String {
    error
        .chain()
        .map(|cause| cause.to_string().replace('\n', " "))
        .collect::<Vec<_>>()
        .join(": ")
}

#[cfg(test)]
mod tests {
    use super::is_offered;

    #[test]
    fn offers_are_by_package_and_version() {
        for (import, offered) in [
            ("wasi:cli/stdout@0.2.6", true),
            ("wasi:http/types@0.2.6", false),
            ("wasi:cli/stdout@0.3.0", false),
            ("poolhouse:database/database@0.1.0", true),
            ("poolhouse:database/database@0.2.0", false),
            ("poolhouse:trading/user-service@0.1.0", false),
            ("acme:billing/invoice", false),
            ("log", false),
        ] {
            assert_eq!(is_offered(import), offered, "{import}");
        }
    }
}
