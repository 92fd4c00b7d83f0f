//! Many strategy rows, and many instances: what a thousand rows over five components take for the sample bars, and what ten thousand
//! instances of a Rust guest take of the system's memory. Prints both; there is no peer.

use std::fmt::Write as _;
use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use poolhouse_database::{Database, DatabaseUrl, Settings};
use poolhouse_runtime::trading::{Parameter, StrategyInstance};
use poolhouse_runtime::{CallError, Engine, PluginOptions, Plugins};
use poolhouse_tests::{Backend, House, reference_plugin, root};

const ROWS: usize = 1_000;
const INSTANCES: usize = 10_000;
/// Components and what each is a copy of.
const COMPONENTS: [(&str, &str); 5] = [
    ("average-1", "moving-average"),
    ("average-2", "moving-average"),
    ("average-3", "moving-average"),
    ("breakout-1", "channel-breakout"),
    ("breakout-2", "channel-breakout"),
];

fn main() -> anyhow::Result<()> {
    rows()?;
    instances()
}

/// The host's command with a thousand rows, each of which watches all five symbols.
fn rows() -> anyhow::Result<()> {
    let house = House::new(Backend::Sqlite)?;
    for (name, guest) in COMPONENTS {
        let to = house.path(&format!("plugins/{name}.wasm"));
        fs::copy(reference_plugin(guest)?, to)?;
    }
    let mut seed = String::new();
    for row in 0..ROWS {
        let (plugin, guest) = COMPONENTS[row % COMPONENTS.len()];
        let bars = 5 + row / COMPONENTS.len();
        let parameters = match guest {
            "moving-average" => format!("fast = \"{bars}\", slow = \"{}\"", bars * 2),
            _ => format!("lookback = \"{bars}\""),
        };
        writeln!(
            seed,
            "[[strategies]]\nid = \"row-{row:04}\"\nplugin = \"{plugin}\"\n\
             symbols = [\"AAPL\", \"FB\", \"GOOG\", \"IBM\", \"MSFT\"]\nparameters = {{ {parameters} }}\nenabled = true"
        )?;
    }
    writeln!(
        seed,
        "[[users]]\nid = \"alice\"\nname = \"Alice\"\nactive = true\nsubscriptions = [{{ strategy = \"row-0000\", quantity = \"1\" }}]"
    )?;
    let seed = house.write("seed.toml", seed)?;
    let feed = root().join("data/daily-bars.csv");
    let begun = Instant::now();
    let mut child = house.start(&["run", "--seed", &seed, "--feed", &feed.to_string_lossy()])?;
    let mut most = 0;
    let ended = loop {
        most = most.max(kib(&format!("/proc/{}/status", child.id()), "VmHWM:").unwrap_or(0));
        if let Some(ended) = child.try_wait()? {
            break ended;
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    ensure!(ended.success(), "the host ended with {ended}");
    println!(
        "{ROWS} strategy rows over {} components, 12,154 bars each: {:.1} s in all, {} MiB at the most, {} orders",
        COMPONENTS.len(),
        begun.elapsed().as_secs_f64(),
        most / 1024,
        house.count("orders")?
    );
    Ok(())
}

fn kib(file: &str, name: &str) -> Option<u64> {
    let status = fs::read_to_string(file).ok()?;
    let line = status.lines().find(|line| line.starts_with(name))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

fn instances() -> anyhow::Result<()> {
    let house = House::sqlite()?;
    house.add_plugin(&reference_plugin("moving-average")?)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let engine = Engine::new()?;
        let database = Database::open(Settings::new(DatabaseUrl::parse(house.url())?))?;
        let options = |_: &str| PluginOptions::default();
        let folder = house.path("plugins");
        let plugins = Plugins::load(&engine, &folder, None, &database, options).await?;
        let plugin = plugins.get("moving-average").context("it was loaded")?;
        let resident = || kib("/proc/self/status", "VmRSS:").unwrap_or(0);
        let before = resident();
        let mut alive = Vec::new();
        let begun = Instant::now();
        let ended = loop {
            if alive.len() == INSTANCES {
                break None;
            }
            let parameters = [("fast", "5"), ("slow", "20")].map(|(name, value)| Parameter {
                name: name.to_owned(),
                value: value.to_owned(),
            });
            let scope = plugin.scope();
            let made = StrategyInstance::create(
                &plugin,
                &scope,
                parameters.into(),
                Duration::from_secs(1),
            )
            .await;
            scope.finish().await;
            match made {
                Ok(instance) => alive.push(instance),
                Err(error @ CallError::TooManyInstances { .. }) => break Some(error),
                Err(error) => return Err(error.into()),
            }
        };
        let maps = fs::read_to_string("/proc/self/maps")?.lines().count();
        println!(
            "{} instances of a Rust guest: {:.1} s, {} MiB, {maps} memory maps",
            alive.len(),
            begun.elapsed().as_secs_f64(),
            resident().saturating_sub(before) / 1024
        );
        if let Some(error) = ended {
            println!("no more: {error}");
        }
        Ok(())
    })
}
