//! Replacements under a steady load of calls.

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use poolhouse_runtime::PluginOptions;

use super::{LONGEST, Live, asker, call, shared, version};

const REPLACEMENTS: u32 = 200;
/// As long as some of the replacements take.
const QUIET: Duration = Duration::from_secs(5);
/// After so many everything that is kept for good has been made.
const SETTLED: u32 = 40;

fn resident_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let number = line.unwrap().split_whitespace().nth(1);
    number.unwrap().parse().unwrap()
}

fn memory_maps() -> usize {
    fs::read_to_string("/proc/self/maps")
        .unwrap()
        .lines()
        .count()
}

/// No call fails, none is answered by two versions, and what the old ones took comes back.
#[test]
fn two_hundred_replacements_under_load() -> anyhow::Result<()> {
    let options = PluginOptions {
        uses: [("t:t/v".to_owned(), "v".to_owned())].into(),
        ..PluginOptions::default()
    };
    let files = [("v", version(1)), ("ask", asker()), ("other", version(7))];
    let live = Live::with(&files, options)?;
    let over = shared(AtomicBool::new(false));
    let calls = shared(AtomicU64::new(0));
    let longest = shared(AtomicU64::new(0));
    let mut tasks = Vec::new();
    for (plugin, path, fits) in [
        ("ask", "ask.both", [1001, 2002]),
        ("ask", "ask.both", [1001, 2002]),
        ("v", "v.version", [1, 2]),
        ("other", "v.version", [7, 7]),
    ] {
        let (engine, plugins) = (live.engine.clone(), live.plugins.clone());
        let (over, calls, longest) = (over.clone(), calls.clone(), longest.clone());
        tasks.push(live.runtime.spawn(async move {
            while !over.load(Ordering::Relaxed) {
                let begun = Instant::now();
                let got = call(&engine, &plugins, plugin, path).await;
                assert!(
                    got.as_ref().is_ok_and(|got| fits.contains(got)),
                    "{plugin}: {got:?}"
                );
                if plugin == "other" {
                    let took = u64::try_from(begun.elapsed().as_micros()).unwrap();
                    longest.fetch_max(took, Ordering::Relaxed);
                }
                calls.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
            }
        }));
    }
    // What the load alone makes a call wait at the most, to compare with.
    let quiet = {
        std::thread::sleep(QUIET);
        longest.swap(0, Ordering::Relaxed)
    };
    let mut before = (0, 0);
    let mut changes = live.plugins.changes();
    for replacement in 1..=REPLACEMENTS {
        let number = 1 + replacement % 2;
        live.put("v", &version(number));
        // Not asked for again and again, which would take the processor from those who call.
        live.runtime
            .block_on(async { tokio::time::timeout(LONGEST, changes.changed()).await })??;
        assert_eq!(live.call("v", "v.version").unwrap(), number);
        if replacement == SETTLED {
            live.until("v", |status| {
                status.is_some_and(|status| status.draining == 0)
            });
            before = (resident_kib(), memory_maps());
        }
    }
    over.store(true, Ordering::Relaxed);
    for task in tasks {
        live.runtime.block_on(task)?;
    }
    live.until("v", |status| {
        status.is_some_and(|status| status.draining == 0)
    });
    let after = (resident_kib(), memory_maps());
    println!(
        "{REPLACEMENTS} replacements, {} calls, longest of another plugin {} µs (before any replacement {quiet} µs), memory {} to {} KiB, memory maps {} to {}",
        calls.load(Ordering::Relaxed),
        longest.load(Ordering::Relaxed),
        before.0,
        after.0,
        before.1,
        after.1
    );
    assert!(calls.load(Ordering::Relaxed) > 1000);
    // One version takes three maps at the least, and there have been 160 more.
    assert!(after.1 < before.1 + 100, "{before:?} {after:?}");
    assert!(after.0 < before.0 + 16 * 1024, "{before:?} {after:?}");
    Ok(())
}

/// A chain that began before goes on with what there was, whatever comes.
#[test]
fn a_chain_keeps_its_generation() -> anyhow::Result<()> {
    let live = Live::start(&[("v", version(1)), ("ask", asker())])?;
    let plugin = live.plugins.get("ask").unwrap();
    let scope = plugin.scope();
    let ask = || {
        let called = plugin.call_by_name(&live.engine, &scope, "ask.both", &[]);
        live.runtime.block_on(called).unwrap().text
    };
    assert_eq!(ask().as_deref(), Some("1001"));
    live.put("v", &version(2));
    live.until_answers("v", "v.version", 2);
    assert_eq!(ask().as_deref(), Some("1001"));
    assert_eq!(live.call("ask", "ask.both").unwrap(), 2002);
    let draining = |count| {
        live.until("v", |status| {
            status.is_some_and(|status| status.draining == count)
        });
    };
    draining(1);
    live.runtime.block_on(scope.finish());
    drop((plugin, scope));
    draining(0);
    Ok(())
}

#[test]
fn warm_instances_go_when_they_are_idle() -> anyhow::Result<()> {
    let mut options = PluginOptions::default();
    options.limits.warm_idle = Duration::from_millis(1);
    let live = Live::with(&[("v", version(1))], options)?;
    assert_eq!(live.call("v", "v.version").unwrap(), 1);
    assert_eq!(live.status("v").unwrap().calls, 1);
    let begun = Instant::now();
    while live.status("v").unwrap().warm > 0 {
        assert!(begun.elapsed() < LONGEST);
        std::thread::yield_now();
    }
    assert_eq!(live.call("v", "v.version").unwrap(), 1);
    Ok(())
}
