//! Handles, tables and arrays at their edges: what ends with a refused commit, tables that somebody else changes, an
//! array of no elements.

use std::time::Duration;

use poolhouse_database::PoolOptions;
use poolhouse_tests::conformance::script::*;
use poolhouse_tests::conformance::{Setup, Stage};
use poolhouse_tests::{BACKENDS, Backend};

/// A connection that is pinged each time it is lent, which is when SQLite's forgets what it has prepared for changed tables.
fn pinged() -> Setup {
    Setup {
        pool: PoolOptions {
            pool_pre_ping_idle: Duration::ZERO,
            ..PoolOptions::default()
        },
        ..Setup::default()
    }
}

/// `commit`: "on any other error it was rolled back". The handle is gone with the call, so nobody else can do it.
#[test]
fn a_refused_commit_has_rolled_back() -> anyhow::Result<()> {
    for backend in BACKENDS {
        let stage = Stage::start(backend, "CREATE TABLE t (a BIGINT)")?;
        stage.play(
            "commit of a parent",
            &[
                (open(0), "done"),
                (begin(0, 1, DEFAULT), "done"),
                (execute(1, "INSERT INTO t VALUES (1)", &[]), "changed(1)"),
                (savepoint(1, 2), "done"),
                (commit(1), &invalid("open savepoint")),
                (execute(2, "INSERT INTO t VALUES (2)", &[]), &closed("")),
                (commit(2), &closed("")),
                (query(0, "SELECT a FROM t", &[]), &rows("[]")),
            ],
        )?;
    }
    Ok(())
}

#[test]
fn a_column_that_is_declared_anew_has_its_new_kind() -> anyhow::Result<()> {
    let tables = "CREATE TABLE t (v TEXT); INSERT INTO t VALUES ('1.50')";
    let stage = Stage::start_with(Backend::Sqlite, tables, pinged())?;
    let script = [
        (open(0), "done"),
        (query(0, "SELECT v FROM t", &[]), &*one("text(\"1.50\")")),
    ];
    stage.play("before", &script)?;
    stage.sql("DROP TABLE t; CREATE TABLE t (v DECIMAL_TEXT); INSERT INTO t VALUES ('1.50')")?;
    let script = [
        (open(0), "done"),
        (query(0, "SELECT v FROM t", &[]), &*one("decimal(\"1.50\")")),
    ];
    stage.play("after", &script)
}

#[test]
fn a_column_that_was_added_is_there() -> anyhow::Result<()> {
    let tables = "CREATE TABLE t (v TEXT); INSERT INTO t VALUES ('x')";
    let stage = Stage::start_with(Backend::Sqlite, tables, pinged())?;
    let script = [
        (open(0), "done"),
        (query(0, "SELECT * FROM t", &[]), &*one("text(\"x\")")),
    ];
    stage.play("before", &script)?;
    stage.sql("ALTER TABLE t ADD COLUMN w DATE DEFAULT '1970-01-02'")?;
    let both = rows("[[text(\"x\"), date(1)]]");
    let script = [
        (open(0), "done"),
        (query(0, "SELECT * FROM t", &[]), &*both),
    ];
    stage.play("after", &script)
}

/// "It is bound to the type that the server gives the placeholder, exactly or not at all", with no element as with one.
#[test]
fn an_empty_array_has_a_kind_too() -> anyhow::Result<()> {
    let stage = Stage::start(Backend::Postgresql, "")?;
    let array = "array({validity: [], values: text({offsets: [0], data: []})})";
    stage.play(
        "empty",
        &[
            (open(0), "done"),
            (query(0, "SELECT $1::int8[] AS v", &[array]), &invalid("$1")),
        ],
    )
}

#[test]
fn columns_that_changed_places_keep_their_values() -> anyhow::Result<()> {
    let tables = "CREATE TABLE t (a INTEGER, b INTEGER); INSERT INTO t (a, b) VALUES (1, 2)";
    let stage = Stage::start(Backend::Sqlite, tables)?;
    let all = "SELECT * FROM t";
    let insert = "INSERT INTO t (a, b) VALUES (1, 2) RETURNING *";
    let columns = |first: &str, second: &str| {
        format!(
            "table({{columns: [{{name: \"{first}\", …}}, {{name: \"{second}\", …}}], rows: …}})"
        )
    };
    let (before, after) = (columns("a", "b"), columns("b", "a"));
    stage.play(
        "before",
        &[
            (open(0), "done"),
            (query(0, all, &[]), &*before),
            (query(0, insert, &[]), &*before),
        ],
    )?;
    stage.sql("DROP TABLE t; CREATE TABLE t (b INTEGER, a INTEGER)")?;
    stage.play(
        "after",
        &[
            (open(0), "done"),
            // What was known of it is wrong now, and what it did is undone.
            (
                query(0, insert, &[]),
                "error(conflict({kind: serialization, …}))",
            ),
            (query(0, insert, &[]), &*after),
            (query(0, all, &[]), &rows("[[int64(2), int64(1)]]")),
        ],
    )?;
    stage.sql("ALTER TABLE t ADD COLUMN c INTEGER")?;
    stage.play(
        "one more",
        &[
            (open(0), "done"),
            (
                execute(0, "INSERT INTO t VALUES (2, 1, 3)", &[]),
                "changed(1)",
            ),
            (
                query(0, "SELECT c FROM t WHERE c IS NOT NULL", &[]),
                &rows("[[int64(3)]]"),
            ),
        ],
    )
}

/// In a transaction, where SQLite's rows are read by the rowid of a table of their own.
#[test]
fn a_cursor_s_column_may_be_called_rowid() -> anyhow::Result<()> {
    for backend in BACKENDS {
        let stage = Stage::start(backend, "CREATE TABLE t (a BIGINT)")?;
        let numbers = "INSERT INTO t WITH RECURSIVE n (a) AS (SELECT 1 UNION ALL SELECT a + 1 FROM n WHERE a < 5000) \
                       SELECT a FROM n";
        stage.sql(numbers)?;
        let all = "SELECT 5001 - a AS rowid FROM t ORDER BY a";
        stage.play(
            "rowid",
            &[
                (open(0), "done"),
                (begin(0, 1, DEFAULT), "done"),
                (open_cursor(1, 2, all, &[]), "done"),
                (
                    read_to_end(2),
                    "summary({rows: 5000, batches: …, largest-batch: …, checksum: 12502500})",
                ),
                (commit(1), "done"),
            ],
        )?;
    }
    Ok(())
}
