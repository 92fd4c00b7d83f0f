//! `execute-many`: one statement for each row of columns, all of them or none.

use poolhouse_tests::conformance::Stage;
use poolhouse_tests::conformance::script::*;
use poolhouse_tests::{BACKENDS, Backend};

const TABLE: &str = "CREATE TABLE t (a BIGINT PRIMARY KEY, b TEXT)";
const INSERT: &str = "INSERT INTO t (a, b) VALUES ($1, $2)";
const ALL: &str = "SELECT a, b FROM t ORDER BY a";
const NUMBERS: &str = "{validity: [], values: int64([1, 2, 3])}";
/// `x`, null, and the empty text.
const TEXTS: &str = "{validity: [5], values: text({offsets: [0, 1, 1, 1], data: [120]})}";

#[test]
fn every_row_is_a_statement_and_the_changes_are_summed() -> anyhow::Result<()> {
    for backend in BACKENDS {
        let stage = Stage::start(backend, TABLE)?;
        let all = rows("[[int64(1), text(\"x\")], [int64(2), null], [int64(3), text(\"\")]]");
        let two = "{validity: [], values: int64([1, 3])}";
        stage.play(
            "rows",
            &[
                (open(0), "done"),
                (execute_many(0, INSERT, &[NUMBERS, TEXTS]), "changed(3)"),
                (query(0, ALL, &[]), &all),
                (
                    execute_many(0, "UPDATE t SET b = 'y' WHERE a > $1", &[two]),
                    "changed(2)",
                ),
                (
                    execute_many(0, "DELETE FROM t WHERE a = $1 RETURNING a", &[NUMBERS]),
                    "changed(3)",
                ),
                (
                    execute_many(
                        0,
                        INSERT,
                        &[
                            "{validity: [], values: int64([])}",
                            "{validity: [], values: text({offsets: [0], data: []})}",
                        ],
                    ),
                    "changed(0)",
                ),
                (query(0, ALL, &[]), &rows("[]")),
                // In order: each row sees what the ones before it did.
                (
                    execute_many(
                        0,
                        "INSERT INTO t (a) SELECT coalesce(max(a), 0) + $1 FROM t",
                        &[NUMBERS],
                    ),
                    "changed(3)",
                ),
                (
                    query(0, "SELECT a FROM t ORDER BY a", &[]),
                    &rows("[[int64(1)], [int64(3)], [int64(6)]]"),
                ),
            ],
        )?;
    }
    Ok(())
}

#[test]
fn a_failed_row_undoes_all_of_them() -> anyhow::Result<()> {
    for backend in BACKENDS {
        let stage = Stage::start(backend, TABLE)?;
        let again = "{validity: [], values: int64([1, 2, 1])}";
        let violated = match backend {
            Backend::Sqlite => {
                "error(constraint({kind: unique, message: \"…row 3…\", name: \"\", table: \"t\", columns: [\"a\"]}))"
            }
            Backend::Postgresql => {
                "error(constraint({kind: unique, message: \"…row 3…\", name: \"t_pkey\", table: \"t\", columns: [\"a\"]}))"
            }
        };
        stage.play(
            "a failed row",
            &[
                (open(0), "done"),
                (execute_many(0, INSERT, &[again, TEXTS]), violated),
                (query(0, ALL, &[]), &rows("[]")),
                (begin(0, 1, DEFAULT), "done"),
                (
                    execute(1, "INSERT INTO t VALUES (9, 'kept')", &[]),
                    "changed(1)",
                ),
                (savepoint(1, 2), "done"),
                (execute_many(2, INSERT, &[again, TEXTS]), violated),
                (rollback(2), "done"),
                (query(1, ALL, &[]), &rows("[[int64(9), text(\"kept\")]]")),
                (execute_many(1, INSERT, &[NUMBERS, TEXTS]), "changed(3)"),
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
fn what_can_not_be_right_is_refused_first() -> anyhow::Result<()> {
    for backend in BACKENDS {
        let stage = Stage::start(backend, TABLE)?;
        let short = "{validity: [], values: int64([1, 2])}";
        for (sql, columns, expected) in [
            (INSERT, &[NUMBERS][..], invalid("")),
            (INSERT, &[], invalid("")),
            (INSERT, &[short, TEXTS], invalid("")),
            (
                INSERT,
                &["{validity: [1, 2], values: int64([1, 2, 3])}", TEXTS],
                invalid(""),
            ),
            (
                INSERT,
                &[
                    NUMBERS,
                    "{validity: [], values: text({offsets: [0, 9, 1, 2], data: [120]})}",
                ],
                invalid(""),
            ),
            (
                "SELECT 1; SELECT $1",
                &[NUMBERS],
                invalid("several statements"),
            ),
            ("DROP TABLE t", &[NUMBERS], denied("migration")),
            (
                "DELETE FROM poolhouse_migrations WHERE name = $1",
                &[TEXTS],
                denied(""),
            ),
        ] {
            stage.play(
                sql,
                &[
                    (open(0), "done"),
                    (execute_many(0, sql, columns), &expected),
                    (begin(0, 1, DEFAULT), "done"),
                    (execute_many(1, sql, columns), &expected),
                    (
                        query(1, "SELECT count(*) AS n FROM t", &[]),
                        &one("int64(0)"),
                    ),
                    (commit(1), "done"),
                ],
            )?;
        }
        stage.play(
            "read-only",
            &[
                (open(0), "done"),
                (begin(0, 1, READ_ONLY), "done"),
                (
                    execute_many(1, INSERT, &[NUMBERS, TEXTS]),
                    &invalid("read-only"),
                ),
                (commit(1), "done"),
            ],
        )?;
    }
    Ok(())
}

#[test]
fn every_kind_is_bound() -> anyhow::Result<()> {
    let columns = [
        "{validity: [1], values: boolean([true, false])}",
        "{validity: [1], values: int64([9007199254740993, 0])}",
        "{validity: [1], values: float64([0.1, 0])}",
        "{validity: [1], values: decimal({offsets: [0, 4, 4], data: [49, 46, 53, 48]})}",
        "{validity: [1], values: text({offsets: [0, 2, 2], data: [195, 169]})}",
        "{validity: [1], values: bytes({offsets: [0, 2, 2], data: [0, 255]})}",
        "{validity: [1], values: uuid([{high: 1, low: 2}, {high: 0, low: 0}])}",
        "{validity: [1], values: date([-1, 0])}",
        "{validity: [1], values: time([1, 0])}",
        "{validity: [1], values: timestamp([-1, 0])}",
        "{validity: [1], values: json({offsets: [0, 3, 3], data: [91, 49, 93]})}",
    ];
    let first = "[boolean(true), int64(9007199254740993), float64(0.1), decimal(\"1.50\"), text(\"é\"), bytes([0, 255]), \
         uuid({high: 1, low: 2}), date(-1), time(1), timestamp(-1), json(\"[1]\")]";
    let second = format!("[{}]", ["null"; 11].join(", "));
    for backend in BACKENDS {
        let table = match backend {
            Backend::Sqlite => {
                "CREATE TABLE t (a BOOLEAN, b BIGINT, c REAL, d DECIMAL_TEXT, e TEXT, f BLOB, g UUID_TEXT, h DATE, i TIME, j TIMESTAMP, k JSON_TEXT)"
            }
            Backend::Postgresql => {
                "CREATE TABLE t (a boolean, b bigint, c float8, d numeric, e text, f bytea, g uuid, h date, i time, j timestamptz, k json)"
            }
        };
        let stage = Stage::start(backend, table)?;
        let insert = "INSERT INTO t VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
        let all = rows(&format!("[{first}, {second}]"));
        stage.play(
            "kinds",
            &[
                (open(0), "done"),
                (execute_many(0, insert, &columns), "changed(2)"),
                (query(0, "SELECT * FROM t ORDER BY b IS NULL", &[]), &all),
            ],
        )?;
    }
    Ok(())
}

#[test]
fn many_rows_go_in_at_once() -> anyhow::Result<()> {
    const ROWS: usize = 20_000;
    for backend in BACKENDS {
        let stage = Stage::start(backend, TABLE)?;
        let numbers: Vec<_> = (0..ROWS).collect();
        let column = format!("{{validity: [], values: int64({numbers:?})}}");
        let texts: Vec<_> = vec![0; ROWS + 1];
        let nulls = vec![0_u8; ROWS.div_ceil(8)];
        let texts =
            format!("{{validity: {nulls:?}, values: text({{offsets: {texts:?}, data: []}})}}");
        stage.play(
            "many",
            &[
                (open(0), "done"),
                (
                    execute_many(0, INSERT, &[&column, &texts]),
                    &format!("changed({ROWS})"),
                ),
                (
                    query(
                        0,
                        "SELECT count(*) AS n, count(b) AS b, max(a) AS m FROM t",
                        &[],
                    ),
                    &rows(&format!("[[int64({ROWS}), int64(0), int64({})]]", ROWS - 1)),
                ),
            ],
        )?;
    }
    Ok(())
}
