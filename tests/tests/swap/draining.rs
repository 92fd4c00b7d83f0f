//! Calls that are under way when their plugin is replaced or taken away.

use std::fs;
use std::time::{Duration, Instant};

use poolhouse_runtime::{CallError, PluginOptions};

use super::{LONGEST, Live, call, version};

/// Begins a call, and waits until its guest computes.
fn begin(live: &Live, path: &'static str) -> tokio::task::JoinHandle<Result<u32, CallError>> {
    let (engine, plugins) = (live.engine.clone(), live.plugins.clone());
    let (say, begun) = std::sync::mpsc::channel();
    let task = live.runtime.spawn(async move {
        let mut called = Box::pin(call(&engine, &plugins, "v", path));
        // Polled once it is in the guest, which gives its thread back at the next tick.
        let first =
            std::future::poll_fn(|context| std::task::Poll::Ready(called.as_mut().poll(context)));
        let first = first.await;
        say.send(()).unwrap();
        match first {
            std::task::Poll::Ready(answer) => answer,
            std::task::Poll::Pending => called.await,
        }
    });
    begun.recv().unwrap();
    task
}

#[test]
fn a_call_under_way_ends_in_the_version_that_it_began_in() -> anyhow::Result<()> {
    let live = Live::start(&[("v", version(1))])?;
    let slow = begin(&live, "v.slow");
    live.put("v", &version(2));
    live.until_answers("v", "v.version", 2);
    assert_eq!(live.runtime.block_on(slow)?.unwrap(), 1);
    live.until("v", |status| status.unwrap().draining == 0);
    let gone = begin(&live, "v.slow");
    fs::remove_file(live.path("v"))?;
    live.until("v", |status| status.is_none());
    assert_eq!(live.runtime.block_on(gone)?.unwrap(), 2);
    Ok(())
}

#[test]
fn a_call_that_takes_too_long_is_ended() -> anyhow::Result<()> {
    let mut options = PluginOptions::default();
    options.limits.call_timeout = LONGEST;
    options.limits.drain_timeout = Duration::from_millis(50);
    let live = Live::with(&[("v", version(1))], options)?;
    let forever = begin(&live, "v.forever");
    live.put("v", &version(2));
    live.until_answers("v", "v.version", 2);
    let begun = Instant::now();
    let error = live.runtime.block_on(forever)?.unwrap_err();
    assert!(
        matches!(error, CallError::Stopped { .. }) && error.to_string().contains("`drain_timeout`"),
        "{error}"
    );
    assert!(begun.elapsed() < LONGEST / 2);
    live.until("v", |status| status.unwrap().draining == 0);
    Ok(())
}

/// However often a file changes, no more than four old versions stay for those that never end; and nobody ends them before their time.
#[test]
fn as_many_versions_drain_as_may() -> anyhow::Result<()> {
    let mut options = PluginOptions::default();
    options.limits.call_timeout = LONGEST;
    options.limits.drain_timeout = LONGEST;
    let live = Live::with(&[("v", version(1))], options)?;
    let mut calls = Vec::new();
    for number in 2..=5 {
        calls.push(begin(&live, "v.forever"));
        live.put("v", &version(number));
        live.until_answers("v", "v.version", number);
    }
    assert_eq!(live.status("v").unwrap().draining, 4);
    live.put("v", &version(6));
    live.until_failed("v", "under way still work in 4 earlier versions");
    assert_eq!(live.call("v", "v.version").unwrap(), 5);
    assert!(calls.iter().all(|call| !call.is_finished()));
    calls.remove(2).abort();
    live.until_answers("v", "v.version", 6);
    assert!(live.status("v").unwrap().trouble.is_none());
    // The rest ends with the host.
    Ok(())
}
