//! Cursors: batches and their bounds, what ends them, and what goes on beside them.

use poolhouse_database::PoolOptions;
use poolhouse_runtime::Limits;
use poolhouse_tests::conformance::script::*;
use poolhouse_tests::conformance::{Setup, Stage};
use poolhouse_tests::{BACKENDS, Backend};

/// A query of the numbers from 1 in rising order.
fn numbers(backend: Backend, count: u64) -> String {
    match backend {
        Backend::Sqlite => format!(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) SELECT i FROM n"
        ),
        Backend::Postgresql => format!("SELECT generate_series(1, {count}::bigint) AS i"),
    }
}

fn few_rows(rows: u64) -> Setup {
    Setup {
        limits: Limits {
            rows,
            ..Limits::default()
        },
        ..Setup::default()
    }
}

#[test]
fn batches_have_at_most_the_limit_s_rows() -> anyhow::Result<()> {
    for backend in BACKENDS {
        let stage = Stage::start_with(backend, "CREATE TABLE t (a BIGINT, b TEXT)", few_rows(3))?;
        stage.sql("INSERT INTO t VALUES (1, 'a'), (2, NULL), (3, 'c'), (4, 'd'), (5, 'e'), (6, 'f'), (7, 'g')")?;
        let columns_of = match backend {
            Backend::Sqlite => {
                "columns([{name: \"a\", kind: int64, database-type: \"BIGINT\"}, {name: \"b\", kind: text, database-type: \"TEXT\"}])"
            }
            Backend::Postgresql => {
                "columns([{name: \"a\", kind: int64, database-type: \"int8\"}, {name: \"b\", kind: text, database-type: \"text\"}])"
            }
        };
        for within in [false, true] {
            let on = u32::from(within);
            let mut script = vec![(open(0), "done")];
            if within {
                script.push((begin(0, 1, DEFAULT), "done"));
            }
            script.extend([
                (
                    open_cursor(on, 9, "SELECT a, b FROM t ORDER BY a", &[]),
                    "done",
                ),
                (columns(9), columns_of),
                (
                    read_to_end(9),
                    "summary({rows: 7, batches: …, largest-batch: …, checksum: 630})",
                ),
                (next(9), "rows(none)"),
                (next(9), "rows(none)"),
                (
                    open_cursor(on, 9, "SELECT a, b FROM t WHERE a > $1", &["int64(7)"]),
                    "done",
                ),
                (columns(9), columns_of),
                (next(9), "rows(none)"),
                (
                    open_cursor(on, 9, "SELECT a, b FROM t WHERE a < 3 ORDER BY a", &[]),
                    "done",
                ),
                (read_to_end(9), "summary({rows: 2, …})"),
            ]);
            if within {
                script.push((commit(1), "done"));
            }
            stage.play("batches", &script)?;
        }
        let outcomes = stage.call(&[
            open(0),
            open_cursor(0, 9, &numbers(backend, 100), &[]),
            read_to_end(9),
            forget(9),
        ])?;
        let largest = outcomes[2].split("largest-batch: ").nth(1).unwrap();
        let largest: u32 = largest.split(',').next().unwrap().parse()?;
        assert!((1..=3).contains(&largest), "{outcomes:?}");
    }
    Ok(())
}

#[test]
fn a_row_that_is_larger_than_the_limit_is_refused() -> anyhow::Result<()> {
    for backend in BACKENDS {
        let setup = Setup {
            limits: Limits {
                bytes: 1000,
                ..Limits::default()
            },
            ..Setup::default()
        };
        let stage = Stage::start_with(backend, "CREATE TABLE t (id BIGINT, v TEXT)", setup)?;
        let texts: Vec<_> = (0..10)
            .map(|id| format!("({id}, '{}')", "x".repeat(400)))
            .collect();
        stage.sql(&format!("INSERT INTO t VALUES {}", texts.join(", ")))?;
        let limit = limit("bytes", 1000);
        stage.play(
            "bytes",
            &[
                (open(0), "done"),
                (query(0, "SELECT v FROM t", &[]), &limit),
                (
                    open_cursor(0, 9, "SELECT v FROM t ORDER BY id", &[]),
                    "done",
                ),
                // 10 times 400 bytes of 120.
                (
                    read_to_end(9),
                    "summary({rows: 10, batches: …, largest-batch: …, checksum: 480000})",
                ),
                (
                    execute(0, "UPDATE t SET v = v || v || v WHERE id = 5", &[]),
                    "changed(1)",
                ),
                (
                    open_cursor(0, 9, "SELECT v FROM t ORDER BY id", &[]),
                    "done",
                ),
                (read_to_end(9), &limit),
                (next(9), &closed("")),
            ],
        )?;
    }
    Ok(())
}

#[test]
fn every_kind_is_read() -> anyhow::Result<()> {
    for backend in BACKENDS {
        let (tables, kinds) = match backend {
            Backend::Sqlite => (
                "CREATE TABLE t (a BOOLEAN, b BIGINT, c REAL, d DECIMAL_TEXT, e TEXT, f BLOB, g UUID_TEXT, h DATE, i TIME, j TIMESTAMP, k JSON_TEXT)",
                "columns([{…kind: boolean, …kind: int64, …kind: float64, …kind: decimal, …kind: text, …kind: bytes, …kind: uuid, …kind: date, …kind: time, …kind: timestamp, …kind: json, …}])",
            ),
            Backend::Postgresql => (
                "CREATE TABLE t (a boolean, b bigint, c float8, d numeric, e text, f bytea, g uuid, h date, i time, j timestamptz, k json)",
                "columns([{…kind: boolean, …kind: int64, …kind: float64, …kind: decimal, …kind: text, …kind: bytes, …kind: uuid, …kind: date, …kind: time, …kind: timestamp, …kind: json, …}])",
            ),
        };
        let stage = Stage::start(backend, tables)?;
        let values = [
            "boolean(true)",
            "int64(9007199254740993)",
            "float64(0.1)",
            "decimal(\"1.50\")",
            "text(\"é\")",
            "bytes([0, 255])",
            "uuid({high: 1, low: 2})",
            "date(-1)",
            "time(1)",
            "timestamp(-1)",
            "json(\"[1]\")",
        ];
        let nulls = ["null"; 11];
        let insert = "INSERT INTO t VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
        let expected = format!(
            "rows(some([[{}], [{}]]))",
            values.join(", "),
            nulls.join(", ")
        );
        let select = "SELECT * FROM t ORDER BY b IS NULL";
        stage.play(
            "kinds",
            &[
                (open(0), "done"),
                (execute(0, insert, &values), "changed(1)"),
                (execute(0, insert, &nulls), "changed(1)"),
                (open_cursor(0, 9, select, &[]), "done"),
                (columns(9), kinds),
                (next(9), &expected),
                (next(9), "rows(none)"),
                (begin(0, 1, READ_ONLY), "done"),
                (open_cursor(1, 9, select, &[]), "done"),
                (columns(9), kinds),
                (next(9), &expected),
                (next(9), "rows(none)"),
                (commit(1), "done"),
            ],
        )?;
    }
    Ok(())
}

#[test]
fn an_error_in_the_middle_ends_it() -> anyhow::Result<()> {
    // How many rows are fetched at once is the host's to choose; the first of them are far from the error.
    let stage = Stage::start_with(Backend::Postgresql, "", few_rows(2))?;
    let sql = "SELECT 5000 / (5000 - i) AS q FROM generate_series(1, 9000) AS i";
    let divided = failed("22012", "division by zero");
    stage.play(
        "in the middle",
        &[
            (open(0), "done"),
            (open_cursor(0, 9, sql, &[]), "done"),
            (next(9), "rows(some([[int64(1)]…]))"),
            (read_to_end(9), &divided),
            (next(9), &closed("")),
            (begin(0, 1, DEFAULT), "done"),
            (savepoint(1, 2), "done"),
            (open_cursor(2, 9, sql, &[]), "done"),
            (next(9), "rows(some([[int64(1)]…]))"),
            (read_to_end(9), &divided),
            // As by any failed statement.
            (query(2, "SELECT 1", &[]), &failed("25P02", "")),
            (next(9), &closed("")),
            (rollback(2), "done"),
            (query(1, "SELECT 1", &[]), &one("int64(1)")),
            (commit(1), "done"),
        ],
    )?;
    let stage = Stage::start_with(Backend::Sqlite, "", few_rows(2))?;
    let sql = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9000) \
         SELECT CASE WHEN i < 5000 THEN i ELSE abs(-9223372036854775807 - 1) END AS q FROM n";
    stage.play(
        "in the middle",
        &[
            (open(0), "done"),
            (open_cursor(0, 9, sql, &[]), "done"),
            (next(9), "rows(some([[int64(1)]…]))"),
            (read_to_end(9), &failed("1", "overflow")),
            (next(9), &closed("")),
            // In a transaction the rows are put aside first, so it comes when the cursor is opened.
            (begin(0, 1, DEFAULT), "done"),
            (open_cursor(1, 9, sql, &[]), &failed("1", "overflow")),
            (query(1, "SELECT 1", &[]), &one("int64(1)")),
            (commit(1), "done"),
        ],
    )
}

#[test]
fn only_queries_are_read_by_cursor() -> anyhow::Result<()> {
    for backend in BACKENDS {
        let stage = Stage::start(backend, "CREATE TABLE t (a BIGINT)")?;
        for (sql, expected) in [
            ("INSERT INTO t VALUES (1) RETURNING a", invalid("")),
            ("DELETE FROM t", invalid("")),
            ("SELECT 1; SELECT 2", invalid("several statements")),
            ("SELECT $1", invalid("takes 1 parameters")),
            ("CREATE TABLE x (a BIGINT)", denied("migration")),
            ("SELECT a FROM poolhouse_migrations", denied("")),
        ] {
            stage.play(
                sql,
                &[
                    (open(0), "done"),
                    (open_cursor(0, 9, sql, &[]), &expected),
                    (begin(0, 1, DEFAULT), "done"),
                    (open_cursor(1, 9, sql, &[]), &expected),
                    (
                        query(1, "SELECT count(*) AS n FROM t", &[]),
                        &one("int64(0)"),
                    ),
                    (commit(1), "done"),
                ],
            )?;
        }
    }
    Ok(())
}

#[test]
fn several_at_once_and_other_statements_meanwhile() -> anyhow::Result<()> {
    for backend in BACKENDS {
        let stage = Stage::start_with(backend, "CREATE TABLE t (a BIGINT)", few_rows(2))?;
        stage.sql("INSERT INTO t VALUES (1), (2), (3), (4), (5)")?;
        let select = "SELECT a FROM t ORDER BY a";
        let descending = "SELECT a FROM t ORDER BY a DESC";
        stage.play(
            "several",
            &[
                (open(0), "done"),
                (begin(0, 1, DEFAULT), "done"),
                (open_cursor(1, 8, select, &[]), "done"),
                (open_cursor(1, 9, descending, &[]), "done"),
                (next(8), "rows(some([[int64(1)]…]))"),
                (next(9), "rows(some([[int64(5)]…]))"),
                // A session's statement joins the transaction, and its cursor does.
                (open_cursor(0, 7, select, &[]), "done"),
                (execute(1, "DELETE FROM t WHERE a = 3", &[]), "changed(1)"),
                (
                    query(1, "SELECT count(*) AS n FROM t", &[]),
                    &one("int64(4)"),
                ),
                (savepoint(1, 2), "done"),
                (execute(2, "INSERT INTO t VALUES (6)", &[]), "changed(1)"),
                (rollback(2), "done"),
                // What they show is of the time when they were opened.
                (read_to_end(8), "summary({…})"),
                (read_to_end(9), "summary({…})"),
                (
                    read_to_end(7),
                    "summary({rows: 5, batches: …, checksum: 15})",
                ),
                ("stats".to_owned(), "stats({…used: 1})"),
                (commit(1), "done"),
                (
                    query(0, "SELECT count(*) AS n FROM t", &[]),
                    &one("int64(4)"),
                ),
            ],
        )?;
    }
    Ok(())
}

#[test]
fn outside_a_transaction_it_holds_a_connection_until_it_ends() -> anyhow::Result<()> {
    for backend in BACKENDS {
        let stage = Stage::start_with(backend, "CREATE TABLE t (a BIGINT)", few_rows(2))?;
        let sql = numbers(backend, 1_000_000_000);
        stage.play(
            "own connection",
            &[
                (open(0), "done"),
                (open_cursor(0, 9, &sql, &[]), "done"),
                (next(9), "rows(some([[int64(1)]…]))"),
                ("stats".to_owned(), "stats({…used: 1})"),
                (query(0, "SELECT 1", &[]), &one("int64(1)")),
                (execute(0, "INSERT INTO t VALUES (1)", &[]), "changed(1)"),
                // Early, and what it would still have read is not read.
                (forget(9), "done"),
                ("stats".to_owned(), "stats({…used: 0})"),
                (open_cursor(0, 9, &numbers(backend, 3), &[]), "done"),
                (read_to_end(9), "summary({rows: 3, …})"),
                // At its end it has given the connection back, its handle is still there or not.
                ("stats".to_owned(), "stats({…used: 0})"),
                (next(9), "rows(none)"),
                (forget(9), "done"),
            ],
        )?;
        let setup = Setup {
            pool: PoolOptions {
                pool_size: 1,
                max_overflow: 0,
                ..PoolOptions::default()
            },
            ..Setup::default()
        };
        let stage = Stage::start_with(backend, "", setup)?;
        stage.play(
            "the only connection",
            &[
                (open(0), "done"),
                (open_cursor(0, 9, &sql, &[]), "done"),
                (query(0, "SELECT 1", &[]), "error(pool-exhausted({…}))"),
                (open_cursor(0, 8, &sql, &[]), "error(pool-exhausted({…}))"),
                (next(9), "rows(some([[int64(1)], …]))"),
                (forget(9), "done"),
                (query(0, "SELECT 1", &[]), &one("int64(1)")),
            ],
        )?;
    }
    Ok(())
}

#[test]
fn what_ends_around_it_ends_it() -> anyhow::Result<()> {
    for backend in BACKENDS {
        let stage = Stage::start_with(backend, "CREATE TABLE t (a BIGINT)", few_rows(2))?;
        let sql = numbers(backend, 100);
        for end in [commit(1), rollback(1), forget(1)] {
            stage.play(
                &end,
                &[
                    (open(0), "done"),
                    (begin(0, 1, DEFAULT), "done"),
                    (open_cursor(1, 9, &sql, &[]), "done"),
                    (next(9), "rows(some([[int64(1)]…]))"),
                    (end.clone(), "done"),
                    (next(9), &closed("")),
                    (columns(9), "columns([{name: \"i\", …}])"),
                    (begin(0, 1, DEFAULT), "done"),
                    (savepoint(1, 2), "done"),
                    (open_cursor(2, 9, &sql, &[]), "done"),
                    (rollback(2), "done"),
                    (next(9), &closed("")),
                    (commit(1), "done"),
                ],
            )?;
        }
        // Its handle is kept over calls, and it is not; nor does it keep a connection.
        let left = [open(0), open_cursor(0, 9, &sql, &[]), next(9)];
        let _ = stage.call(&left);
        stage.is_clean()?;
        let later = stage.call(&[next(9)])?;
        assert!(later[0].starts_with("error(closed("), "{later:?}");
        let begun = [
            open(0),
            begin(0, 1, DEFAULT),
            open_cursor(1, 9, &sql, &[]),
            "trap".to_owned(),
        ];
        stage.play_failing("a trap", &begun, &["trapped on purpose"])?;
        let alone = [open(0), open_cursor(0, 9, &sql, &[]), "trap".to_owned()];
        stage.play_failing(
            "a trap outside a transaction",
            &alone,
            &["trapped on purpose"],
        )?;
    }
    Ok(())
}

#[test]
fn an_undeclared_column_keeps_its_first_batch_s_kind() -> anyhow::Result<()> {
    let stage = Stage::start_with(Backend::Sqlite, "", few_rows(2))?;
    stage.play(
        "undeclared",
        &[
            (open(0), "done"),
            (
                open_cursor(
                    0,
                    9,
                    "SELECT column1 AS v FROM (VALUES (1), (2), (3), ('x'))",
                    &[],
                ),
                "done",
            ),
            (
                columns(9),
                "columns([{name: \"v\", kind: int64, database-type: \"\"}])",
            ),
            (read_to_end(9), &invalid("")),
            (next(9), &closed("")),
        ],
    )
}

#[test]
fn they_count_as_handles_and_connections() -> anyhow::Result<()> {
    const OPEN: u32 = 64;
    for backend in BACKENDS {
        let sql = numbers(backend, 3);
        let stage = Stage::start(backend, "")?;
        let mut script = vec![(open(0), "done"), (begin(0, 1, READ_ONLY), "done")];
        for slot in 100..100 + OPEN {
            script.push((open_cursor(1, slot, &sql, &[]), "done"));
        }
        let over = limit("handles", u64::from(OPEN));
        script.push((open_cursor(1, 99, &sql, &[]), &over));
        script.push((forget(100), "done"));
        script.push((open_cursor(1, 100, &sql, &[]), "done"));
        script.push((commit(1), "done"));
        stage.play("open at once", &script)?;

        let setup = Setup {
            limits: Limits {
                connections: 2,
                handles: 5,
                ..Limits::default()
            },
            ..Setup::default()
        };
        let stage = Stage::start_with(backend, "", setup)?;
        // Batches of a query that does not end while they are read.
        let sql = numbers(backend, 1_000_000_000);
        stage.play(
            "connections and handles",
            &[
                (open(0), "done"),
                (open_cursor(0, 7, &sql, &[]), "done"),
                (open_cursor(0, 8, &sql, &[]), "done"),
                (
                    "stats".to_owned(),
                    "stats({…quota: 2, reserved: 0, used: 2})",
                ),
                (open_cursor(0, 9, &sql, &[]), &limit("connections", 2)),
                (query(0, "SELECT 1", &[]), &limit("connections", 2)),
                (forget(7), "done"),
                (query(0, "SELECT 1", &[]), &one("int64(1)")),
                (forget(8), "done"),
            ],
        )?;
        let few = numbers(backend, 3);
        stage.play(
            "handles",
            &[
                (begin(0, 1, READ_ONLY), "done"),
                (open_cursor(1, 2, &few, &[]), "done"),
                (open_cursor(1, 3, &few, &[]), "done"),
                (open_cursor(1, 4, &few, &[]), "done"),
                (open_cursor(1, 5, &few, &[]), &limit("handles", 5)),
                // One that can't be handed out is not left open.
                (read_to_end(4), "summary({rows: 3, …})"),
                (commit(1), "done"),
            ],
        )?;
    }
    Ok(())
}

#[test]
fn a_separate_session_s_cursor_is_its_own() -> anyhow::Result<()> {
    for backend in BACKENDS {
        let stage = Stage::start_with(backend, "CREATE TABLE t (a BIGINT)", few_rows(2))?;
        stage.sql("INSERT INTO t VALUES (1), (2), (3)")?;
        let sql = "SELECT a FROM t ORDER BY a";
        stage.play(
            "separate",
            &[
                (open(0), "done"),
                (open_separate(1), "done"),
                (begin(0, 2, DEFAULT), "done"),
                (execute(2, "DELETE FROM t", &[]), "changed(3)"),
                // It sees nothing of what is not committed.
                (open_cursor(1, 9, sql, &[]), "done"),
                ("stats".to_owned(), "stats({…used: 2})"),
                (rollback(2), "done"),
                (read_to_end(9), "summary({rows: 3, …, checksum: 6})"),
                ("stats".to_owned(), "stats({…used: 0})"),
            ],
        )?;
    }
    Ok(())
}
