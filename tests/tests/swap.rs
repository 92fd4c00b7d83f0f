//! Plugins that come and go while the host runs: what callers notice of it, and what they must not.

#![expect(clippy::unwrap_used, reason = "a test that finds no value has failed")]
#![recursion_limit = "256"]

#[path = "swap/cache.rs"]
mod cache;
#[path = "swap/draining.rs"]
mod draining;
#[path = "swap/files.rs"]
mod files;
#[path = "swap/host.rs"]
mod host;
#[path = "swap/load.rs"]
mod load;
#[path = "swap/migrations.rs"]
mod migrations;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use poolhouse_database::{Database, DatabaseUrl, Settings};
use poolhouse_runtime::{CallError, Engine, PluginOptions, PluginState, PluginStatus, Plugins};
use poolhouse_tests::House;

/// For whatever must come about.
const LONGEST: Duration = Duration::from_secs(60);

/// A plugin that exports `t:t/v`: its version at once, and after about a tenth of a second of computing.
fn version(number: u32) -> Vec<u8> {
    let text = format!(
        r#"(component
            (core module $m
                (memory 1)
                (func (export "version") (result i32) (i32.const {number}))
                (func (export "slow") (result i32) (local $n i32)
                    (loop $again
                        (local.set $n (i32.add (local.get $n) (i32.const 1)))
                        (br_if $again (i32.lt_u (local.get $n) (i32.const 100000000))))
                    (i32.const {number}))
                (func (export "forever") (result i32) (loop $again (br $again)) (unreachable)))
            (core instance $i (instantiate $m))
            (func $version (result u32) (canon lift (core func $i "version")))
            (func $slow (result u32) (canon lift (core func $i "slow")))
            (func $forever (result u32) (canon lift (core func $i "forever")))
            (instance $v
                (export "version" (func $version))
                (export "slow" (func $slow))
                (export "forever" (func $forever)))
            (export "t:t/v@1.0.0" (instance $v)))"#
    );
    wat::parse_str(text).unwrap()
}

/// A plugin that exports `t:t/ask`, whose `both` asks `t:t/v` for its version twice: 1001 is version 1 both times.
fn asker() -> Vec<u8> {
    let text = r#"(component
        (import "t:t/v@1.0.0" (instance $v (export "version" (func (result u32)))))
        (core func $version (canon lower (func $v "version")))
        (core module $m
            (import "v" "version" (func $version (result i32)))
            (func (export "both") (result i32)
                (i32.add (i32.mul (call $version) (i32.const 1000)) (call $version))))
        (core instance $i (instantiate $m (with "v" (instance (export "version" (func $version))))))
        (func $both (result u32) (canon lift (core func $i "both")))
        (instance $a (export "both" (func $both)))
        (export "t:t/ask@1.0.0" (instance $a)))"#;
    wat::parse_str(text).unwrap()
}

/// A host in this process that watches its folder.
struct Live {
    house: House,
    runtime: tokio::runtime::Runtime,
    engine: Engine,
    database: Database,
    plugins: Plugins,
}

impl Live {
    fn start(files: &[(&str, Vec<u8>)]) -> anyhow::Result<Self> {
        Self::with(files, PluginOptions::default())
    }

    fn with(files: &[(&str, Vec<u8>)], options: PluginOptions) -> anyhow::Result<Self> {
        let house = House::sqlite()?;
        house.write("house.db", "")?;
        for (name, bytes) in files {
            house.write(&format!("plugins/{name}.wasm"), bytes)?;
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        let engine = Engine::new()?;
        let (database, plugins) = runtime.block_on(async {
            let database = Database::open(Settings::new(DatabaseUrl::parse(house.url())?))?;
            // As most give it.
            let folder = relative(&house.path("plugins"))?;
            let all = |_: &str| options.clone();
            let plugins = Plugins::load(&engine, &folder, None, &database, all).await?;
            anyhow::Ok((database, plugins))
        })?;
        let watched = plugins.clone();
        let (watching, begun) = std::sync::mpsc::channel();
        runtime.spawn(async move {
            watching.send(()).unwrap();
            watched.watch(|_| options.clone()).await;
        });
        begun.recv()?;
        Ok(Self {
            house,
            runtime,
            engine,
            database,
            plugins,
        })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.house.path(&format!("plugins/{name}.wasm"))
    }

    /// Puts a file in its place at once, as careful tools do.
    fn put(&self, name: &str, bytes: &[u8]) {
        let beside = self.house.path("plugins/beside");
        fs::write(&beside, bytes).unwrap();
        fs::rename(beside, self.path(name)).unwrap();
    }

    async fn calling(&self, plugin: &str, path: &str) -> Result<u32, CallError> {
        call(&self.engine, &self.plugins, plugin, path).await
    }

    fn call(&self, plugin: &str, path: &str) -> Result<u32, CallError> {
        self.runtime.block_on(self.calling(plugin, path))
    }

    fn status(&self, plugin: &str) -> Option<PluginStatus> {
        let all = self.plugins.status();
        all.into_iter().find(|status| *status.name == *plugin)
    }

    /// Waits until a plugin's status is as it should be.
    fn until(&self, plugin: &str, is: impl Fn(Option<&PluginStatus>) -> bool) {
        let begun = Instant::now();
        loop {
            let status = self.status(plugin);
            if is(status.as_ref()) {
                return;
            }
            assert!(begun.elapsed() < LONGEST, "{plugin}: {status:?}");
            std::thread::yield_now();
        }
    }

    fn until_failed(&self, plugin: &str, words: &str) {
        self.until(plugin, |status| {
            status.is_some_and(|status| match &status.state {
                PluginState::Failed(reason) => reason.contains(words),
                _ => status
                    .trouble
                    .as_ref()
                    .is_some_and(|said| said.contains(words)),
            })
        });
    }

    fn until_answers(&self, plugin: &str, path: &str, answer: u32) {
        let begun = Instant::now();
        loop {
            let got = self.call(plugin, path);
            if got.as_ref().ok() == Some(&answer) {
                return;
            }
            assert!(
                begun.elapsed() < LONGEST,
                "{got:?}; {:?}",
                self.plugins.status()
            );
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.runtime.block_on(async {
            self.plugins.stop().await;
            self.database.close(Duration::from_secs(5)).await;
        });
    }
}

/// Calls a function without parameters that answers a number.
async fn call(
    engine: &Engine,
    plugins: &Plugins,
    plugin: &str,
    path: &str,
) -> Result<u32, CallError> {
    let Some(plugin) = plugins.get(plugin) else {
        return Err(CallError::Gone {
            plugin: plugin.into(),
        });
    };
    let scope = plugin.scope();
    let answer = plugin.call_by_name(engine, &scope, path, &[]).await;
    scope.finish().await;
    Ok(answer?.text.unwrap().parse().unwrap())
}

/// The same folder from where this process is.
fn relative(folder: &Path) -> anyhow::Result<PathBuf> {
    let mut relative: PathBuf = std::env::current_dir()?
        .ancestors()
        .skip(1)
        .map(|_| "..")
        .collect();
    relative.push(folder.strip_prefix("/")?);
    Ok(relative)
}

fn shared<T>(value: T) -> Arc<T> {
    Arc::new(value)
}
