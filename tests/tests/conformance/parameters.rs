//! Parameters are bound to the type that the server gives the placeholder, exactly or not at all.

use poolhouse_tests::conformance::Stage;
use poolhouse_tests::conformance::script::*;
use poolhouse_tests::{BACKENDS, Backend};

#[test]
fn an_exact_match_is_bound() -> anyhow::Result<()> {
    let stage = Stage::start(
        Backend::Postgresql,
        "CREATE TYPE mood AS ENUM ('sad', 'glad')",
    )?;
    for (placeholder, value, answer) in [
        ("$1::int2", "int64(-32768)", "int64(-32768)"),
        ("$1::int4", "int64(2147483647)", "int64(2147483647)"),
        ("$1::float8", "int64(3)", "float64(3)"),
        (
            "$1::float8",
            "int64(9007199254740992)",
            "float64(9007199254740992)",
        ),
        ("$1::float4", "float64(0.5)", "float64(0.5)"),
        (
            "$1::numeric",
            "int64(9223372036854775807)",
            "decimal(\"9223372036854775807\")",
        ),
        ("$1::numeric", "float64(0.1)", "decimal(\"0.1\")"),
        ("$1::numeric", "float64(nan)", "decimal(\"NaN\")"),
        (
            "$1::numeric(10, 2)",
            "decimal(\"1.505\")",
            "decimal(\"1.51\")",
        ),
        ("$1::varchar", "text(\"é\")", "text(\"é\")"),
        ("$1::json", "text(\"[1]\")", "json(\"[1]\")"),
        (
            "$1::jsonb",
            "json(\"{\\\"b\\\":1,\\\"a\\\":1}\")",
            "json(\"{\\\"a\\\": 1, \\\"b\\\": 1}\")",
        ),
        ("$1::mood", "text(\"glad\")", "text(\"glad\")"),
        ("$1::timestamp", "timestamp(1)", "timestamp(1)"),
        ("$1::int4", "null", "null"),
        ("$1::uuid", "null", "null"),
        ("$1::mood", "null", "null"),
        // Without a type of its own a placeholder is text.
        ("$1", "text(\"x\")", "text(\"x\")"),
    ] {
        stage.play(
            &format!("{placeholder} {value}"),
            &[
                (open(0), "done"),
                (
                    query(0, &format!("SELECT {placeholder} AS v"), &[value]),
                    &one(answer),
                ),
            ],
        )?;
    }
    Ok(())
}

#[test]
fn what_does_not_fit_is_invalid() -> anyhow::Result<()> {
    let stage = Stage::start(
        Backend::Postgresql,
        "CREATE TYPE mood AS ENUM ('sad', 'glad')",
    )?;
    for (placeholder, value, words) in [
        ("$1::int2", "int64(32768)", "int2"),
        ("$1::int4", "int64(-2147483649)", "int4"),
        ("$1::oid", "int64(-1)", "oid"),
        ("$1::int8", "float64(1)", "int8"),
        ("$1::int8", "decimal(\"1\")", "int8"),
        ("$1::int8", "text(\"1\")", "int8"),
        ("$1::int8", "boolean(true)", "int8"),
        ("$1::float8", "int64(9007199254740993)", "not exact"),
        ("$1::float4", "float64(0.1)", "not exact"),
        ("$1::float8", "decimal(\"1.5\")", "float8"),
        ("$1::numeric", "text(\"1\")", "numeric"),
        ("$1::numeric", "decimal(\"1e5\")", "decimal"),
        ("$1::numeric", "decimal(\"\")", "decimal"),
        ("$1::text", "int64(1)", "text"),
        ("$1::text", "bytes([1])", "text"),
        ("$1::text", "text(\"a\\u{0}b\")", "NUL"),
        ("$1::bytea", "text(\"x\")", "bytea"),
        (
            "$1::uuid",
            "text(\"00000000-0000-0000-0000-000000000000\")",
            "uuid",
        ),
        ("$1::date", "timestamp(0)", "date"),
        ("$1::timestamptz", "date(0)", "timestamptz"),
        ("$1::timestamptz", "text(\"now\")", "timestamptz"),
        ("$1::time", "time(86400000001)", "0 to 86,400,000,000"),
        ("$1::time", "time(-1)", "0 to 86,400,000,000"),
        ("$1::boolean", "int64(1)", "bool"),
        ("$1::mood", "int64(1)", "mood"),
        ("$1", "int64(1)", "$1::bigint"),
    ] {
        let sql = format!("SELECT {placeholder} AS v");
        let refused = invalid(words);
        stage.play(
            &format!("{placeholder} {value}"),
            &[
                (open(0), "done"),
                (query(0, &sql, &[value]), &refused),
                // The database never saw it, so a transaction goes on.
                (begin(0, 1, DEFAULT), "done"),
                (query(1, &sql, &[value]), &refused),
                (query(1, "SELECT 1", &[]), &one("int64(1)")),
                (commit(1), "done"),
            ],
        )?;
    }
    Ok(())
}

#[test]
fn the_same_text_takes_other_kinds_the_next_time() -> anyhow::Result<()> {
    for backend in BACKENDS {
        let stage = Stage::start(backend, "CREATE TABLE t (a BIGINT, b DOUBLE PRECISION)")?;
        let sql = "INSERT INTO t (b) VALUES ($1) RETURNING b";
        stage.play(
            "kinds",
            &[
                (open(0), "done"),
                (query(0, sql, &["int64(7)"]), &one("float64(7)")),
                (query(0, sql, &["float64(1)"]), &one("float64(1)")),
                (query(0, sql, &["float64(0.5)"]), &one("float64(0.5)")),
                (query(0, sql, &["null"]), &one("null")),
            ],
        )?;
    }
    Ok(())
}

#[test]
fn placeholders_are_numbered_on_both() -> anyhow::Result<()> {
    for backend in BACKENDS {
        let stage = Stage::start(backend, "CREATE TABLE t (a TEXT, b TEXT)")?;
        let script = [
            (open(0), "done"),
            (
                query(
                    0,
                    "INSERT INTO t VALUES ($2, $1) RETURNING a, b",
                    &["text(\"one\")", "text(\"two\")"],
                ),
                &*rows("[[text(\"two\"), text(\"one\")]]"),
            ),
            (
                query(
                    0,
                    "SELECT a FROM t WHERE a = $1 OR b = $1",
                    &["text(\"one\")"],
                ),
                &one("text(\"two\")"),
            ),
            (
                query(0, "SELECT '$1 ?' || a AS v FROM t -- $2", &[]),
                &one("text(\"$1 ?two\")"),
            ),
            (
                query(0, "SELECT a FROM t WHERE a = $1", &[]),
                &invalid("takes 1 parameters and was given 0"),
            ),
            (
                query(0, "SELECT a FROM t", &["null"]),
                &invalid("takes 0 parameters and was given 1"),
            ),
            (
                execute(
                    0,
                    "DELETE FROM t WHERE a = $1 AND b = $3",
                    &["null", "null"],
                ),
                &invalid("takes 3 parameters and was given 2"),
            ),
        ];
        stage.play("placeholders", &script)?;
    }
    Ok(())
}
