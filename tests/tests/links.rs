//! Plugins that call plugins: who is found, what a call is a part of, and what comes of one that goes wrong.

#![expect(clippy::unwrap_used, reason = "a test that finds no value has failed")]

#[path = "links/calls.rs"]
mod calls;
#[path = "links/exposure.rs"]
mod exposure;
#[path = "links/finding.rs"]
mod finding;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use poolhouse_database::{Database, DatabaseUrl, Grants, PoolOptions, Settings, Tables};
use poolhouse_runtime::{
    Answer, CallError, Engine, Limits, LoadError, PluginOptions, Plugins, Scope,
};
use poolhouse_tests::{Backend, House};

/// A host in this process with one connection, so that a chain that wants two is noticed.
struct Inside {
    house: House,
    runtime: tokio::runtime::Runtime,
    engine: Engine,
    database: Database,
    plugins: Plugins,
}

impl Inside {
    fn start(
        house: House,
        options: impl Fn(&str) -> PluginOptions,
    ) -> anyhow::Result<Result<Self, LoadError>> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        let engine = Engine::new()?;
        let (database, plugins) = runtime.block_on(async {
            let database = Database::open(Settings {
                url: DatabaseUrl::parse(house.url())?,
                pool: PoolOptions {
                    pool_size: 1,
                    max_overflow: 1,
                    pool_timeout: Duration::from_secs(5),
                    ..PoolOptions::default()
                },
                busy_timeout: Duration::from_secs(5),
                echo: false,
            })?;
            let folder = house.path("plugins");
            let plugins = Plugins::load(&engine, &folder, None, &database, options).await;
            anyhow::Ok((database, plugins))
        })?;
        Ok(plugins.map(|plugins| Self {
            house,
            runtime,
            engine,
            database,
            plugins,
        }))
    }

    /// Calls a function of a plugin's in a chain of its own.
    fn call(&self, plugin: &str, path: &str, arguments: &[&str]) -> Result<Answer, CallError> {
        let plugin = self.plugins.get(plugin).unwrap();
        self.call_in(&plugin.scope(), plugin.name(), path, arguments)
    }

    fn call_in(
        &self,
        scope: &Arc<Scope>,
        plugin: &str,
        path: &str,
        arguments: &[&str],
    ) -> Result<Answer, CallError> {
        let plugin = self.plugins.get(plugin).unwrap();
        let arguments: Vec<_> = arguments.iter().map(|text| (*text).to_owned()).collect();
        self.runtime.block_on(async {
            let answer = plugin
                .call_by_name(&self.engine, scope, path, &arguments)
                .await;
            scope.finish().await;
            answer
        })
    }

    /// Nothing is lent out, and no transaction is open on the server.
    fn is_clean(&self) {
        let until = std::time::Instant::now() + Duration::from_secs(5);
        while self.database.stats().checked_out > 0 {
            assert!(
                std::time::Instant::now() < until,
                "a connection is still lent out"
            );
            std::thread::yield_now();
        }
        if self.house.server().is_some() {
            let open = "SELECT state || ': ' || query FROM pg_stat_activity WHERE datname = current_database() \
                        AND state <> 'idle' AND pid <> pg_backend_pid()";
            while !self.house.query(open).unwrap().is_empty() {
                assert!(
                    std::time::Instant::now() < until,
                    "a transaction is still open"
                );
            }
        }
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        self.runtime.block_on(async {
            self.plugins.stop().await;
            self.database.close(Duration::from_secs(5)).await;
        });
    }
}

fn grants(tables: &[&str]) -> Grants {
    let tables = || Tables::Some(tables.iter().map(|table| (*table).to_owned()).collect());
    Grants {
        read: tables(),
        write: tables(),
        migrate: false,
        separate: true,
        ..Grants::default()
    }
}

fn uses(interface: &str, plugin: &str) -> BTreeMap<String, String> {
    BTreeMap::from([(interface.to_owned(), plugin.to_owned())])
}

fn limits(call_timeout: Duration) -> Limits {
    Limits {
        call_timeout,
        ..Limits::default()
    }
}

fn empty(backend: Backend) -> anyhow::Result<House> {
    House::empty(backend)
}
