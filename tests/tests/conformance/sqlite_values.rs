//! SQLite's declared types, what contradicts them, and columns that were declared as nothing.

use poolhouse_tests::Backend;
use poolhouse_tests::conformance::Stage;
use poolhouse_tests::conformance::script::*;

#[test]
fn the_declared_type_is_the_column_s_kind() -> anyhow::Result<()> {
    let stage = Stage::start(Backend::Sqlite, "")?;
    for (at, (declared, literal, kind, value)) in [
        ("INT", "1", "int64", "int64(1)"),
        ("UNSIGNED BIG INT", "1", "int64", "int64(1)"),
        ("REAL", "1", "float64", "float64(1)"),
        ("FLOAT", "1.5", "float64", "float64(1.5)"),
        ("double precision", "2", "float64", "float64(2)"),
        ("VARCHAR(3)", "'abcd'", "text", "text(\"abcd\")"),
        ("CLOB", "'x'", "text", "text(\"x\")"),
        ("BLOB", "x'01'", "bytes", "bytes([1])"),
        ("BYTEA", "x'01'", "bytes", "bytes([1])"),
        ("bool", "1", "boolean", "boolean(true)"),
        ("DATE", "'2024-02-29'", "date", "date(19782)"),
        (
            "DATETIME",
            "'2024-02-29 12:00:00'",
            "timestamp",
            "timestamp(1709208000000000)",
        ),
        (
            "TIMESTAMP",
            "'2024-02-29T12:00:00.000001Z'",
            "timestamp",
            "timestamp(1709208000000001)",
        ),
        (
            "TIMESTAMPTZ",
            "'2024-02-29 12:00:00+01:00'",
            "timestamp",
            "timestamp(1709204400000000)",
        ),
        ("TIME", "'23:59:59.5'", "time", "time(86399500000)"),
        ("JSON", "'[1]'", "json", "json(\"[1]\")"),
        ("DECIMAL_TEXT", "'1.50'", "decimal", "decimal(\"1.50\")"),
        // By its affinity a plain DECIMAL becomes a number, and is reported as what it became.
        ("DECIMAL(20, 2)", "'1.50'", "float64", "float64(1.5)"),
        ("NUMERIC", "'7'", "int64", "int64(7)"),
        ("", "'7'", "text", "text(\"7\")"),
    ]
    .into_iter()
    .enumerate()
    {
        let table = format!("t{at}");
        let insert =
            format!("CREATE TABLE {table} (v {declared}); INSERT INTO {table} VALUES ({literal})");
        stage.sql(&insert)?;
        let expected = format!(
            "table({{columns: [{{name: \"v\", kind: {kind}, database-type: \"{declared}\"}}], rows: [[{value}]]}})"
        );
        stage.play(
            declared,
            &[
                (open(0), "done"),
                (query(0, &format!("SELECT v FROM {table}"), &[]), &expected),
            ],
        )?;
    }
    Ok(())
}

#[test]
fn a_value_that_contradicts_its_column_is_refused() -> anyhow::Result<()> {
    let stage = Stage::start(Backend::Sqlite, "")?;
    for (at, (declared, literal)) in [
        ("INTEGER", "'x'"),
        ("INTEGER", "1.5"),
        ("BOOLEAN", "2"),
        ("BOOLEAN", "'true'"),
        ("REAL", "'x'"),
        ("TEXT", "x'00'"),
        ("BLOB", "'x'"),
        ("DECIMAL_TEXT", "'1e5'"),
        ("DECIMAL_TEXT", "x'31'"),
        ("UUID_TEXT", "'nope'"),
        ("DATE", "'2024-13-01'"),
        ("DATE", "19782"),
        ("TIME", "'25:00'"),
        ("TIMESTAMP", "'soon'"),
        ("TIMESTAMP", "1700000000"),
    ]
    .into_iter()
    .enumerate()
    {
        let table = format!("t{at}");
        let insert =
            format!("CREATE TABLE {table} (v {declared}); INSERT INTO {table} VALUES ({literal})");
        stage.sql(&insert)?;
        stage.play(
            &format!("{declared} {literal}"),
            &[
                (open(0), "done"),
                (
                    query(0, &format!("SELECT v FROM {table}"), &[]),
                    "error(…\"…\\\"v\\\"…\"…)",
                ),
                (query(0, "SELECT 1", &[]), &one("int64(1)")),
            ],
        )?;
    }
    Ok(())
}

#[test]
fn an_undeclared_column_is_of_its_first_value_s_kind() -> anyhow::Result<()> {
    let stage = Stage::start(Backend::Sqlite, "")?;
    for (values, expected) in [
        ("(1), (2.5)", "[[float64(1)], [float64(2.5)]]"),
        ("(2.5), (1)", "[[float64(2.5)], [float64(1)]]"),
        ("(NULL), (1), (NULL)", "[[null], [int64(1)], [null]]"),
        ("(NULL), (NULL)", "[[null], [null]]"),
        ("(NULL), (x'07')", "[[null], [bytes([7])]]"),
        ("('a'), (NULL)", "[[text(\"a\")], [null]]"),
    ] {
        let sql = format!("SELECT column1 AS v FROM (VALUES {values})");
        stage.play(
            values,
            &[(open(0), "done"), (query(0, &sql, &[]), &rows(expected))],
        )?;
    }
    for values in [
        "(1), ('a')",
        "('a'), (1)",
        "(x'00'), ('a')",
        // Neither is exactly the other's kind.
        "(9007199254740993), (0.5)",
        "(0.5), (9007199254740993)",
    ] {
        let sql = format!("SELECT column1 AS v FROM (VALUES {values})");
        stage.play(
            values,
            &[
                (open(0), "done"),
                (query(0, &sql, &[]), "error(…its first value is…CAST…)"),
            ],
        )?;
    }
    Ok(())
}

#[test]
fn text_keeps_a_nul_and_must_be_utf_8() -> anyhow::Result<()> {
    let stage = Stage::start(Backend::Sqlite, "CREATE TABLE t (v TEXT)")?;
    let nul = "text(\"a\\u{0}b\")";
    stage.play(
        "text",
        &[
            (open(0), "done"),
            (
                execute(0, "INSERT INTO t VALUES ($1)", &[nul]),
                "changed(1)",
            ),
            (query(0, "SELECT v FROM t", &[]), &one(nul)),
            (
                query(0, "SELECT CAST(x'ff' AS TEXT) AS v", &[]),
                "error(…not UTF-8…)",
            ),
            (query(0, "SELECT 1", &[]), &one("int64(1)")),
        ],
    )
}

#[test]
fn what_sqlite_can_not_hold_is_refused() -> anyhow::Result<()> {
    let stage = Stage::start(Backend::Sqlite, "")?;
    for (value, words) in [
        ("float64(nan)", "NaN"),
        ("decimal(\"NaN\")", "NaN"),
        ("decimal(\"Infinity\")", "Infinity"),
        ("decimal(\"1e5\")", "decimal"),
        ("date(-719529)", "years 0000 to 9999"),
        ("date(2932897)", "years 0000 to 9999"),
        ("timestamp(9223372036854775807)", "years 0000 to 9999"),
        ("timestamp(-9223372036854775808)", "years 0000 to 9999"),
        ("timestamp(253402300800000000)", "years 0000 to 9999"),
        ("time(-1)", "0 to 86,400,000,000"),
        ("time(86400000001)", "0 to 86,400,000,000"),
        ("array({validity: [], values: int64([1])})", "array"),
    ] {
        stage.play(
            value,
            &[
                (open(0), "done"),
                (query(0, "SELECT $1 AS v", &[value]), &invalid(words)),
            ],
        )?;
    }
    // Zero has no sign in a column of numbers; as an expression it keeps it.
    stage.sql("CREATE TABLE zero (v REAL)")?;
    stage.play(
        "minus zero",
        &[
            (open(0), "done"),
            (
                query(0, "SELECT $1 AS v", &["float64(-0)"]),
                &one("float64(-0)"),
            ),
            (
                execute(0, "INSERT INTO zero VALUES ($1)", &["float64(-0)"]),
                "changed(1)",
            ),
            (query(0, "SELECT v FROM zero", &[]), &one("float64(0)")),
        ],
    )
}
