//! What nobody would build, thrown at the host: files of random and mutated bytes, components that are valid and hostile, and
//! random values through the database capability. Nothing panics, hangs, or takes more than it may.

#[path = "fuzz/bytes.rs"]
mod bytes;
#[path = "fuzz/hostile.rs"]
mod hostile;
#[path = "fuzz/values.rs"]
mod values;

use std::fs;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use poolhouse_database::{Database, DatabaseUrl, Settings};
use poolhouse_runtime::{Engine, Limits, PluginOptions, Plugins};
use poolhouse_tests::House;
use tokio::runtime::Runtime;

/// What the host may take for one file, however hostile; measured are two seconds on a loaded machine.
const LONGEST: Duration = Duration::from_secs(30);
/// Characters of one error.
const LONGEST_ERROR: usize = 2_000;

/// A host in this process that loads one file after the other.
struct Loader {
    house: House,
    runtime: Runtime,
    engine: Engine,
    database: Database,
}

impl Loader {
    fn new() -> anyhow::Result<Self> {
        let house = House::sqlite()?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let database = {
            let _entered = runtime.enter();
            Database::open(Settings::new(DatabaseUrl::parse(house.url())?))?
        };
        Ok(Self {
            house,
            runtime,
            engine: Engine::new()?,
            database,
        })
    }

    /// Loads one file as `host check` would, and answers why it was refused; none if it was not.
    fn load(&self, bytes: &[u8]) -> anyhow::Result<Option<String>> {
        fs::write(self.house.path("plugins/fuzzed.wasm"), bytes)?;
        let options = |_: &str| PluginOptions {
            limits: Limits {
                call_timeout: Duration::from_millis(200),
                ..Limits::default()
            },
            ..PluginOptions::default()
        };
        let folder = self.house.path("plugins");
        let (refused, waiting) = self.runtime.block_on(async {
            let loading = Plugins::load_usable(&self.engine, &folder, &self.database, options);
            let (plugins, unusable) = Box::pin(loading).await?;
            Box::pin(plugins.stop()).await;
            let waiting: Vec<_> = plugins.waiting().iter().map(ToString::to_string).collect();
            anyhow::Ok((unusable, waiting))
        })?;
        let refused = refused
            .iter()
            .map(ToString::to_string)
            .chain(waiting)
            .next();
        if let Some(refused) = &refused {
            let length = refused.chars().count();
            ensure!(length <= LONGEST_ERROR, "an error of {length} characters");
            ensure!(
                !refused.contains(char::is_control),
                "control characters in {refused:?}"
            );
        }
        Ok(refused)
    }
}

/// Does `work` in a thread of its own, and fails if it takes too long; a compiler can't be stopped.
fn in_time<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> anyhow::Result<T> + Send + 'static,
) -> anyhow::Result<T> {
    let (sender, receiver) = mpsc::channel();
    let begun = Instant::now();
    let worker = thread::spawn(move || {
        // Nobody listens any more where it took too long.
        let _ = sender.send(work());
    });
    match receiver.recv_timeout(LONGEST) {
        Ok(done) => done.with_context(|| name.to_owned()),
        Err(mpsc::RecvTimeoutError::Timeout) => {
            anyhow::bail!("{name}: no end after {:?}", begun.elapsed())
        }
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            let panicked = worker.join().is_err();
            anyhow::bail!("{name}: it panicked: {panicked}")
        }
    }
}

/// The most that this process has had in memory so far, in bytes; none where the system does not tell.
fn peak_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes << 10)
}
