//! What a call from plugin to plugin is a part of, and what is left of one that goes wrong.

use std::fs;
use std::time::Duration;

use poolhouse_runtime::PluginOptions;
use poolhouse_tests::{BACKENDS, Backend, test_guest};

use super::{Inside, empty, grants, limits, uses};

const RELAY: &str = "poolhouse-tests:relay/relay";

/// Longer than what goes right takes on the slowest machine.
const LONG_ENOUGH: Duration = Duration::from_secs(60);

/// Three relays in a circle, a to b to c to a, each with a table of its own; b and c have `call_timeout` for a call, a has
/// longer.
fn relays(backend: Backend, call_timeout: Duration) -> anyhow::Result<Inside> {
    let house = empty(backend)?;
    if backend == Backend::Sqlite {
        house.write("house.db", "")?;
    }
    for name in ["a", "b", "c"] {
        fs::copy(
            test_guest("relay")?,
            house.path(&format!("plugins/{name}.wasm")),
        )?;
        house.query(&format!("CREATE TABLE t_{name} (id BIGINT PRIMARY KEY)"))?;
    }
    let options = |name: &str| PluginOptions {
        grants: Some(grants(&[&format!("t_{name}")])),
        limits: limits(match name {
            "a" => LONG_ENOUGH,
            _ => call_timeout,
        }),
        uses: uses(
            RELAY,
            match name {
                "a" => "b",
                "b" => "c",
                _ => "a",
            },
        ),
        ..PluginOptions::default()
    };
    Ok(Inside::start(house, options)??)
}

impl Inside {
    fn relay(&self, script: &str) -> Result<String, String> {
        match self.call("a", "relay.run", &[script]) {
            Ok(answer) => match answer.failure {
                Some(failure) => Err(failure),
                // As it is, without WAVE's marks before quotes.
                None => Ok(answer.text.unwrap().replace("\\\"", "\"")),
            },
            Err(error) => Err(error.to_string()),
        }
    }

    /// How many rows each relay's table has; they are emptied.
    fn rows(&self) -> [u64; 3] {
        self.is_clean();
        ["t_a", "t_b", "t_c"].map(|table| {
            let rows = self.house.count(table).unwrap();
            self.house.query(&format!("DELETE FROM {table}")).unwrap();
            rows
        })
    }
}

#[test]
fn a_chain_is_one_transaction_on_one_connection() -> anyhow::Result<()> {
    for backend in BACKENDS {
        let host = relays(backend, LONG_ENOUGH)?;
        let script = |end: &str| {
            format!(
                "begin; sql INSERT INTO t_a VALUES (1); next; {end} | sql INSERT INTO t_b VALUES (1); begin; \
                 sql INSERT INTO t_b VALUES (2); commit; next | sql INSERT INTO t_c VALUES (1); ask SELECT count(*) FROM t_c"
            )
        };
        let answer = host.relay(&script("commit")).unwrap();
        assert_eq!(answer, "ok(\"ok, 1, [1, ok, 1, ok, [1, 1]], ok\")");
        assert_eq!(host.rows(), [1, 2, 1], "{backend:?}");
        host.relay(&script("rollback")).unwrap();
        assert_eq!(host.rows(), [0, 0, 0], "{backend:?}");
        // Left open by the outermost.
        let error = host.relay(&script("forget")).unwrap_err();
        assert!(error.contains("with a transaction open"), "{error}");
        assert_eq!(host.rows(), [0, 0, 0], "{backend:?}");
        // Without a transaction each statement is its own.
        host.relay("sql INSERT INTO t_a VALUES (1); next; trap | sql INSERT INTO t_b VALUES (1)")
            .unwrap_err();
        assert_eq!(host.rows(), [1, 1, 0], "{backend:?}");
        assert_eq!(host.database.stats().most_checked_out, 1, "{backend:?}");
    }
    Ok(())
}

#[test]
fn a_callee_that_goes_wrong_is_undone_alone_and_told_by_its_reason() -> anyhow::Result<()> {
    for backend in BACKENDS {
        let host = relays(backend, Duration::from_secs(1))?;
        for (fault, kind, words) in [
            (
                "trap",
                "Trapped",
                &["plugin \"b\" trapped in relay.run", "trapped as told"][..],
            ),
            (
                "spin",
                "Timeout",
                &["plugin \"b\" gave no answer", "within 1s", "call_timeout"],
            ),
            (
                "sleep",
                "Timeout",
                &["plugin \"b\" gave no answer", "call_timeout"],
            ),
            (
                "allocate",
                "Limit",
                &["plugin \"b\" trapped", "bytes of memory", "`memory`"],
            ),
            ("fail on purpose", "Failed", &["on purpose"]),
            (
                "begin; forget",
                "Failed",
                &["plugin \"b\"", "with a transaction open"],
            ),
            (
                "begin; sql INSERT INTO t_b VALUES (2); next-plain; commit",
                "Trapped",
                &[
                    "plugin \"b\" trapped",
                    "plugin \"c\" trapped",
                    "trapped as told",
                ],
            ),
        ] {
            for (next, kind) in [("next", kind), ("next-text", "Failed")] {
                let answer = host
                    .relay(&format!(
                        "begin; sql INSERT INTO t_a VALUES (1); {next}; sql INSERT INTO t_a VALUES (2); commit | \
                         sql INSERT INTO t_b VALUES (1); {fault} | sql INSERT INTO t_c VALUES (1); trap"
                    ))
                    .unwrap();
                let kind = format!("FailureKind::{kind}: ");
                for word in words.iter().chain(&[&*kind, ", 1, ok\")"]) {
                    assert!(
                        answer.contains(word),
                        "{backend:?} {fault} {next}: {answer}"
                    );
                }
                assert_eq!(host.rows(), [2, 0, 0], "{backend:?} {fault} {next}");
            }
        }
        // The innermost uses up all the time that its caller has, with a statement done in the outermost's transaction.
        let answer = host
            .relay("begin; sql INSERT INTO t_a VALUES (1); next; sql INSERT INTO t_a VALUES (2); commit | next | sql INSERT INTO t_c VALUES (1); spin")
            .unwrap();
        assert!(
            answer.contains("plugin \"c\" gave no answer") && answer.ends_with(", 1, ok\")"),
            "{answer}"
        );
        assert_eq!(host.rows(), [2, 0, 0], "{backend:?}");
        // A function without an error: the caller traps, with the reason, and all of it is undone.
        let error = host
            .relay("begin; sql INSERT INTO t_a VALUES (1); next-plain; commit | sql INSERT INTO t_b VALUES (1); spin")
            .unwrap_err();
        for word in [
            "plugin \"a\" trapped in relay.run",
            "plugin \"b\" gave no answer",
        ] {
            assert!(error.contains(word), "{error}");
        }
        assert_eq!(host.rows(), [0, 0, 0], "{backend:?}");
    }
    Ok(())
}

#[test]
fn a_circle_ends_at_the_depth_that_is_allowed() -> anyhow::Result<()> {
    for backend in BACKENDS {
        let host = relays(backend, LONG_ENOUGH)?;
        let answer = host.relay("again").unwrap();
        assert_eq!(answer.matches('[').count(), 15, "{answer}");
        for word in ["FailureKind::Depth", "16 calls deep", "`call_depth`"] {
            assert!(answer.contains(word), "{answer}");
        }
        // All of it inside a transaction, with a savepoint for each.
        let answer = host.relay("begin; again; rollback").unwrap();
        assert!(answer.contains("FailureKind::Depth"), "{answer}");
        assert_eq!(host.rows(), [0, 0, 0]);
    }
    Ok(())
}

#[test]
fn a_callee_acts_with_its_own_grants() -> anyhow::Result<()> {
    for backend in BACKENDS {
        let host = relays(backend, LONG_ENOUGH)?;
        let answer = host
            .relay("begin; next; commit | sql INSERT INTO t_a VALUES (1); sql INSERT INTO t_b VALUES (1)")
            .unwrap();
        assert!(
            answer.contains("plugin \"b\"") && answer.contains("t_a"),
            "{answer}"
        );
        assert_eq!(host.rows(), [0, 1, 0], "{backend:?}");
    }
    Ok(())
}

#[test]
fn a_callee_leaves_its_caller_s_separate_transaction_alone() -> anyhow::Result<()> {
    for backend in BACKENDS {
        let host = relays(backend, LONG_ENOUGH)?;
        let answer = host
            .relay("open-separate INSERT INTO t_a VALUES (1); next; commit-separate | ask SELECT count(*) FROM t_b")
            .unwrap();
        assert_eq!(answer, "ok(\"ok, [0], ok\")", "{backend:?}");
        assert_eq!(host.rows(), [1, 0, 0], "{backend:?}");
        // One that the callee itself leaves open ends with its call.
        let answer = host
            .relay(
                "next; sql INSERT INTO t_a VALUES (1) | open-separate INSERT INTO t_b VALUES (1); forget",
            )
            .unwrap();
        assert!(answer.contains("with a transaction open"), "{answer}");
        assert_eq!(host.rows(), [1, 0, 0], "{backend:?}");
    }
    Ok(())
}

#[test]
fn a_caller_s_failed_transaction_is_its_callee_s_too_and_no_more() -> anyhow::Result<()> {
    let host = relays(Backend::Postgresql, LONG_ENOUGH)?;
    let answer = host
        .relay("begin; sql INSERT INTO t_a VALUES (1), (1); next; rollback | sql INSERT INTO t_b VALUES (1)")
        .unwrap();
    assert!(
        answer.contains("t_a_pkey") && answer.contains("roll back to the nearest savepoint"),
        "{answer}"
    );
    // A callee that asks nothing of the database does not notice; one that fails alone spoils nothing.
    let answer = host
        .relay("begin; sql INSERT INTO t_a VALUES (1), (1); next; rollback | fail as it likes")
        .unwrap();
    assert!(answer.contains("as it likes"), "{answer}");
    let answer = host
        .relay("begin; sql INSERT INTO t_a VALUES (1); next; commit | sql INSERT INTO t_b VALUES (1), (1); fail so")
        .unwrap();
    assert!(answer.ends_with(", ok\")"), "{answer}");
    assert_eq!(host.rows(), [1, 0, 0]);
    Ok(())
}
