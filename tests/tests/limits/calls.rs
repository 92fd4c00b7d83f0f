//! How many calls and instances there are at once, and how long a call may sleep.

use std::time::Duration;

use poolhouse_runtime::trading::{Parameter, StrategyInstance, describe};
use poolhouse_runtime::{CallError, Limits, PluginOptions, Wait};
use poolhouse_tests::{House, test_guest};

use super::{Inside, reads_everything};

#[test]
fn calls_past_those_at_once_wait_and_past_those_that_wait_are_refused() -> anyhow::Result<()> {
    let host = Inside::limited(Limits {
        concurrent_calls: 2,
        waiting_calls: 1,
        ..Limits::default()
    })?;
    host.runtime.block_on(async {
        let sleep = || host.calling("culprit", "edges.sleep", &["100"]);
        // Each is begun in this order.
        let (first, second, third, fourth) = tokio::join!(sleep(), sleep(), sleep(), sleep());
        assert!(first.is_ok() && second.is_ok() && third.is_ok());
        let error = fourth.unwrap_err();
        assert!(
            matches!(
                error,
                CallError::Busy {
                    calls: 2,
                    wait: Wait::Full(1),
                    ..
                }
            ),
            "{error:?}"
        );
        for word in [
            "plugin \"culprit\"",
            "2 calls",
            "`concurrent_calls`",
            "1 wait",
            "`waiting_calls`",
        ] {
            assert!(error.to_string().contains(word), "{error}");
        }
        assert!(sleep().await.is_ok());
    });
    host.others_are_well();
    Ok(())
}

#[test]
fn a_call_waits_no_longer_than_it_may_take() -> anyhow::Result<()> {
    let host = Inside::limited(Limits {
        concurrent_calls: 1,
        call_timeout: Duration::from_millis(200),
        ..Limits::default()
    })?;
    host.runtime.block_on(async {
        let sleep = || host.calling("culprit", "edges.sleep", &["3600000"]);
        let (first, second, third) = tokio::join!(sleep(), sleep(), sleep());
        let error = first.unwrap_err();
        assert!(matches!(error, CallError::TimedOut { .. }), "{error}");
        // The second's turn may come just when its time is up, or a moment before.
        for error in [second.unwrap_err(), third.unwrap_err()] {
            assert!(
                matches!(
                    error,
                    CallError::Busy {
                        wait: Wait::InVain(_),
                        ..
                    } | CallError::TimedOut { .. }
                ),
                "{error}"
            );
        }
        assert!(host.calling("culprit", "edges.calls", &[]).await.is_ok());
    });
    host.others_are_well();
    Ok(())
}

#[test]
fn a_call_from_another_plugin_never_waits() -> anyhow::Result<()> {
    let house = House::sqlite()?;
    for name in ["a", "b"] {
        let file = house.path(&format!("plugins/{name}.wasm"));
        std::fs::copy(test_guest("relay")?, file)?;
    }
    let host = Inside::on(house, |name| PluginOptions {
        grants: Some(reads_everything()),
        limits: Limits {
            concurrent_calls: 2,
            ..Limits::default()
        },
        uses: [(
            "poolhouse-tests:relay/relay",
            if name == "a" { "b" } else { "a" },
        )]
        .map(|(interface, plugin)| (interface.to_owned(), plugin.to_owned()))
        .into(),
        ..PluginOptions::default()
    })?;
    let call = |script: &str| {
        host.runtime
            .block_on(host.calling("a", "relay.run", &[script]))
    };
    // a, b, a, b, and not a again.
    let answer = call("again")?.text.unwrap();
    assert_eq!(answer.matches('[').count(), 3, "{answer}");
    for word in [
        "FailureKind::Limit",
        "plugin \\\"a\\\" was not called",
        "`concurrent_calls`",
        "does not wait",
    ] {
        assert!(answer.contains(word), "{answer}");
    }
    let again = call("next | ask SELECT 1")?.text;
    assert_eq!(again.as_deref(), Some("ok(\"[1]\")"));
    Ok(())
}

#[test]
fn instances_past_those_alive_are_refused() -> anyhow::Result<()> {
    let host = Inside::limited(Limits {
        instances: 2,
        warm_instances: 1,
        ..Limits::default()
    })?;
    host.runtime.block_on(async {
        for _ in 0..2 {
            let sleep = || host.calling("culprit", "edges.sleep", &["50"]);
            let (first, second, third) = tokio::join!(sleep(), sleep(), sleep());
            assert!(first.is_ok() && second.is_ok());
            let error = third.unwrap_err();
            assert!(
                matches!(error, CallError::TooManyInstances { limit: 2, .. }),
                "{error:?}"
            );
            for word in ["plugin \"culprit\"", "2 instances", "limit `instances`"] {
                assert!(error.to_string().contains(word), "{error}");
            }
        }
    });
    host.others_are_well();
    Ok(())
}

fn parameters() -> Vec<Parameter> {
    [("fault", "trap"), ("at", ""), ("memory", "3")]
        .map(|(name, value)| Parameter {
            name: name.to_owned(),
            value: value.to_owned(),
        })
        .into()
}

#[test]
fn a_strategy_row_takes_a_warm_instance_s_place_and_keeps_it() -> anyhow::Result<()> {
    let house = House::sqlite()?;
    house.add_plugin(&test_guest("faulty-strategy")?)?;
    let host = Inside::on(house, |_| PluginOptions {
        limits: Limits {
            instances: 1,
            ..Limits::default()
        },
        ..PluginOptions::default()
    })?;
    let plugin = host.plugin("faulty-strategy");
    host.runtime.block_on(async {
        let scope = plugin.scope();
        // Leaves a warm instance behind.
        describe(&plugin, &scope).await.unwrap();
        let create =
            || StrategyInstance::create(&plugin, &scope, parameters(), Duration::from_secs(1));
        let row = create().await.ok().unwrap();
        let other = create().await.err().unwrap();
        assert!(
            matches!(other, CallError::TooManyInstances { limit: 1, .. }),
            "{other:?}"
        );
        drop(row);
        describe(&plugin, &scope).await.unwrap();
    });
    Ok(())
}

#[test]
fn a_sleeping_guest_is_woken_by_its_time() -> anyhow::Result<()> {
    let host = Inside::limited(Limits {
        call_timeout: Duration::from_millis(200),
        ..Limits::default()
    })?;
    let error = host.call("edges.sleep", &["3600000"]).unwrap_err();
    assert!(matches!(error, CallError::TimedOut { .. }), "{error}");
    assert!(error.to_string().contains("`call_timeout`"), "{error}");
    host.others_are_well();
    Ok(())
}
