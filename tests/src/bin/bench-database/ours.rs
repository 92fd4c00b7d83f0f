//! Our side: the guest, called in a host in this process.

use std::time::Duration;

use anyhow::{Context, bail};
use poolhouse_database::{Database, DatabaseUrl, Grants, Settings, Tables};
use poolhouse_runtime::{Engine, Limits, PluginOptions, Plugins};
use poolhouse_tests::{House, test_guest};
use tokio::runtime::Runtime;

/// A host with the guest.
pub(crate) struct Ours {
    runtime: Runtime,
    engine: Engine,
    plugins: Plugins,
    _house: House,
}

impl Ours {
    pub(crate) fn start(house: House) -> anyhow::Result<Self> {
        house.add_plugin(&test_guest("bench-guest")?)?;
        let runtime = super::native::runtime()?;
        let engine = Engine::new()?;
        let plugins = runtime.block_on(async {
            let database = Database::open(Settings::new(DatabaseUrl::parse(house.url())?))?;
            let all = || Tables::Some(["ticks".to_owned()].into());
            let options = PluginOptions {
                grants: Some(Grants {
                    read: all(),
                    write: all(),
                    migrate: false,
                    ..Grants::default()
                }),
                limits: Limits {
                    call_timeout: Duration::from_secs(60),
                    ..Limits::default()
                },
                ..PluginOptions::default()
            };
            let folder = house.path("plugins");
            let plugins =
                Plugins::load(&engine, &folder, None, &database, |_| options.clone()).await?;
            anyhow::Ok(plugins)
        })?;
        Ok(Self {
            runtime,
            engine,
            plugins,
            _house: house,
        })
    }

    fn call(&self, function: &str, arguments: &[i64]) -> anyhow::Result<i64> {
        let plugin = self.plugins.get("bench-guest").context("it was loaded")?;
        let arguments: Vec<_> = arguments.iter().map(ToString::to_string).collect();
        let answer = self.runtime.block_on(async {
            let scope = plugin.scope();
            let path = format!("bench.{function}");
            let answer = plugin
                .call_by_name(&self.engine, &scope, &path, &arguments)
                .await;
            scope.finish().await;
            answer
        })?;
        if let Some(failure) = answer.failure {
            bail!("{function}: {failure}");
        }
        let text = answer.text.unwrap_or_default();
        let number = text.trim_start_matches("ok(").trim_end_matches(')');
        Ok(number.parse().unwrap_or_default())
    }

    pub(crate) fn select_points(&self, times: u32, rows: u32) -> anyhow::Result<i64> {
        self.call("select-points", &[times.into(), rows.into()])
    }

    pub(crate) fn insert_points(&self, first: i64, times: u32) -> anyhow::Result<()> {
        self.call("insert-points", &[first, times.into()]).map(drop)
    }

    pub(crate) fn scan(&self) -> anyhow::Result<i64> {
        self.call("scan", &[])
    }

    pub(crate) fn insert_many(&self, first: i64, rows: u32) -> anyhow::Result<()> {
        let inserted = self.call("insert-many", &[first, rows.into()])?;
        anyhow::ensure!(inserted == i64::from(rows), "inserted {inserted} of {rows}");
        Ok(())
    }
}
