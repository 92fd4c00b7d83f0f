//! Every limit of a plugin's at its edge, and what WASI gives it: what its guest meets, and that others do not notice.

#![expect(clippy::unwrap_used, reason = "a test that finds no value has failed")]

#[path = "limits/calls.rs"]
mod calls;
#[path = "limits/log.rs"]
mod log;
#[path = "limits/memory.rs"]
mod memory;
#[path = "limits/start.rs"]
mod start;
#[path = "limits/wasi.rs"]
mod wasi;

use std::fs;
use std::time::Duration;

use poolhouse_database::{Database, DatabaseUrl, Grants, Settings, Tables};
use poolhouse_runtime::{
    Answer, CallError, Engine, Limits, LoadError, Pinned, PluginOptions, Plugins,
};
use poolhouse_tests::{House, test_guest};

/// A host in this process, on a database of SQLite's.
struct Inside {
    house: House,
    runtime: tokio::runtime::Runtime,
    engine: Engine,
    database: Database,
    plugins: Plugins,
}

impl Inside {
    /// With the components that are in the house.
    fn on(house: House, options: impl Fn(&str) -> PluginOptions) -> Result<Self, LoadError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        house.write("house.db", "").unwrap();
        let url = DatabaseUrl::parse(house.url()).unwrap();
        let engine = Engine::new().unwrap();
        let (database, plugins) = runtime.block_on(async {
            let database = Database::open(Settings::new(url)).unwrap();
            let folder = house.path("plugins");
            let plugins = Plugins::load(&engine, &folder, None, &database, options).await;
            (database, plugins)
        });
        Ok(Self {
            house,
            runtime,
            engine,
            database,
            plugins: plugins?,
        })
    }

    /// With the guest `edges`, once as `culprit` and once, with the defaults, as `bystander`.
    fn edges(culprit: PluginOptions) -> anyhow::Result<Self> {
        let house = House::sqlite()?;
        for name in ["culprit", "bystander"] {
            let file = house.path(&format!("plugins/{name}.wasm"));
            fs::copy(test_guest("edges")?, file)?;
        }
        Ok(Self::on(house, |name| match name {
            "culprit" => culprit.clone(),
            _ => PluginOptions::default(),
        })?)
    }

    fn limited(limits: Limits) -> anyhow::Result<Self> {
        Self::edges(PluginOptions {
            limits,
            ..PluginOptions::default()
        })
    }

    /// With one component in WebAssembly's text, as `culprit`.
    fn text(text: &str, limits: Limits) -> anyhow::Result<Self> {
        let house = House::sqlite()?;
        house.write("plugins/culprit.wasm", wat::parse_str(text)?)?;
        Ok(Self::on(house, |_| PluginOptions {
            limits: limits.clone(),
            ..PluginOptions::default()
        })?)
    }

    /// The same with a grant to read everything.
    fn granted(text: &str) -> anyhow::Result<Self> {
        let house = House::sqlite()?;
        house.write("plugins/culprit.wasm", wat::parse_str(text)?)?;
        Ok(Self::on(house, |_| PluginOptions {
            grants: Some(reads_everything()),
            ..PluginOptions::default()
        })?)
    }

    fn plugin(&self, name: &str) -> Pinned {
        self.plugins.get(name).unwrap()
    }

    async fn calling(
        &self,
        name: &str,
        path: &str,
        arguments: &[&str],
    ) -> Result<Answer, CallError> {
        let plugin = self.plugin(name);
        let arguments: Vec<_> = arguments.iter().map(|text| (*text).to_owned()).collect();
        let scope = plugin.scope();
        let answer = plugin
            .call_by_name(&self.engine, &scope, path, &arguments)
            .await;
        scope.finish().await;
        answer
    }

    /// Calls a function of the culprit's, and answers its result as text.
    fn call(&self, path: &str, arguments: &[&str]) -> Result<String, CallError> {
        let answer = self
            .runtime
            .block_on(self.calling("culprit", path, arguments))?;
        Ok(answer.text.unwrap_or_default())
    }

    /// The bystander answers as if nothing were.
    fn others_are_well(&self) {
        let answer = self
            .runtime
            .block_on(self.calling("bystander", "edges.calls", &[]));
        assert!(answer.is_ok(), "{answer:?}");
        assert_eq!(self.database.stats().checked_out, 0);
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

/// The error's kind for other plugins is not to be had from outside, so this is what shows that it is a limit's.
fn is_over_limit(error: &CallError) -> bool {
    matches!(
        error,
        CallError::Trapped {
            over_limit: true,
            ..
        }
    )
}

fn reads_everything() -> Grants {
    Grants {
        read: Tables::All,
        ..Grants::default()
    }
}
