//! Transactions and savepoints: what they keep, what they undo, and what is left of their handles.

use poolhouse_tests::conformance::Stage;
use poolhouse_tests::conformance::script::*;
use poolhouse_tests::{BACKENDS, Backend};

const TABLE: &str = "CREATE TABLE t (a BIGINT PRIMARY KEY)";
const ALL: &str = "SELECT a FROM t ORDER BY a";

fn insert(on: u32, value: i64) -> String {
    execute(
        on,
        "INSERT INTO t VALUES ($1)",
        &[&format!("int64({value})")],
    )
}

#[test]
fn committed_is_kept_and_rolled_back_is_gone() -> anyhow::Result<()> {
    for backend in BACKENDS {
        let stage = Stage::start(backend, TABLE)?;
        stage.play(
            "commit, rollback and drop",
            &[
                (open(0), "done"),
                (begin(0, 1, DEFAULT), "done"),
                (insert(1, 1), "changed(1)"),
                (commit(1), "done"),
                (begin(0, 1, DEFAULT), "done"),
                (insert(1, 2), "changed(1)"),
                (query(1, ALL, &[]), &rows("[[int64(1)], [int64(2)]]")),
                (rollback(1), "done"),
                (begin(0, 1, DEFAULT), "done"),
                (insert(1, 3), "changed(1)"),
                (forget(1), "done"),
                (query(0, ALL, &[]), &one("int64(1)")),
            ],
        )?;
        assert_eq!(stage.text("SELECT CAST(count(*) AS TEXT) FROM t")?, "1");
    }
    Ok(())
}

#[test]
fn savepoints_nest() -> anyhow::Result<()> {
    for backend in BACKENDS {
        let stage = Stage::start(backend, TABLE)?;
        stage.play(
            "nested",
            &[
                (open(0), "done"),
                (begin(0, 1, DEFAULT), "done"),
                (insert(1, 1), "changed(1)"),
                (savepoint(1, 2), "done"),
                (insert(2, 2), "changed(1)"),
                (savepoint(2, 3), "done"),
                (insert(3, 3), "changed(1)"),
                (rollback(3), "done"),
                (savepoint(2, 3), "done"),
                (insert(3, 4), "changed(1)"),
                (commit(3), "done"),
                (
                    query(2, ALL, &[]),
                    &rows("[[int64(1)], [int64(2)], [int64(4)]]"),
                ),
                (commit(2), "done"),
                (savepoint(1, 2), "done"),
                (insert(2, 5), "changed(1)"),
                (forget(2), "done"),
                // What was merged into a savepoint goes with it.
                (savepoint(1, 2), "done"),
                (savepoint(2, 3), "done"),
                (insert(3, 6), "changed(1)"),
                (commit(3), "done"),
                (rollback(2), "done"),
                (commit(1), "done"),
                (
                    query(0, ALL, &[]),
                    &rows("[[int64(1)], [int64(2)], [int64(4)]]"),
                ),
            ],
        )?;
    }
    Ok(())
}

#[test]
fn a_parent_is_not_used_while_its_savepoint_is_open() -> anyhow::Result<()> {
    for backend in BACKENDS {
        let stage = Stage::start(backend, TABLE)?;
        let refused = invalid("open savepoint");
        stage.play(
            "parent",
            &[
                (open(0), "done"),
                (begin(0, 1, DEFAULT), "done"),
                (savepoint(1, 2), "done"),
                (insert(1, 1), &refused),
                (query(1, ALL, &[]), &refused),
                (savepoint(1, 3), &refused),
                // The session's own statements join the innermost.
                (insert(0, 2), "changed(1)"),
                (rollback(2), "done"),
                (query(1, ALL, &[]), &rows("[]")),
                (commit(1), "done"),
            ],
        )?;
        // A parent that is rolled back takes its savepoints with it.
        stage.play(
            "parent's rollback",
            &[
                (open(0), "done"),
                (begin(0, 1, DEFAULT), "done"),
                (savepoint(1, 2), "done"),
                (insert(2, 1), "changed(1)"),
                (rollback(1), "done"),
                (insert(2, 2), &closed("")),
                (commit(2), &closed("")),
                (query(0, ALL, &[]), &rows("[]")),
            ],
        )?;
    }
    Ok(())
}

#[test]
fn on_postgresql_a_failed_statement_aborts_to_the_nearest_savepoint() -> anyhow::Result<()> {
    let stage = Stage::start(Backend::Postgresql, TABLE)?;
    let aborted = failed("25P02", "roll back to the nearest savepoint");
    stage.play(
        "aborted",
        &[
            (open(0), "done"),
            (begin(0, 1, DEFAULT), "done"),
            (insert(1, 1), "changed(1)"),
            (savepoint(1, 2), "done"),
            (insert(2, 1), "error(constraint({kind: unique, …}))"),
            (query(2, "SELECT 1", &[]), &aborted),
            (savepoint(2, 3), &aborted),
            (query(0, "SELECT 1", &[]), &aborted),
            (rollback(2), "done"),
            (insert(1, 2), "changed(1)"),
            (commit(1), "done"),
            (query(0, ALL, &[]), &rows("[[int64(1)], [int64(2)]]")),
        ],
    )?;
    stage.play(
        "commit of the aborted",
        &[
            (open(0), "done"),
            (begin(0, 1, DEFAULT), "done"),
            (insert(1, 7), "changed(1)"),
            (query(1, "SELECT 1 / 0", &[]), &failed("22012", "")),
            (commit(1), &failed("25P02", "rolled back, not committed")),
            (query(0, ALL, &[]), &rows("[[int64(1)], [int64(2)]]")),
            (begin(0, 1, DEFAULT), "done"),
            (insert(1, 7), "changed(1)"),
            (savepoint(1, 2), "done"),
            (query(2, "SELECT 1 / 0", &[]), &failed("22012", "")),
            (commit(2), &failed("25P02", "rolled back, not committed")),
            (insert(1, 8), "changed(1)"),
            (commit(1), "done"),
            (
                query(0, ALL, &[]),
                &rows("[[int64(1)], [int64(2)], [int64(7)], [int64(8)]]"),
            ),
        ],
    )
}

#[test]
fn on_sqlite_a_failed_statement_undoes_itself_alone() -> anyhow::Result<()> {
    let stage = Stage::start(Backend::Sqlite, TABLE)?;
    stage.play(
        "goes on",
        &[
            (open(0), "done"),
            (begin(0, 1, DEFAULT), "done"),
            (insert(1, 1), "changed(1)"),
            (
                execute(1, "INSERT INTO t VALUES (2), (1)", &[]),
                "error(constraint({kind: unique, …}))",
            ),
            (query(1, ALL, &[]), &one("int64(1)")),
            (commit(1), "done"),
            (query(0, ALL, &[]), &one("int64(1)")),
        ],
    )
}

#[test]
fn read_only_is_kept() -> anyhow::Result<()> {
    for backend in BACKENDS {
        let stage = Stage::start(backend, TABLE)?;
        stage.play(
            "read-only",
            &[
                (open(0), "done"),
                (begin(0, 1, READ_ONLY), "done"),
                (query(1, ALL, &[]), &rows("[]")),
                (insert(1, 1), &invalid("read-only")),
                (insert(0, 1), &invalid("read-only")),
                (savepoint(1, 2), "done"),
                (execute(2, "DELETE FROM t", &[]), &invalid("read-only")),
                (commit(2), "done"),
                // Asked for again it is ignored; not asked for, it stays so.
                (begin(0, 2, READ_ONLY), "done"),
                (commit(2), "done"),
                (begin(0, 2, DEFAULT), "done"),
                (insert(2, 1), &invalid("read-only")),
                (commit(2), "done"),
                (commit(1), "done"),
                (begin(0, 1, DEFAULT), "done"),
                (begin(0, 2, READ_ONLY), &invalid("read-only")),
                (insert(1, 1), "changed(1)"),
                (commit(1), "done"),
            ],
        )?;
    }
    Ok(())
}

#[test]
fn a_write_that_only_the_database_sees_is_refused_by_it() -> anyhow::Result<()> {
    let tables = "CREATE TABLE t (a BIGINT); CREATE FUNCTION add() RETURNS bigint LANGUAGE sql AS \
         'INSERT INTO t VALUES (1) RETURNING a'";
    let stage = Stage::start(Backend::Postgresql, tables)?;
    stage.play(
        "a function that writes",
        &[
            (open(0), "done"),
            (begin(0, 1, READ_ONLY), "done"),
            (query(1, "SELECT add()", &[]), &failed("25006", "read-only")),
            (rollback(1), "done"),
            (
                query(0, "SELECT count(*) AS n FROM t", &[]),
                &one("int64(0)"),
            ),
        ],
    )
}

#[test]
fn a_savepoint_has_its_transaction_s_isolation() -> anyhow::Result<()> {
    for backend in BACKENDS {
        let stage = Stage::start(backend, TABLE)?;
        let stronger = match backend {
            Backend::Postgresql => invalid("stronger isolation"),
            // It is serializable always.
            Backend::Sqlite => "done".to_owned(),
        };
        let mut script = vec![
            (open(0), "done"),
            (begin(0, 1, READ_COMMITTED), "done"),
            (begin(0, 2, SERIALIZABLE), stronger.as_str()),
        ];
        if backend == Backend::Sqlite {
            script.push((commit(2), "done"));
        }
        script.extend([
            (commit(1), "done"),
            (begin(0, 1, SERIALIZABLE), "done"),
            (begin(0, 2, REPEATABLE_READ), "done"),
            (commit(2), "done"),
            (commit(1), "done"),
        ]);
        stage.play("isolation of savepoints", &script)?;
    }
    Ok(())
}

#[test]
fn execute_answers_the_rows_changed() -> anyhow::Result<()> {
    for backend in BACKENDS {
        let stage = Stage::start(backend, TABLE)?;
        stage.play(
            "rows changed",
            &[
                (open(0), "done"),
                (
                    execute(0, "INSERT INTO t VALUES (1), (2), (3)", &[]),
                    "changed(3)",
                ),
                (
                    execute(0, "UPDATE t SET a = a + 10 WHERE a > 1", &[]),
                    "changed(2)",
                ),
                (
                    execute(0, "UPDATE t SET a = a WHERE a > 100", &[]),
                    "changed(0)",
                ),
                (
                    execute(0, "INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING", &[]),
                    "changed(0)",
                ),
                (
                    execute(0, "DELETE FROM t WHERE a > 10 RETURNING a", &[]),
                    "changed(2)",
                ),
                // It changes nothing, whatever was changed before it.
                (execute(0, "SELECT a FROM t", &[]), "changed(0)"),
                (execute(0, "DELETE FROM t", &[]), "changed(1)"),
            ],
        )?;
    }
    Ok(())
}
