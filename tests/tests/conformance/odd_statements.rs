//! Texts and functions at the edge of what a statement is: none of them harms the connection or the next borrower.

use poolhouse_tests::conformance::Stage;
use poolhouse_tests::conformance::script::*;
use poolhouse_tests::{BACKENDS, Backend};

#[test]
fn one_statement_may_end_with_a_semicolon_and_remarks() -> anyhow::Result<()> {
    for backend in BACKENDS {
        let stage = Stage::start(backend, "")?;
        for sql in [
            "SELECT 1 AS v;",
            " \n SELECT 1 AS v ; -- the end",
            "/* ; */ SELECT 1 AS v /* ; */",
            "-- ;\nSELECT 1 AS v",
            "(SELECT 1 AS v)",
            "WITH a AS (SELECT 1 AS v) SELECT v FROM a",
            "VALUES (1)",
        ] {
            if backend == Backend::Sqlite && sql.starts_with('(') {
                continue;
            }
            stage.play(
                sql,
                &[(open(0), "done"), (query(0, sql, &[]), &one("int64(1)"))],
            )?;
        }
    }
    Ok(())
}

#[test]
fn a_nul_in_the_text_is_refused_and_harms_nothing() -> anyhow::Result<()> {
    for backend in BACKENDS {
        let stage = Stage::start(backend, "CREATE TABLE t (a BIGINT)")?;
        for sql in [
            "SELECT 'a\0b' AS v",
            "SELECT 1 AS v\0",
            "SELECT 1 AS v -- \0",
            "INSERT INTO t VALUES (1)\0; DELETE FROM t",
        ] {
            stage.play(
                sql,
                &[
                    (open(0), "done"),
                    (query(0, sql, &[]), "error(…)"),
                    (execute(0, sql, &[]), "error(…)"),
                    (
                        query(0, "SELECT count(*) AS n FROM t", &[]),
                        &one("int64(0)"),
                    ),
                    (begin(0, 1, DEFAULT), "done"),
                    (execute(1, "INSERT INTO t VALUES (1)", &[]), "changed(1)"),
                    (rollback(1), "done"),
                ],
            )?;
        }
    }
    Ok(())
}

#[test]
fn nesting_without_end_is_refused() -> anyhow::Result<()> {
    for backend in BACKENDS {
        let stage = Stage::start(backend, "")?;
        for (before, after) in [
            ("(", ")"),
            ("NOT ", ""),
            ("- ", ""),
            ("abs(", ")"),
            ("CASE WHEN true THEN ", " END"),
        ] {
            let sql = format!(
                "SELECT {}1{} AS v",
                before.repeat(20_000),
                after.repeat(20_000)
            );
            stage.play(
                before,
                &[
                    (open(0), "done"),
                    (query(0, &sql, &[]), "error(…)"),
                    (query(0, "SELECT 1 AS v", &[]), &one("int64(1)")),
                ],
            )?;
        }
    }
    Ok(())
}

#[test]
fn what_a_function_leaves_in_the_session_is_not_the_next_borrower_s() -> anyhow::Result<()> {
    let stage = Stage::start(Backend::Postgresql, "CREATE SEQUENCE s")?;
    let path = "SELECT current_setting('search_path') AS v";
    let usual = one("text(\"\\\"$user\\\", public\")");
    for sql in [
        "SELECT pg_advisory_lock(1)",
        "SELECT pg_advisory_lock_shared(2)",
        "SELECT set_config('search_path', 'elsewhere', false)",
        "SELECT set_config('default_transaction_isolation', 'serializable', false)",
        "SELECT nextval('s')",
        "SELECT setseed(0.5)",
    ] {
        stage.play(
            sql,
            &[
                (open(0), "done"),
                (query(0, sql, &[]), "…"),
                (query(0, path, &[]), &usual),
                (begin(0, 1, DEFAULT), "done"),
                (query(1, sql, &[]), "…"),
                (rollback(1), "done"),
                (query(0, path, &[]), &usual),
                (
                    query(
                        0,
                        "SELECT current_setting('default_transaction_isolation') AS v",
                        &[],
                    ),
                    &one("text(\"read committed\")"),
                ),
            ],
        )?;
    }
    Ok(())
}

#[test]
fn a_connection_that_the_server_ends_is_unavailable_and_the_next_is_another() -> anyhow::Result<()>
{
    let stage = Stage::start(Backend::Postgresql, "CREATE TABLE t (a BIGINT)")?;
    let end = "SELECT pg_terminate_backend(pg_backend_pid())";
    let gone = "error(unavailable({reason: …, message: \"…\", outcome-unknown: false}))";
    stage.play(
        "ended",
        &[
            (open(0), "done"),
            (query(0, end, &[]), gone),
            (query(0, "SELECT 1 AS v", &[]), &one("int64(1)")),
            (begin(0, 1, DEFAULT), "done"),
            (execute(1, "INSERT INTO t VALUES (1)", &[]), "changed(1)"),
            (savepoint(1, 2), "done"),
            (query(2, end, &[]), gone),
            (query(2, "SELECT 1 AS v", &[]), gone),
            (query(0, "SELECT 1 AS v", &[]), gone),
            (rollback(2), gone),
            // Not "done", for nothing was committed; and its outcome is known.
            (commit(1), gone),
            (
                query(0, "SELECT count(*) AS n FROM t", &[]),
                &one("int64(0)"),
            ),
        ],
    )
}

#[test]
fn a_transaction_s_timeout_may_be_none_at_all_or_without_end() -> anyhow::Result<()> {
    let options = |timeout: u64| {
        format!("{{isolation: default, read-only: false, timeout: some({timeout})}}")
    };
    let over = "error(timeout({kind: transaction, message: \"…\", limit: 0}))";
    for backend in BACKENDS {
        let stage = Stage::start(backend, "CREATE TABLE t (a BIGINT)")?;
        stage.play(
            "timeouts",
            &[
                (open(0), "done"),
                (begin(0, 1, &options(u64::MAX)), "done"),
                (execute(1, "INSERT INTO t VALUES (1)", &[]), "changed(1)"),
                (commit(1), "done"),
                (begin(0, 1, &options(0)), "done"),
                (execute(1, "INSERT INTO t VALUES (1)", &[]), over),
                (commit(1), over),
                // A savepoint's own ends it alone.
                (begin(0, 1, DEFAULT), "done"),
                (execute(1, "INSERT INTO t VALUES (2)", &[]), "changed(1)"),
                (begin(0, 2, &options(0)), "done"),
                (execute(2, "INSERT INTO t VALUES (3)", &[]), over),
                (commit(2), over),
                (execute(1, "INSERT INTO t VALUES (4)", &[]), "changed(1)"),
                (commit(1), "done"),
                (
                    query(0, "SELECT a FROM t ORDER BY a", &[]),
                    &rows("[[int64(1)], [int64(2)], [int64(4)]]"),
                ),
            ],
        )?;
    }
    Ok(())
}
