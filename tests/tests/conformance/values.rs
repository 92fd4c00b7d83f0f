//! Every kind, in as a parameter and out as a column, to its ends; literals of every type.

use poolhouse_tests::conformance::Stage;
use poolhouse_tests::conformance::script::*;
use poolhouse_tests::{BACKENDS, Backend};

/// A kind, the type of a column that holds it on SQLite and on PostgreSQL with the name that it is reported under,
/// and values that come back as they went.
const KINDS: [(&str, &str, &str, &str, &[&str]); 11] = [
    (
        "boolean",
        "BOOLEAN",
        "boolean",
        "bool",
        &["boolean(true)", "boolean(false)"],
    ),
    (
        "int64",
        "BIGINT",
        "bigint",
        "int8",
        &[
            "int64(0)",
            "int64(-1)",
            "int64(9007199254740993)",
            "int64(9223372036854775807)",
            "int64(-9223372036854775808)",
        ],
    ),
    (
        "float64",
        "DOUBLE PRECISION",
        "float8",
        "float8",
        &[
            "float64(0)",
            "float64(0.1)",
            "float64(-1.5)",
            "float64(9007199254740992)",
            "float64(inf)",
            "float64(-inf)",
        ],
    ),
    (
        "decimal",
        "DECIMAL_TEXT",
        "numeric",
        "numeric",
        &[
            "decimal(\"0\")",
            "decimal(\"1.50\")",
            "decimal(\"-0.000000000000000001\")",
            "decimal(\"12345678901234567890123456789012345678\")",
            "decimal(\"-99999999999999999999.999999999999999999\")",
            "decimal(\"10000000000000000000000000000000000000000\")",
        ],
    ),
    (
        "text",
        "TEXT",
        "text",
        "text",
        &[
            "text(\"\")",
            "text(\"a\")",
            "text(\"Grüße, 世界 🌍\")",
            "text(\"\\\"\\'; --\\n\")",
        ],
    ),
    (
        "bytes",
        "BLOB",
        "bytea",
        "bytea",
        &["bytes([])", "bytes([0])", "bytes([0, 255, 39, 92])"],
    ),
    (
        "uuid",
        "UUID_TEXT",
        "uuid",
        "uuid",
        &[
            "uuid({high: 0, low: 0})",
            "uuid({high: 81985529216486895, low: 18364758544493064720})",
            "uuid({high: 18446744073709551615, low: 18446744073709551615})",
        ],
    ),
    (
        "date",
        "DATE",
        "date",
        "date",
        // To 9999-12-31 and from 0000-01-01 backwards it is PostgreSQL's alone.
        &[
            "date(0)",
            "date(-1)",
            "date(19782)",
            "date(-719528)",
            "date(2932896)",
        ],
    ),
    (
        "time",
        "TIME",
        "time",
        "time",
        &[
            "time(0)",
            "time(1)",
            "time(86399999999)",
            "time(86400000000)",
        ],
    ),
    (
        "timestamp",
        "TIMESTAMP",
        "timestamptz",
        "timestamptz",
        &[
            "timestamp(0)",
            "timestamp(-1)",
            "timestamp(1700000000123456)",
            "timestamp(-62135596800000000)",
            "timestamp(253402300799999999)",
        ],
    ),
    (
        "json",
        "JSON_TEXT",
        "json",
        "json",
        &[
            "json(\"null\")",
            "json(\"{\\\"a\\\": [1,  2.50, \\\"é\\\"]}\")",
            "json(\"\\\"x\\\"\")",
        ],
    ),
];

#[test]
fn every_kind_comes_back_as_it_went() -> anyhow::Result<()> {
    for backend in BACKENDS {
        let stage = Stage::start(backend, "")?;
        for (kind, sqlite, postgresql, reported, values) in KINDS {
            let (declared, reported) = match backend {
                Backend::Sqlite => (sqlite, sqlite),
                Backend::Postgresql => (postgresql, reported),
            };
            let table = format!("kind_{kind}");
            stage.sql(&format!("CREATE TABLE {table} (id BIGINT, v {declared})"))?;
            round_trip(&stage, &table, kind, reported, values)?;
        }
    }
    Ok(())
}

/// Writes the values and a null, reads them back, and reads no row at all.
fn round_trip(
    stage: &Stage,
    table: &str,
    kind: &str,
    reported: &str,
    values: &[&str],
) -> anyhow::Result<()> {
    let insert = format!("INSERT INTO {table} (id, v) VALUES ($1, $2)");
    let select = format!("SELECT v FROM {table} WHERE id >= $1 ORDER BY id");
    let info = format!("[{{name: \"v\", kind: {kind}, database-type: \"{reported}\"}}]");
    let mut script = vec![(open(0), "done".to_owned())];
    let written: Vec<&str> = values.iter().copied().chain(["null"]).collect();
    for (id, value) in written.iter().enumerate() {
        let step = execute(0, &insert, &[&format!("int64({id})"), value]);
        script.push((step, "changed(1)".to_owned()));
    }
    let rows: Vec<_> = written.iter().map(|value| format!("[{value}]")).collect();
    script.push((
        query(0, &select, &["int64(0)"]),
        format!("table({{columns: {info}, rows: [{}]}})", rows.join(", ")),
    ));
    script.push((
        query(0, &select, &["int64(99)"]),
        format!("table({{columns: {info}, rows: []}})"),
    ));
    play(stage, kind, script)
}

fn play(stage: &Stage, name: &str, script: Vec<(String, String)>) -> anyhow::Result<()> {
    let script: Vec<_> = script
        .iter()
        .map(|(step, expected)| (step.clone(), expected.as_str()))
        .collect();
    stage.play(name, &script)
}

#[test]
fn the_ends_of_floats_come_back() -> anyhow::Result<()> {
    let ends = [
        f64::MAX,
        f64::MIN,
        f64::MIN_POSITIVE,
        f64::EPSILON,
        f64::from_bits(1),
    ];
    let ends = ends.map(|end| format!("float64({end})"));
    let ends: Vec<_> = ends.iter().map(String::as_str).collect();
    for backend in BACKENDS {
        let stage = Stage::start(backend, "CREATE TABLE t (id BIGINT, v DOUBLE PRECISION)")?;
        let reported = match backend {
            Backend::Sqlite => "DOUBLE PRECISION",
            Backend::Postgresql => "float8",
        };
        round_trip(&stage, "t", "float64", reported, &ends)?;
    }
    Ok(())
}

#[test]
fn what_only_postgresql_holds() -> anyhow::Result<()> {
    let stage = Stage::start(Backend::Postgresql, "")?;
    for (declared, kind, values) in [
        ("float8", "float64", &["float64(nan)", "float64(-0)"][..]),
        (
            "numeric",
            "decimal",
            &[
                "decimal(\"NaN\")",
                "decimal(\"Infinity\")",
                "decimal(\"-Infinity\")",
            ],
        ),
        (
            "timestamptz",
            "timestamp",
            &[
                "timestamp(9223372036854775807)",
                "timestamp(-9223372036854775808)",
                // 4713-11-24 BC and 294247-01-10T04:00:54.775806Z, the last that 64 bits of microseconds reach.
                "timestamp(-210866803200000000)",
                "timestamp(9223372036854775806)",
            ],
        ),
        (
            "timestamp",
            "timestamp",
            &["timestamp(9223372036854775807)", "timestamp(-1)"],
        ),
        (
            "date",
            "date",
            // 4714-11-24 BC and 5874897-12-31, the ends of PostgreSQL's calendar.
            &["date(-2440588)", "date(2145031948)"],
        ),
        ("int2", "int64", &["int64(32767)", "int64(-32768)"]),
        (
            "int4",
            "int64",
            &["int64(2147483647)", "int64(-2147483648)"],
        ),
        ("oid", "int64", &["int64(4294967295)"]),
        (
            "float4",
            "float64",
            &["float64(0.5)", "float64(nan)", "float64(-inf)"],
        ),
        ("varchar", "text", &["text(\"\")"]),
    ] {
        let table = format!("only_{declared}");
        stage.sql(&format!("CREATE TABLE {table} (id BIGINT, v {declared})"))?;
        round_trip(&stage, &table, kind, declared, values)?;
    }
    Ok(())
}

#[test]
fn a_megabyte_comes_back_whole() -> anyhow::Result<()> {
    for backend in BACKENDS {
        let blob = match backend {
            Backend::Sqlite => "BLOB",
            Backend::Postgresql => "BYTEA",
        };
        let tables = format!("CREATE TABLE t (b {blob})");
        let stage = Stage::start(backend, &tables)?;
        let bytes: Vec<_> = (0..1_u32 << 20)
            .map(|at| (at.wrapping_mul(2_654_435_761) >> 24).to_string())
            .collect();
        let bytes = format!("bytes([{}])", bytes.join(", "));
        stage.play(
            "a megabyte",
            &[
                (open(0), "done"),
                (
                    execute(0, "INSERT INTO t VALUES ($1)", &[&bytes]),
                    "changed(1)",
                ),
                (query(0, "SELECT b FROM t", &[]), &one(&bytes)),
            ],
        )?;
    }
    Ok(())
}

/// SQL, the column's kind and type as reported, and the value.
type Literal = (&'static str, &'static str, &'static str, &'static str);

fn literals(stage: &Stage, literals: &[Literal]) -> anyhow::Result<()> {
    let mut script = vec![(open(0), "done".to_owned())];
    for (sql, kind, reported, value) in literals {
        let info = format!("kind: {kind}, database-type: \"{reported}\"");
        let expected = format!("table({{columns: [{{name: \"v\", {info}}}], rows: [[{value}]]}})");
        script.push((query(0, &format!("SELECT {sql} AS v"), &[]), expected));
    }
    play(stage, "literals", script)
}

#[test]
fn literals_on_sqlite() -> anyhow::Result<()> {
    let stage = Stage::start(Backend::Sqlite, "")?;
    literals(
        &stage,
        &[
            ("1", "int64", "", "int64(1)"),
            (
                "-9223372036854775808",
                "int64",
                "",
                "int64(-9223372036854775808)",
            ),
            ("1.5", "float64", "", "float64(1.5)"),
            ("1e400", "float64", "", "float64(inf)"),
            ("'é'", "text", "", "text(\"é\")"),
            ("''", "text", "", "text(\"\")"),
            ("x'00ff'", "bytes", "", "bytes([0, 255])"),
            ("x''", "bytes", "", "bytes([])"),
            ("NULL", "text", "", "null"),
            ("true", "int64", "", "int64(1)"),
            ("CAST('1.50' AS TEXT)", "text", "", "text(\"1.50\")"),
            (
                "json('{ \"a\" : 1 }')",
                "text",
                "",
                "text(\"{\\\"a\\\":1}\")",
            ),
        ],
    )
}

#[test]
fn literals_on_postgresql() -> anyhow::Result<()> {
    let tables = "CREATE TYPE mood AS ENUM ('sad', 'glad'); CREATE DOMAIN price AS numeric(12, 2); \
         CREATE DOMAIN short_name AS varchar(20); CREATE DOMAIN nick AS short_name; CREATE DOMAIN feeling AS mood";
    let stage = Stage::start(Backend::Postgresql, tables)?;
    literals(
        &stage,
        &[
            ("1", "int64", "int4", "int64(1)"),
            ("1::int2", "int64", "int2", "int64(1)"),
            (
                "9007199254740993",
                "int64",
                "int8",
                "int64(9007199254740993)",
            ),
            ("1.50", "decimal", "numeric", "decimal(\"1.50\")"),
            ("'NaN'::numeric", "decimal", "numeric", "decimal(\"NaN\")"),
            (
                "'-Infinity'::numeric",
                "decimal",
                "numeric",
                "decimal(\"-Infinity\")",
            ),
            (
                "1e40::numeric",
                "decimal",
                "numeric",
                "decimal(\"10000000000000000000000000000000000000000\")",
            ),
            (
                "1e-10::numeric",
                "decimal",
                "numeric",
                "decimal(\"0.0000000001\")",
            ),
            (
                "0.00::numeric(10, 2)",
                "decimal",
                "numeric",
                "decimal(\"0.00\")",
            ),
            ("'-0'::float8", "float64", "float8", "float64(-0)"),
            ("'NaN'::float8", "float64", "float8", "float64(nan)"),
            (
                "0.1::float4",
                "float64",
                "float4",
                "float64(0.10000000149011612)",
            ),
            ("'é'", "text", "text", "text(\"é\")"),
            ("'ab'::char(4)", "text", "bpchar", "text(\"ab  \")"),
            ("'ab'::varchar(4)", "text", "varchar", "text(\"ab\")"),
            ("'ab'::name", "text", "name", "text(\"ab\")"),
            ("'c'::\"char\"", "text", "char", "text(\"c\")"),
            ("'<a/>'::xml", "text", "xml", "text(\"<a/>\")"),
            ("'\\x00ff'::bytea", "bytes", "bytea", "bytes([0, 255])"),
            ("NULL", "text", "text", "null"),
            ("NULL::int4", "int64", "int4", "null"),
            ("true", "boolean", "bool", "boolean(true)"),
            ("'24:00'::time", "time", "time", "time(86400000000)"),
            (
                "'infinity'::timestamptz",
                "timestamp",
                "timestamptz",
                "timestamp(9223372036854775807)",
            ),
            (
                "'-infinity'::timestamp",
                "timestamp",
                "timestamp",
                "timestamp(-9223372036854775808)",
            ),
            (
                "'1969-12-31 23:59:59.999999+00'::timestamptz",
                "timestamp",
                "timestamptz",
                "timestamp(-1)",
            ),
            (
                "'2024-02-29 12:00+01'::timestamptz",
                "timestamp",
                "timestamptz",
                "timestamp(1709204400000000)",
            ),
            ("'4713-01-01 BC'::date", "date", "date", "date(-2440550)"),
            (
                "'{\"b\":1, \"a\":  2}'::json",
                "json",
                "json",
                "json(\"{\\\"b\\\":1, \\\"a\\\":  2}\")",
            ),
            (
                "'{\"b\":1, \"a\":  2}'::jsonb",
                "json",
                "jsonb",
                "json(\"{\\\"a\\\": 2, \\\"b\\\": 1}\")",
            ),
            (
                "'00112233-4455-6677-8899-aabbccddeeff'::uuid",
                "uuid",
                "uuid",
                "uuid({high: 4822678189205111, low: 9843086184167632639})",
            ),
            ("'glad'::mood", "text", "mood", "text(\"glad\")"),
            // The server describes a domain as what it is made of.
            ("'glad'::feeling", "text", "mood", "text(\"glad\")"),
            ("1.5::price", "decimal", "numeric", "decimal(\"1.50\")"),
            ("'bo'::nick", "text", "varchar", "text(\"bo\")"),
        ],
    )
}
