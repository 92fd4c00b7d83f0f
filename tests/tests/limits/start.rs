//! What a component does while it starts, and what a guest in Rust does before its first call's own work, which is a part of
//! that call.

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
fn what_does_not_end_before_the_first_call_ends_with_it() -> anyhow::Result<()> {
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
fn what_is_before_the_first_call_has_the_memory_of_its_instance() -> anyhow::Result<()> {
    let host = starting("allocate")?;
    let error = host.call("edges.calls", &[]).unwrap_err();
    assert!(error.to_string().contains("limit `memory`"), "{error}");
    host.others_are_well();
    Ok(())
}

/// Asks for the database's health in its start code, and answers what it was told, so often called as it is.
const ASKS: &str = "(component
    (import \"poolhouse:database/database@0.1.0\" (instance $database
      (type $state' (enum \"up\" \"degraded\" \"down\"))
      (export \"health-state\" (type $state (eq $state')))
      (type $status' (record (field \"state\" $state) (field \"since\" s64) (field \"backend\" string)
        (field \"version\" string) (field \"latency\" u64) (field \"message\" string)))
      (export \"health-status\" (type $status (eq $status')))
      (export \"health\" (func (result $status)))))
    (core module $memory
      (memory (export \"memory\") 1)
      (global $next (mut i32) (i32.const 1024))
      (func (export \"realloc\") (param i32 i32 i32 i32) (result i32)
        (global.get $next)
        (global.set $next (i32.add (global.get $next) (i32.and (i32.add (local.get 3) (i32.const 7)) (i32.const -8))))))
    (core instance $m (instantiate $memory))
    (core func $health (canon lower (func $database \"health\")
      (memory (core memory $m \"memory\")) (realloc (core func $m \"realloc\"))))
    (core module $starts
      (import \"database\" \"health\" (func $health (param i32)))
      (func $start (call $health (i32.const 64)))
      (func (export \"told\") (result i32) (i32.const 104))
      (start $start))
    (core instance $s (instantiate $starts (with \"database\" (instance (export \"health\" (func $health))))))
    (func (export \"told\") (result string)
      (canon lift (core func $s \"told\") (memory (core memory $m \"memory\")))))";

#[test]
fn start_code_has_no_database_and_is_told_so() -> anyhow::Result<()> {
    let host = Inside::text(ASKS, Limits::default())?;
    let denied = host.call("told", &[])?;
    assert!(denied.contains("no grant"), "{denied}");
    let host = Inside::granted(ASKS)?;
    for _ in 0..2 {
        let told = host.call("told", &[])?;
        assert!(
            told.contains("be used while the component starts"),
            "{told}"
        );
    }
    assert_eq!(host.database.stats().most_checked_out, 0);
    Ok(())
}

/// Starts by spinning, or by asking for more memory and trapping without it.
fn starts(code: &str) -> String {
    format!(
        "(component
          (core module $m (memory 1) (func $start {code}) (start $start) (func (export \"f\") (result i32) (i32.const 1)))
          (core instance $i (instantiate $m))
          (func (export \"f\") (result u32) (canon lift (core func $i \"f\"))))"
    )
}

#[test]
fn start_code_has_the_time_and_the_memory_of_a_call() -> anyhow::Result<()> {
    let limits = Limits {
        call_timeout: Duration::from_millis(200),
        memory: 16 << 20,
        instances: 1,
        ..Limits::default()
    };
    let host = Inside::text(&starts("(loop $for-ever (br $for-ever))"), limits.clone())?;
    // What failed to start is no instance any more.
    for _ in 0..3 {
        let error = host.call("f", &[]).unwrap_err();
        assert!(matches!(error, CallError::TimedOut { .. }), "{error}");
    }
    let grows = "(if (i32.eq (memory.grow (i32.const 1000)) (i32.const -1)) (then unreachable))";
    let host = Inside::text(&starts(grows), limits)?;
    for _ in 0..3 {
        let error = host.call("f", &[]).unwrap_err();
        assert!(super::is_over_limit(&error), "{error}");
        assert!(error.to_string().contains("limit `memory`"), "{error}");
    }
    Ok(())
}
