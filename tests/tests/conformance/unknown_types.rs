//! PostgreSQL's types that have no kind of their own: in answers they are their text with the type's name kept, arrays
//! are JSON, and as parameters they are written as text with a cast.

use poolhouse_tests::Backend;
use poolhouse_tests::conformance::Stage;
use poolhouse_tests::conformance::script::*;

const TABLES: &str = "CREATE TYPE mood AS ENUM ('sad', 'glad'); CREATE TYPE pair AS (a int, b text); \
     CREATE DOMAIN address AS inet; CREATE TABLE t (id bigint, v inet); INSERT INTO t VALUES (1, '10.0.0.1')";

#[test]
fn they_are_their_text_with_the_type_s_name() -> anyhow::Result<()> {
    let stage = Stage::start(Backend::Postgresql, TABLES)?;
    let mut script = vec![(open(0), "done".to_owned())];
    for (sql, name, text) in [
        ("'10.0.0.1/8'::inet", "inet", "10.0.0.1/8"),
        ("'10.0.0.0/8'::cidr", "cidr", "10.0.0.0/8"),
        (
            "'08:00:2b:01:02:03'::macaddr",
            "macaddr",
            "08:00:2b:01:02:03",
        ),
        (
            "'1 year 2 days 03:04:05.6'::interval",
            "interval",
            "1 year 2 days 03:04:05.6",
        ),
        ("'12.34'::money", "money", "$12.34"),
        ("'101'::bit(3)", "bit", "101"),
        ("'1010'::varbit", "varbit", "1010"),
        ("'12:00+02'::timetz", "timetz", "12:00:00+02"),
        ("'(1,2)'::point", "point", "(1,2)"),
        ("'[1,5)'::int4range", "int4range", "[1,5)"),
        ("'[2024-01-01,)'::daterange", "daterange", "[2024-01-01,)"),
        (
            "to_tsvector('simple', 'a b')",
            "tsvector",
            "\\'a\\':1 \\'b\\':2",
        ),
        ("'a & b'::tsquery", "tsquery", "\\'a\\' & \\'b\\'"),
        ("ROW(1, 'x')::pair", "pair", "(1,x)"),
        // As psql prints it; the cast to text would add /32.
        ("'10.0.0.1'::address", "inet", "10.0.0.1"),
        ("'pg_class'::regclass", "regclass", "pg_class"),
        ("'0/16B3748'::pg_lsn", "pg_lsn", "0/16B3748"),
    ] {
        let info = format!("{{name: \"v\", kind: text, database-type: \"{name}\"}}");
        let expected = format!("table({{columns: [{info}], rows: [[text(\"{text}\")]]}})");
        script.push((query(0, &format!("SELECT {sql} AS v"), &[]), expected));
    }
    let script: Vec<_> = script
        .iter()
        .map(|(step, expected)| (step.clone(), expected.as_str()))
        .collect();
    stage.play("texts", &script)
}

#[test]
fn a_statement_around_them_means_the_same() -> anyhow::Result<()> {
    let stage = Stage::start(Backend::Postgresql, TABLES)?;
    let inet = "{name: \"v\", kind: text, database-type: \"inet\"}";
    let id = "{name: \"id\", kind: int64, database-type: \"int8\"}";
    stage.play(
        "statements",
        &[
            (open(0), "done"),
            (
                query(0, "SELECT id, v FROM t WHERE id = $1; -- the end", &["int64(1)"]),
                &format!("table({{columns: [{id}, {inet}], rows: [[int64(1), text(\"10.0.0.1\")]]}})"),
            ),
            (
                query(0, "SELECT v, id, v FROM t WHERE false", &[]),
                &format!("table({{columns: [{inet}, {id}, {inet}], rows: []}})"),
            ),
            (
                query(0, "INSERT INTO t VALUES (2, $1::text::inet) RETURNING v", &["text(\"::1\")"]),
                &format!("table({{columns: [{inet}], rows: [[text(\"::1\")]]}})"),
            ),
            // What can't be put into another statement is to be cast in its own.
            (
                query(0, "WITH gone AS (DELETE FROM t WHERE id = 2 RETURNING v) SELECT v FROM gone", &[]),
                &invalid("cast it in the statement, for example v::text"),
            ),
            (
                query(0, "WITH gone AS (DELETE FROM t WHERE id = 2 RETURNING v) SELECT v::text FROM gone", &[]),
                &one("text(\"::1/128\")"),
            ),
            (
                query(0, "SELECT '{[1,2)}'::int4multirange AS v", &[]),
                &invalid("cast a column to text"),
            ),
            (
                query(0, "SELECT i, int4range(i, i + 1) AS v FROM generate_series(3, 1, -1) AS i ORDER BY i DESC", &[]),
                &rows("[[int64(3), text(\"[3,4)\")], [int64(2), text(\"[2,3)\")], [int64(1), text(\"[1,2)\")]]"),
            ),
            (query(0, "SELECT NULL::inet AS v", &[]), &one("null")),
            (query(0, "SELECT v FROM t WHERE id = 1 FOR UPDATE", &[]), "…text(\"10.0.0.1\")…"),
            (execute(0, "UPDATE t SET v = v RETURNING v", &[]), "changed(1)"),
            (
                query(0, "SELECT nme, v FROM t", &[]),
                "error(statement({code: \"42703\", …position: some(8)}))",
            ),
        ],
    )
}

#[test]
fn as_parameters_they_are_text_with_a_cast() -> anyhow::Result<()> {
    let stage = Stage::start(Backend::Postgresql, TABLES)?;
    for (name, text) in [
        ("inet", "10.0.0.1"),
        ("interval", "1 day"),
        ("money", "$1.50"),
        ("int4range", "[1,5)"),
    ] {
        let value = format!("text(\"{text}\")");
        stage.play(
            name,
            &[
                (open(0), "done"),
                (
                    query(0, &format!("SELECT $1::{name} AS v"), &[&value]),
                    &invalid("::text::…"),
                ),
                (
                    query(0, &format!("SELECT $1::text::{name} AS v"), &[&value]),
                    &one(&value),
                ),
                (
                    query(0, &format!("SELECT $1::{name} AS v"), &["null"]),
                    &one("null"),
                ),
            ],
        )?;
    }
    Ok(())
}

#[test]
fn arrays_in_answers_are_json() -> anyhow::Result<()> {
    let stage = Stage::start(Backend::Postgresql, TABLES)?;
    let mut script = vec![(open(0), "done".to_owned())];
    for (sql, name, json) in [
        ("ARRAY[1, 2, NULL]", "int4[]", "[1,2,null]"),
        ("ARRAY[9007199254740993]", "int8[]", "[9007199254740993]"),
        (
            "ARRAY[1.50, 1e30]::numeric[]",
            "numeric[]",
            "[1.50,1000000000000000000000000000000]",
        ),
        (
            "ARRAY['a', 'b\"c']",
            "text[]",
            "[\\\"a\\\",\\\"b\\\\\\\"c\\\"]",
        ),
        ("ARRAY[true]", "bool[]", "[true]"),
        ("'{}'::int4[]", "int4[]", "[]"),
        ("'{{1,2},{3,4}}'::int4[]", "int4[]", "[[1,2],[3,4]]"),
        ("ARRAY['glad'::mood]", "mood[]", "[\\\"glad\\\"]"),
        (
            "ARRAY['2024-02-29'::date]",
            "date[]",
            "[\\\"2024-02-29\\\"]",
        ),
    ] {
        let info = format!("{{name: \"v\", kind: json, database-type: \"{name}\"}}");
        let expected = format!("table({{columns: [{info}], rows: [[json(\"{json}\")]]}})");
        script.push((query(0, &format!("SELECT {sql} AS v"), &[]), expected));
    }
    let script: Vec<_> = script
        .iter()
        .map(|(step, expected)| (step.clone(), expected.as_str()))
        .collect();
    stage.play("arrays", &script)
}

#[test]
fn arrays_as_parameters_are_of_their_column_s_kind() -> anyhow::Result<()> {
    let stage = Stage::start(Backend::Postgresql, TABLES)?;
    for (placeholder, column, text) in [
        (
            "$1::int8[]",
            "{validity: [], values: int64([1, -9223372036854775808])}",
            "{1,-9223372036854775808}",
        ),
        (
            "$1::int2[]",
            "{validity: [5], values: int64([1, 0, 3])}",
            "{1,NULL,3}",
        ),
        ("$1::int4[]", "{validity: [], values: int64([])}", "{}"),
        (
            "$1::bool[]",
            "{validity: [], values: boolean([true, false])}",
            "{t,f}",
        ),
        (
            "$1::float8[]",
            "{validity: [], values: float64([0.5, nan, -inf])}",
            "{0.5,NaN,-Infinity}",
        ),
        (
            "$1::numeric[]",
            "{validity: [], values: decimal({offsets: [0, 4, 7], data: [49, 46, 53, 48, 78, 97, 78]})}",
            "{1.50,NaN}",
        ),
        (
            "$1::text[]",
            "{validity: [3], values: text({offsets: [0, 2, 2, 2], data: [195, 169]})}",
            "{é,\\\"\\\",NULL}",
        ),
        (
            "$1::mood[]",
            "{validity: [], values: text({offsets: [0, 4], data: [103, 108, 97, 100]})}",
            "{glad}",
        ),
        (
            "$1::bytea[]",
            "{validity: [], values: bytes({offsets: [0, 2], data: [0, 255]})}",
            "{\\\"\\\\\\\\x00ff\\\"}",
        ),
        (
            "$1::uuid[]",
            "{validity: [], values: uuid([{high: 0, low: 1}])}",
            "{00000000-0000-0000-0000-000000000001}",
        ),
        (
            "$1::date[]",
            "{validity: [], values: date([0])}",
            "{1970-01-01}",
        ),
        (
            "$1::time[]",
            "{validity: [], values: time([1])}",
            "{00:00:00.000001}",
        ),
        (
            "$1::timestamp[]",
            "{validity: [], values: timestamp([0])}",
            "{\\\"1970-01-01 00:00:00\\\"}",
        ),
        (
            "$1::jsonb[]",
            "{validity: [], values: json({offsets: [0, 2], data: [91, 93]})}",
            "{[]}",
        ),
    ] {
        let array = format!("array({column})");
        let sql = format!("SELECT ({placeholder})::text AS v");
        stage.play(
            placeholder,
            &[
                (open(0), "done"),
                (
                    query(0, &sql, &[&array]),
                    &one(&format!("text(\"{text}\")")),
                ),
            ],
        )?;
    }
    Ok(())
}

#[test]
fn a_column_that_lies_is_invalid() -> anyhow::Result<()> {
    let stage = Stage::start(Backend::Postgresql, TABLES)?;
    for (placeholder, column) in [
        // The element does not fit, or is of another kind.
        ("$1::int2[]", "{validity: [], values: int64([32768])}"),
        (
            "$1::int8[]",
            "{validity: [], values: text({offsets: [0, 1], data: [49]})}",
        ),
        ("$1::int8", "{validity: [], values: int64([1])}"),
        // The validity is of another length.
        ("$1::int8[]", "{validity: [1, 1], values: int64([1])}"),
        (
            "$1::int8[]",
            "{validity: [255], values: int64([1, 2, 3, 4, 5, 6, 7, 8, 9])}",
        ),
        // Offsets that fall, leave the data, begin late, end early, or are not there.
        (
            "$1::text[]",
            "{validity: [], values: text({offsets: [0, 2, 1], data: [97, 98]})}",
        ),
        (
            "$1::text[]",
            "{validity: [], values: text({offsets: [0, 4294967295], data: [97]})}",
        ),
        (
            "$1::text[]",
            "{validity: [], values: text({offsets: [1, 1], data: [97]})}",
        ),
        (
            "$1::text[]",
            "{validity: [], values: text({offsets: [0, 1], data: [97, 98]})}",
        ),
        (
            "$1::text[]",
            "{validity: [], values: text({offsets: [], data: []})}",
        ),
        // No UTF-8, or a letter in two parts.
        (
            "$1::text[]",
            "{validity: [], values: text({offsets: [0, 1], data: [255]})}",
        ),
        (
            "$1::text[]",
            "{validity: [], values: text({offsets: [0, 1, 2], data: [195, 169]})}",
        ),
        (
            "$1::numeric[]",
            "{validity: [], values: decimal({offsets: [0, 1], data: [120]})}",
        ),
    ] {
        let array = format!("array({column})");
        stage.play(
            column,
            &[
                (open(0), "done"),
                (
                    query(0, &format!("SELECT {placeholder} AS v"), &[&array]),
                    &invalid("$1"),
                ),
                (query(0, "SELECT 1", &[]), &one("int64(1)")),
            ],
        )?;
    }
    Ok(())
}

#[test]
fn a_cursor_reads_them_too() -> anyhow::Result<()> {
    let stage = Stage::start(Backend::Postgresql, TABLES)?;
    let sql = "SELECT v, ARRAY[id, NULL] AS ids, 'glad'::mood AS mood FROM t WHERE id = $1";
    let columns_of = "columns([{name: \"v\", kind: text, database-type: \"inet\"}, \
         {name: \"ids\", kind: json, database-type: \"int8[]\"}, {name: \"mood\", kind: text, database-type: \"mood\"}])";
    let row = "rows(some([[text(\"10.0.0.1\"), json(\"[1,null]\"), text(\"glad\")]]))";
    stage.play(
        "cursor",
        &[
            (open(0), "done"),
            (open_cursor(0, 9, sql, &["int64(1)"]), "done"),
            (columns(9), columns_of),
            (next(9), row),
            (next(9), "rows(none)"),
            (begin(0, 1, DEFAULT), "done"),
            (open_cursor(1, 9, sql, &["int64(1)"]), "done"),
            (columns(9), columns_of),
            (next(9), row),
            (commit(1), "done"),
            (open_cursor(0, 9, sql, &["int64(7)"]), "done"),
            (columns(9), columns_of),
            (next(9), "rows(none)"),
        ],
    )
}
