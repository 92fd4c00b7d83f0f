//! A host in this process as `host run` has it, with guests that spin, one that is replaced, and one whose calls are timed.

use std::fmt;
use std::fs;
use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use poolhouse_database::{Database, DatabaseUrl, Grants, Settings, Tables};
use poolhouse_runtime::trading::{Bar, Parameter, StrategyInstance};
use poolhouse_runtime::{CodeCache, Engine, Limits, PluginOptions, Plugins};
use poolhouse_tests::{Backend, House, reference_plugin, test_guest};
use tokio::runtime::Runtime;
use tokio::sync::Mutex;

use crate::latency::Latency;

/// Calls that are timed, and those before them that are not.
const CALLS: usize = 3_000;
const WARM_UP: u32 = 20;
/// No measure takes longer: on a stalled host a call takes a second.
const LONGEST: Duration = Duration::from_secs(30);
/// Nor does a replacement, with an interpreter to compile.
const LONGEST_REPLACEMENT: Duration = Duration::from_secs(300);
const CACHE_BYTES: u64 = 512 << 20;

/// Rows of the table that is read.
const ROWS: u32 = 10_000;

/// The guest that is timed.
const TIMED: &str = "bench-guest";
/// The strategy that is timed.
const STRATEGY: &str = "moving-average";
/// The guest that spins.
const SPINNER: &str = "conformance";
/// The plugin that is replaced.
const REPLACED: &str = "replaced";

/// What is timed.
#[derive(Clone, Copy)]
pub(crate) enum Work {
    Nothing,
    Bar,
    Select(Backend),
}

impl Work {
    /// Only statements are another's on another database.
    pub(crate) fn of(backend: Backend) -> &'static [Self] {
        match backend {
            Backend::Sqlite => &[Self::Nothing, Self::Bar, Self::Select(Backend::Sqlite)],
            Backend::Postgresql => &[Self::Select(Backend::Postgresql)],
        }
    }
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => write!(f, "a warm call"),
            Self::Bar => write!(f, "a strategy's bar"),
            Self::Select(backend) => write!(f, "a call with one point select on {backend:?}"),
        }
    }
}

pub(crate) struct Host {
    runtime: Runtime,
    engine: Engine,
    plugins: Plugins,
    house: House,
}

impl Host {
    pub(crate) fn start(backend: Backend) -> anyhow::Result<Self> {
        let house = House::empty(backend)?;
        if backend == Backend::Sqlite {
            house.write("house.db", "")?;
        }
        fill(&house, backend)?;
        for guest in [TIMED, SPINNER] {
            house.add_plugin(&test_guest(guest)?)?;
        }
        house.add_plugin(&reference_plugin(STRATEGY)?)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()?;
        let cache = CodeCache::open(&house.path("cache"), CACHE_BYTES)?;
        let engine = Engine::new()?.with_code_cache(cache);
        let plugins = runtime.block_on(async {
            let database = Database::open(Settings::new(DatabaseUrl::parse(house.url())?))?;
            let options = PluginOptions {
                grants: Some(Grants {
                    read: Tables::Some(["ticks".to_owned()].into()),
                    ..Grants::default()
                }),
                limits: Limits {
                    call_timeout: 2 * LONGEST,
                    ..Limits::default()
                },
                ..PluginOptions::default()
            };
            let folder = house.path("plugins");
            let plugins =
                Plugins::load(&engine, &folder, None, &database, |_| options.clone()).await?;
            let watched = plugins.clone();
            tokio::spawn(async move { watched.watch(move |_| options.clone()).await });
            anyhow::Ok(plugins)
        })?;
        Ok(Self {
            runtime,
            engine,
            plugins,
            house,
        })
    }

    /// Times calls one after the other while so many guests spin. All are tasks of the host's own threads, and what is timed
    /// is what somebody outside of them sees: from asking until the answer is there.
    pub(crate) fn latency(&self, work: Work, spinning: usize) -> anyhow::Result<Latency> {
        let spinners: Vec<_> = (0..spinning)
            .map(|_| {
                self.runtime
                    .spawn(self.call(SPINNER, "script.run", &["[spin]"]))
            })
            .collect();
        let begun = Instant::now();
        let times = self.times(work, |calls| calls == CALLS || begun.elapsed() > LONGEST);
        for spinner in spinners {
            ensure!(!spinner.is_finished(), "a guest that should spin does not");
            spinner.abort();
            // Until it is gone it spins.
            let _ = self.runtime.block_on(spinner);
        }
        times.map(Latency::of)
    }

    /// Times calls while a plugin made of this component is replaced so often, each time by one that nobody compiled before; and
    /// as many without. The quiet ones come second.
    pub(crate) fn beside_replacements(
        &self,
        work: Work,
        component: &Path,
        replacements: u32,
    ) -> anyhow::Result<(Latency, Latency)> {
        let component = fs::read(component)?;
        self.replace(&component, 0)?;
        let over = AtomicBool::new(false);
        let (times, replaced) = std::thread::scope(|scope| {
            let replacing = scope.spawn(|| {
                let replaced = (1..=replacements).try_for_each(|at| self.replace(&component, at));
                over.store(true, Ordering::Relaxed);
                replaced
            });
            let times = self.times(work, |calls| calls > 0 && over.load(Ordering::Relaxed));
            (times, replacing.join())
        });
        replaced.map_err(|_| anyhow::anyhow!("whoever replaced it has panicked"))??;
        let times = times?;
        let calls = times.len();
        let quiet = self.times(work, |made| made == calls)?;
        Ok((Latency::of(quiet), Latency::of(times)))
    }

    /// Puts the component in its place with a section of its own behind it, and waits until that version runs.
    fn replace(&self, component: &[u8], number: u32) -> anyhow::Result<()> {
        let mut bytes = component.to_vec();
        // A custom section of a name of one byte.
        bytes.extend([0, 6, 1, b'n']);
        bytes.extend(number.to_le_bytes());
        let mut changes = self.plugins.changes();
        let beside = self.house.path("plugins/beside");
        fs::write(&beside, bytes)?;
        fs::rename(beside, self.house.path(&format!("plugins/{REPLACED}.wasm")))?;
        self.runtime.block_on(async {
            tokio::time::timeout(LONGEST_REPLACEMENT, changes.changed()).await
        })??;
        Ok(())
    }

    fn times(&self, work: Work, enough: impl Fn(usize) -> bool) -> anyhow::Result<Vec<Duration>> {
        match work {
            Work::Nothing => self.select_points(0, enough),
            Work::Select(_) => self.select_points(1, enough),
            Work::Bar => self.bars(enough),
        }
    }

    fn call(
        &self,
        plugin: &str,
        function: &'static str,
        arguments: &[&str],
    ) -> impl Future<Output = anyhow::Result<()>> + Send + 'static {
        let (engine, plugin) = (self.engine.clone(), self.plugins.get(plugin));
        let arguments: Vec<_> = arguments.iter().map(|text| (*text).to_owned()).collect();
        async move {
            let plugin = plugin.context("it was loaded")?;
            let scope = plugin.scope();
            let answer = plugin
                .call_by_name(&engine, &scope, function, &arguments)
                .await;
            scope.finish().await;
            let failure = answer?.failure;
            ensure!(failure.is_none(), "{function}: {failure:?}");
            Ok(())
        }
    }

    fn select_points(
        &self,
        times: u32,
        enough: impl Fn(usize) -> bool,
    ) -> anyhow::Result<Vec<Duration>> {
        let arguments = [times.to_string(), ROWS.to_string()];
        let arguments = arguments.each_ref().map(String::as_str);
        self.timed(enough, |_| {
            self.call(TIMED, "bench.select-points", &arguments)
        })
    }

    fn bars(&self, enough: impl Fn(usize) -> bool) -> anyhow::Result<Vec<Duration>> {
        let plugin = self.plugins.get(STRATEGY).context("it was loaded")?;
        let parameters = [("fast", "5"), ("slow", "20")].map(|(name, value)| Parameter {
            name: name.to_owned(),
            value: value.to_owned(),
        });
        let strategy = self.runtime.block_on(async {
            let scope = plugin.scope();
            let made = StrategyInstance::create(&plugin, &scope, parameters.into(), LONGEST).await;
            scope.finish().await;
            made
        })?;
        let strategy = Arc::new(Mutex::new(strategy));
        self.timed(enough, |at| {
            let (strategy, plugin) = (Arc::clone(&strategy), plugin.clone());
            let price = 100.0 + f64::from(at % 7);
            let bar = Bar {
                symbol: "IBM".to_owned(),
                time: i64::from(at),
                open: price,
                high: price,
                low: price,
                close: price,
                volume: 1.0,
            };
            async move {
                strategy.lock().await.on_bar(&plugin, bar).await?;
                Ok(())
            }
        })
    }

    /// Makes calls until those that were timed are enough.
    fn timed<C>(
        &self,
        enough: impl Fn(usize) -> bool,
        mut call: impl FnMut(u32) -> C,
    ) -> anyhow::Result<Vec<Duration>>
    where
        C: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let mut times = Vec::with_capacity(CALLS);
        for at in 0_u32.. {
            // Whoever asks does not ask in step with the guests that spin.
            std::thread::sleep(Duration::from_micros(u64::from(
                at.wrapping_mul(7919) % 2000,
            )));
            let begun = Instant::now();
            self.runtime.block_on(self.runtime.spawn(call(at)))??;
            if at >= WARM_UP {
                times.push(begun.elapsed());
            }
            if enough(times.len()) {
                break;
            }
        }
        ensure!(!times.is_empty(), "not {WARM_UP} calls were made in time");
        Ok(times)
    }
}

fn fill(house: &House, backend: Backend) -> anyhow::Result<()> {
    house.query(
        "CREATE TABLE ticks (id BIGINT PRIMARY KEY, symbol TEXT NOT NULL, price DOUBLE PRECISION NOT NULL, \
         volume BIGINT NOT NULL, at TIMESTAMPTZ NOT NULL, open BOOLEAN NOT NULL)",
    )?;
    let values = "n, 'IBM', 100.5, n % 1000, '2024-01-01T00:00:00Z', true";
    house.query(&match backend {
        Backend::Sqlite => format!(
            "WITH RECURSIVE counted(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM counted WHERE n < {ROWS} - 1) \
             INSERT INTO ticks SELECT {values} FROM counted"
        ),
        Backend::Postgresql => {
            format!("INSERT INTO ticks SELECT {values} FROM generate_series(0, {ROWS} - 1) n")
                .replace("'2024-01-01T00:00:00Z'", "timestamptz '2024-01-01T00:00:00Z'")
        }
    })?;
    Ok(())
}
