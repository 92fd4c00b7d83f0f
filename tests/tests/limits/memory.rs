//! Memory, tables, and what a call hands over.

use std::time::{Duration, Instant};

use poolhouse_runtime::{CallError, Limits, PluginOptions};
use poolhouse_tests::{House, test_guest};

use super::{Inside, is_over_limit, reads_everything};

/// Grows its memory and its table as long as it gets more, and asks each time too for more than there can be of either.
const GROWS: &str = "(component
    (core module $m
      (memory (export \"memory\") 1)
      (table $t 1 funcref)
      (func (export \"pages\") (result i32)
        (local $tries i32)
        (loop $again
          (drop (memory.grow (i32.const 100)))
          (drop (memory.grow (i32.const 0x10000)))
          (drop (memory.grow (i32.const -1)))
          (local.set $tries (i32.add (local.get $tries) (i32.const 1)))
          (br_if $again (i32.lt_u (local.get $tries) (i32.const 50))))
        memory.size)
      (func (export \"elements\") (result i32)
        (local $tries i32)
        (loop $again
          (drop (table.grow $t (ref.null func) (i32.const 1000)))
          (drop (table.grow $t (ref.null func) (i32.const -1)))
          (local.set $tries (i32.add (local.get $tries) (i32.const 1)))
          (br_if $again (i32.lt_u (local.get $tries) (i32.const 50))))
        (table.size $t))
      (func (export \"trap\") (result i32)
        (if (i32.eq (table.grow $t (ref.null func) (i32.const 100000)) (i32.const -1)) (then unreachable))
        (i32.const 0)))
    (core instance $i (instantiate $m))
    (func (export \"pages\") (result u32) (canon lift (core func $i \"pages\")))
    (func (export \"elements\") (result u32) (canon lift (core func $i \"elements\")))
    (func (export \"trap\") (result u32) (canon lift (core func $i \"trap\"))))";

#[test]
fn memory_and_tables_end_where_they_are_told_to_whatever_is_asked_in_between() -> anyhow::Result<()>
{
    let host = Inside::text(
        GROWS,
        Limits {
            memory: 16 << 20,
            table_elements: 5_500,
            warm_instances: 0,
            ..Limits::default()
        },
    )?;
    // One page at first, and a hundred at a time within 256.
    assert_eq!(host.call("pages", &[])?, "201");
    assert_eq!(host.call("elements", &[])?, "5001");
    let error = host.call("trap", &[]).unwrap_err();
    assert!(is_over_limit(&error), "{error}");
    let error = error.to_string();
    assert!(
        error.contains("100000 elements of a table were refused (limit `table_elements`)"),
        "{error}"
    );
    Ok(())
}

#[test]
fn an_answer_is_as_long_as_may_be_handed_over() -> anyhow::Result<()> {
    let host = Inside::limited(Limits {
        call_bytes: 1 << 20,
        ..Limits::default()
    })?;
    let fits = host.call("edges.bytes", &["1000"])?;
    assert_eq!(fits.matches('7').count(), 1000);
    for (path, count) in [
        ("edges.bytes", "1048577"),
        // A million bytes of the guest's, many times as much of the host's.
        ("edges.records", "1000000"),
        ("edges.records", "30000000"),
    ] {
        let began = Instant::now();
        let error = host.call(path, &[count]).unwrap_err();
        assert!(is_over_limit(&error), "{error}");
        for word in ["handed over more than 1048576 bytes", "limit `call_bytes`"] {
            assert!(error.to_string().contains(word), "{error}");
        }
        assert!(began.elapsed() < Duration::from_secs(5));
    }
    host.others_are_well();
    Ok(())
}

/// Answers with what it has not: a list that ends behind its memory, and one text of a mebibyte a hundred thousand times.
const CLAIMS: &str = "(component
    (core module $m
      (memory (export \"memory\") 32)
      (func (export \"behind\") (result i32)
        (i32.store (i32.const 0) (i32.const 8))
        (i32.store (i32.const 4) (i32.const 0x7fffffff))
        (i32.const 0))
      (func (export \"often\") (result i32)
        (local $at i32)
        (loop $again
          (i32.store (i32.add (i32.const 0x100000) (i32.mul (local.get $at) (i32.const 8))) (i32.const 0))
          (i32.store (i32.add (i32.const 0x100004) (i32.mul (local.get $at) (i32.const 8))) (i32.const 0x100000))
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (br_if $again (i32.lt_u (local.get $at) (i32.const 100000))))
        (i32.store (i32.const 0x1ffff0) (i32.const 0x100000))
        (i32.store (i32.const 0x1ffff4) (i32.const 100000))
        (i32.const 0x1ffff0)))
    (core instance $i (instantiate $m))
    (func (export \"behind\") (result (list u8))
      (canon lift (core func $i \"behind\") (memory (core memory $i \"memory\"))))
    (func (export \"often\") (result (list string))
      (canon lift (core func $i \"often\") (memory (core memory $i \"memory\")))))";

#[test]
fn what_is_only_claimed_costs_nothing() -> anyhow::Result<()> {
    let host = Inside::text(CLAIMS, Limits::default())?;
    let error = host.call("behind", &[]).unwrap_err();
    assert!(matches!(error, CallError::Trapped { .. }), "{error}");
    assert!(error.to_string().contains("out of bounds"), "{error}");
    let began = Instant::now();
    let error = host.call("often", &[]).unwrap_err();
    assert!(is_over_limit(&error), "{error}");
    assert!(error.to_string().contains("`call_bytes`"), "{error}");
    // A hundred gigabytes would take longer.
    assert!(began.elapsed() < Duration::from_secs(5));
    Ok(())
}

/// Two plugins that call each other; `a` may hand over little, or `b`.
#[test]
fn what_plugins_hand_each_other_is_bounded_in_both_directions() -> anyhow::Result<()> {
    for little in ["a", "b"] {
        let house = House::sqlite()?;
        for name in ["a", "b"] {
            let file = house.path(&format!("plugins/{name}.wasm"));
            std::fs::copy(test_guest("relay")?, file)?;
        }
        let host = Inside::on(house, |name| PluginOptions {
            grants: Some(reads_everything()),
            limits: Limits {
                call_bytes: if name == little { 4096 } else { 128 << 20 },
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
        let call = |script: String| {
            host.runtime
                .block_on(host.calling("a", "relay.run", &[&script]))
        };
        assert_eq!(
            call("next | ask SELECT 1".to_owned())?.text.as_deref(),
            Some("ok(\"[1]\")")
        );
        // What `b` is told it answers with, in the failure of a step that there is not.
        let long = "x".repeat(5000);
        if little == "a" {
            let error = call(format!("next | {long}")).unwrap_err();
            assert!(is_over_limit(&error), "{error}");
            assert!(error.to_string().contains("`call_bytes`"), "{error}");
        } else {
            let answer = call(format!("next | {long}"))?.text.unwrap();
            for word in [
                "FailureKind::Limit",
                "plugin \\\"b\\\" trapped",
                "`call_bytes`",
            ] {
                assert!(answer.contains(word), "{answer}");
            }
        }
    }
    Ok(())
}
