//! What a component does while it starts, before any call.

use std::time::Duration;

use poolhouse_runtime::{CallError, Limits, PluginOptions};

use super::{Inside, reads_everything};

fn starting(what: &str) -> anyhow::Result<Inside> {
    Inside::edges(PluginOptions {
        grants: Some(reads_everything()),
        environment: vec![("AT_START".to_owned(), what.to_owned())],
        limits: Limits {
            call_timeout: Duration::from_millis(300),
            memory: 16 << 20,
            log_lines: 10,
            ..Limits::default()
        },
        ..PluginOptions::default()
    })
}

#[test]
fn a_start_that_does_not_end_ends_with_its_call() -> anyhow::Result<()> {
    for what in ["spin", "sleep", "write"] {
        let host = starting(what)?;
        // One after the other, each in an instance of its own.
        for _ in 0..3 {
            let error = host.call("edges.calls", &[]).unwrap_err();
            assert!(
                matches!(error, CallError::TimedOut { .. }),
                "{what}: {error}"
            );
            host.others_are_well();
        }
    }
    Ok(())
}

#[test]
fn a_start_has_the_memory_of_its_instance() -> anyhow::Result<()> {
    let host = starting("allocate")?;
    let error = host.call("edges.calls", &[]).unwrap_err();
    assert!(error.to_string().contains("limit `memory`"), "{error}");
    host.others_are_well();
    Ok(())
}

#[test]
fn a_start_has_no_database_and_is_told_so() -> anyhow::Result<()> {
    let host = starting("database")?;
    for _ in 0..2 {
        let said = host.call("edges.at-start", &[])?;
        assert_eq!(
            said.matches("can't be used while the component starts")
                .count(),
            3,
            "{said}"
        );
        assert!(said.contains("stats: 0"), "{said}");
    }
    host.others_are_well();
    assert_eq!(host.database.stats().most_checked_out, 0);
    Ok(())
}
