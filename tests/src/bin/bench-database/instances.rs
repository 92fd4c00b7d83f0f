//! A warm call into a strategy and a new instance of one, against the same component called through wasmtime's typed interface
//! with nothing around it.

use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use poolhouse_database::{Database, DatabaseUrl, Settings};
use poolhouse_runtime::trading::{Bar, Parameter, StrategyInstance};
use poolhouse_runtime::{Engine, PluginOptions, Plugins};
use poolhouse_tests::measure::{Goal, Measure};
use poolhouse_tests::{House, reference_plugin};
use wasmtime::component::{Component, ComponentType, Lift, Linker, Lower, ResourceAny};

/// Bars in one round.
const CALLS: u32 = 20_000;
/// Instances in one round.
const INSTANCES: u32 = 300;
const PLUGIN: &str = "moving-average";
const PARAMETERS: [(&str, &str); 2] = [("fast", "5"), ("slow", "20")];

/// The records of the strategy's WIT.
#[derive(Clone, ComponentType, Lower)]
#[component(record)]
struct BareBar {
    symbol: String,
    time: i64,
    open: f64,
    high: f64,
    low: f64,
    close: f64,
    volume: f64,
}

#[derive(Clone, ComponentType, Lower)]
#[component(record)]
struct BareParameter {
    name: String,
    value: String,
}

#[derive(Clone, Copy, ComponentType, Lift)]
#[component(enum)]
#[repr(u8)]
#[expect(dead_code, reason = "they are only lifted")]
enum Side {
    #[component(name = "buy")]
    Buy,
    #[component(name = "sell")]
    Sell,
}

#[derive(Clone, ComponentType, Lift)]
#[component(record)]
#[expect(dead_code, reason = "it is only lifted")]
struct Signal {
    side: Side,
}

type OnBar = (Result<Vec<Signal>, String>,);
type Create = (Result<ResourceAny, String>,);

/// Microseconds of a call and of a new instance.
type Micros = [f64; 2];

pub(crate) fn measures() -> anyhow::Result<Vec<Measure>> {
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..super::ROUNDS {
        ours.push(in_the_host()?);
        bare.push(by_itself().map_err(|error| anyhow!("{error}"))?);
    }
    let median = |rounds: &[Micros], at: usize| {
        let mut times: Vec<_> = rounds.iter().map(|round| round[at]).collect();
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    };
    let measure = |name: &str, at: usize, most: f64| Measure {
        name: name.to_owned(),
        ours: median(&ours, at),
        peer: median(&bare, at),
        unit: "µs",
        goal: Goal::AtMost(most),
    };
    Ok(vec![
        measure(
            "a warm call (a strategy's bar), limits and scope included, against wasmtime's own bare call",
            0,
            1.0,
        ),
        measure(
            "a new instance of a Rust guest and its first call (a strategy's create), limits and WASI included, against \
             wasmtime's own with WASI left out",
            1,
            100.0,
        ),
    ])
}

fn per(took: Duration, count: u32) -> f64 {
    took.as_secs_f64() * 1e6 / f64::from(count)
}

fn price(at: u32) -> f64 {
    100.0 + f64::from(at % 7)
}

fn in_the_host() -> anyhow::Result<Micros> {
    let house = House::sqlite()?;
    house.add_plugin(&reference_plugin(PLUGIN)?)?;
    super::native::runtime()?.block_on(async {
        let engine = Engine::new()?;
        let database = Database::open(Settings::new(DatabaseUrl::parse(house.url())?))?;
        let options = |_: &str| PluginOptions::default();
        let folder = house.path("plugins");
        let plugins = Plugins::load(&engine, &folder, None, &database, options).await?;
        let plugin = plugins.get(PLUGIN).context("it was loaded")?;
        let create = async || {
            let parameters = PARAMETERS.map(|(name, value)| Parameter {
                name: name.to_owned(),
                value: value.to_owned(),
            });
            let scope = plugin.scope();
            let longest = Duration::from_secs(1);
            let made = StrategyInstance::create(&plugin, &scope, parameters.into(), longest).await;
            scope.finish().await;
            anyhow::Ok(made?)
        };
        let mut instance = create().await?;
        let begun = Instant::now();
        for at in 0..CALLS {
            let bar = Bar {
                symbol: "IBM".to_owned(),
                time: i64::from(at),
                open: price(at),
                high: price(at),
                low: price(at),
                close: price(at),
                volume: 1.0,
            };
            instance.on_bar(&plugin, bar).await?;
        }
        let call = per(begun.elapsed(), CALLS);
        let mut alive = Vec::new();
        let begun = Instant::now();
        for _ in 0..INSTANCES {
            alive.push(create().await?);
        }
        Ok([call, per(begun.elapsed(), INSTANCES)])
    })
}

fn by_itself() -> wasmtime::Result<Micros> {
    let mut config = wasmtime::Config::new();
    config.epoch_interruption(true);
    config.concurrency_support(false);
    let engine = wasmtime::Engine::new(&config)?;
    let file = reference_plugin(PLUGIN).map_err(|error| wasmtime::format_err!("{error}"))?;
    let component = Component::from_file(&engine, file)?;
    let mut linker = Linker::<()>::new(&engine);
    linker.define_unknown_imports_as_traps(&component)?;
    let pre = linker.instantiate_pre(&component)?;
    let export = |name: &str| {
        let interface = component.get_export_index(None, "poolhouse:trading/strategy@0.1.0");
        component
            .get_export_index(interface.as_ref(), name)
            .ok_or_else(|| wasmtime::format_err!("{name} is exported"))
    };
    let create = export("[static]instance.create")?;
    let on_bar = export("[method]instance.on-bar")?;
    let parameters = PARAMETERS.map(|(name, value)| BareParameter {
        name: name.to_owned(),
        value: value.to_owned(),
    });
    let make = || -> wasmtime::Result<_> {
        let mut store = wasmtime::Store::new(&engine, ());
        store.set_epoch_deadline(1_000);
        let instance = pre.instantiate(&mut store)?;
        let create =
            instance.get_typed_func::<(Vec<BareParameter>,), Create>(&mut store, create)?;
        let (made,) = create.call(&mut store, (parameters.to_vec(),))?;
        let made = made.map_err(|error| wasmtime::format_err!("{error}"))?;
        Ok((store, instance, made))
    };
    let (mut store, instance, strategy) = make()?;
    let on_bar = instance.get_typed_func::<(ResourceAny, BareBar), OnBar>(&mut store, on_bar)?;
    let begun = Instant::now();
    for at in 0..CALLS {
        let bar = BareBar {
            symbol: "IBM".to_owned(),
            time: i64::from(at),
            open: price(at),
            high: price(at),
            low: price(at),
            close: price(at),
            volume: 1.0,
        };
        let (answer,) = on_bar.call(&mut store, (strategy, bar))?;
        answer.map_err(|error| wasmtime::format_err!("{error}"))?;
    }
    let call = per(begun.elapsed(), CALLS);
    let mut alive = Vec::new();
    let begun = Instant::now();
    for _ in 0..INSTANCES {
        alive.push(make()?);
    }
    Ok([call, per(begun.elapsed(), INSTANCES)])
}
