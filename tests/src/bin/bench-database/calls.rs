//! A call from plugin to plugin with a record of ten fields, there and back, against the same function called by the
//! host itself through wasmtime's typed interface.

use std::time::Instant;

use anyhow::{Context, bail};
use poolhouse_database::{Database, DatabaseUrl, Settings};
use poolhouse_runtime::{Engine, PluginOptions, Plugins};
use poolhouse_tests::measure::{Goal, Measure};
use poolhouse_tests::{House, test_guest};
use wasmtime::component::{Component, ComponentType, Lift, Linker, Lower};

/// Calls in one round.
const CALLS: u32 = 20_000;

/// The record of the guest's WIT.
#[derive(Clone, ComponentType, Lift, Lower)]
#[component(record)]
struct Ten {
    a: u64,
    b: i32,
    c: f64,
    d: bool,
    e: String,
    f: String,
    g: Option<u32>,
    h: char,
    i: (u8, u16),
    j: Vec<u32>,
}

pub(crate) fn plugin_to_plugin() -> anyhow::Result<Measure> {
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..super::ROUNDS {
        ours.push(linked()?);
        bare.push(called_bare()?);
    }
    let median = |mut times: Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    };
    Ok(Measure {
        name: "plugin to plugin, a record of ten fields there and back, limits and scope included, against \
               wasmtime's own bare call"
            .to_owned(),
        ours: median(ours),
        peer: median(bare),
        unit: "µs",
        goal: Goal::AtMost(5.0),
    })
}

/// Microseconds for one call of the other plugin, by a guest that makes many.
fn linked() -> anyhow::Result<f64> {
    let house = House::sqlite()?;
    for name in ["a", "b"] {
        std::fs::copy(
            test_guest("relay")?,
            house.path(&format!("plugins/{name}.wasm")),
        )?;
    }
    super::native::runtime()?.block_on(async {
        let engine = Engine::new()?;
        let database = Database::open(Settings::new(DatabaseUrl::parse(house.url())?))?;
        let options = |_: &str| PluginOptions::default();
        let folder = house.path("plugins");
        let plugins = Plugins::load(&engine, &folder, None, &database, options).await?;
        let plugin = plugins.get("a").context("it was loaded")?;
        let call = async |times: u32| {
            let scope = plugin.scope();
            let begun = Instant::now();
            let answer = plugin
                .call_by_name(&engine, &scope, "bench.echoes", &[times.to_string()])
                .await;
            let took = begun.elapsed();
            scope.finish().await;
            answer?;
            anyhow::Ok(took.as_secs_f64() * 1e6)
        };
        call(100).await?;
        Ok(call(CALLS).await? / f64::from(CALLS))
    })
}

/// Microseconds for one call of `echo` by the host, in one store, with nothing around it.
fn called_bare() -> anyhow::Result<f64> {
    let mut config = wasmtime::Config::new();
    config.epoch_interruption(true);
    config.concurrency_support(false);
    let run = || -> wasmtime::Result<f64> {
        let engine = wasmtime::Engine::new(&config)?;
        let guest = test_guest("relay").map_err(|error| wasmtime::format_err!("{error}"))?;
        let component = Component::from_file(&engine, guest)?;
        let mut linker = Linker::<()>::new(&engine);
        linker.define_unknown_imports_as_traps(&component)?;
        let mut store = wasmtime::Store::new(&engine, ());
        store.set_epoch_deadline(1_000);
        let instance = linker.instantiate(&mut store, &component)?;
        let interface = instance
            .get_export_index(&mut store, None, "poolhouse-tests:relay/relay@1.2.0")
            .ok_or_else(|| wasmtime::format_err!("the interface is exported"))?;
        let echo = instance
            .get_export_index(&mut store, Some(&interface), "echo")
            .ok_or_else(|| wasmtime::format_err!("the function is exported"))?;
        let echo = instance.get_typed_func::<(Ten,), (Ten,)>(&mut store, echo)?;
        let ten = Ten {
            a: 1 << 40,
            b: -7,
            c: 1.5,
            d: true,
            e: "AAPL".to_owned(),
            f: "a text of some length, as a name or an address has".to_owned(),
            g: Some(9),
            h: 'ü',
            i: (1, 2),
            j: vec![1, 2, 3],
        };
        let begun = Instant::now();
        for _ in 0..CALLS {
            echo.call(&mut store, (ten.clone(),))?;
        }
        Ok(begun.elapsed().as_secs_f64() * 1e6 / f64::from(CALLS))
    };
    match run() {
        Ok(micros) => Ok(micros),
        Err(error) => bail!("{error}"),
    }
}
