//! Owns the round trips: every kind and null, on both databases, to the last digit.

use poolhouse_database::{Backend, Kind, Uuid, Value, Within};

use crate::both::{both, everything, postgresql, rows, sqlite, text};

const DIGITS: &str = "12345678901234567890123456789012345678";

#[tokio::test]
async fn every_kind_comes_back_as_it_went() {
    for opened in both().await {
        let table = match opened.backend() {
            Backend::Sqlite => {
                "CREATE TABLE k (id INTEGER, a BOOLEAN, b BIGINT, c DOUBLE PRECISION, d DECIMAL_TEXT, e TEXT, f BLOB, g UUID_TEXT, h DATE, i TIME, j TIMESTAMP, k JSON_TEXT)"
            }
            Backend::Postgresql => {
                "CREATE TABLE k (id bigint, a boolean, b bigint, c float8, d numeric, e text, f bytea, g uuid, h date, i time, j timestamptz, k json)"
            }
        };
        opened.ddl(table).await;
        let kinds = [
            Kind::Boolean,
            Kind::Int64,
            Kind::Float64,
            Kind::Decimal,
            Kind::Text,
            Kind::Bytes,
            Kind::Uuid,
            Kind::Date,
            Kind::Time,
            Kind::Timestamp,
            Kind::Json,
        ];
        let uuid = Uuid {
            high: 0xfedc_ba98_7654_3210,
            low: 0x0123_4567_89ab_cdef,
        };
        let written = [
            vec![
                Value::Boolean(true),
                Value::Int64(i64::MAX),
                Value::Float64(0.1),
                Value::Decimal(format!("{DIGITS}.50")),
                text("é𝄞'\"; --"),
                Value::Bytes(vec![0, 255, 1]),
                Value::Uuid(uuid),
                Value::Date(19_782),
                Value::Time(86_399_999_999),
                Value::Timestamp(1_700_000_000_123_456),
                Value::Json(r#"{"a": [1, null]}"#.to_owned()),
            ],
            vec![Value::Null; 11],
            vec![
                Value::Boolean(false),
                Value::Int64(i64::MIN),
                Value::Float64(f64::MIN_POSITIVE),
                Value::Decimal("-0.000000000000000001".to_owned()),
                text(""),
                Value::Bytes(vec![]),
                Value::Uuid(Uuid::default()),
                Value::Date(-1),
                Value::Time(0),
                Value::Timestamp(-1),
                Value::Json("null".to_owned()),
            ],
            vec![
                Value::Boolean(true),
                Value::Int64(9_007_199_254_740_993),
                Value::Float64(f64::INFINITY),
                Value::Decimal("1.50".to_owned()),
                text("x"),
                Value::Bytes(vec![7; 3000]),
                Value::Uuid(uuid),
                Value::Date(0),
                Value::Time(1),
                Value::Timestamp(0),
                Value::Json("\"é\"".to_owned()),
            ],
        ];
        let mut chain = opened.chain();
        for (id, row) in written.iter().enumerate() {
            let mut params = vec![Value::Int64(id as i64)];
            params.extend(row.iter().cloned());
            let insert = "INSERT INTO k VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
            assert_eq!(
                chain
                    .execute(&everything(), Within::Session, insert, &params)
                    .await
                    .unwrap(),
                1
            );
        }
        let answer = chain
            .query(
                &everything(),
                Within::Session,
                "SELECT a, b, c, d, e, f, g, h, i, j, k FROM k ORDER BY id",
                &[],
            )
            .await
            .unwrap();
        assert_eq!(
            answer
                .columns
                .iter()
                .map(|info| info.kind)
                .collect::<Vec<_>>(),
            kinds
        );
        assert_eq!(rows(&answer), written);

        // The same columns, kinds and names with no rows at all.
        let empty = chain
            .query(
                &everything(),
                Within::Session,
                "SELECT a, b, c, d, e, f, g, h, i, j, k FROM k WHERE id = 99",
                &[],
            )
            .await
            .unwrap();
        assert_eq!(empty.columns, answer.columns);
        assert_eq!(empty.batch.rows, 0);
        assert!(rows(&empty).is_empty());
        let names: Vec<&str> = answer
            .columns
            .iter()
            .map(|info| info.database_type.as_str())
            .collect();
        match opened.backend() {
            Backend::Sqlite => assert_eq!(
                names,
                [
                    "BOOLEAN",
                    "BIGINT",
                    "DOUBLE PRECISION",
                    "DECIMAL_TEXT",
                    "TEXT",
                    "BLOB",
                    "UUID_TEXT",
                    "DATE",
                    "TIME",
                    "TIMESTAMP",
                    "JSON_TEXT"
                ]
            ),
            Backend::Postgresql => assert_eq!(
                names,
                [
                    "bool",
                    "int8",
                    "float8",
                    "numeric",
                    "text",
                    "bytea",
                    "uuid",
                    "date",
                    "time",
                    "timestamptz",
                    "json"
                ]
            ),
        }
    }
}

#[tokio::test]
async fn postgresql_types() {
    let opened = postgresql().await;
    opened.ddl("CREATE TYPE mood AS ENUM ('sad', 'glad'); CREATE DOMAIN money2 AS numeric(12, 2); CREATE DOMAIN name2 AS varchar(20); CREATE DOMAIN name3 AS name2").await;
    for (sql, expected) in [
        ("SELECT 1::int2", Value::Int64(1)),
        ("SELECT (-7)::int4", Value::Int64(-7)),
        ("SELECT 4294967295::oid", Value::Int64(4_294_967_295)),
        ("SELECT 0.5::float4", Value::Float64(0.5)),
        (
            "SELECT '-infinity'::float8",
            Value::Float64(f64::NEG_INFINITY),
        ),
        ("SELECT 'NaN'::numeric", Value::Decimal("NaN".to_owned())),
        (
            "SELECT 'Infinity'::numeric",
            Value::Decimal("Infinity".to_owned()),
        ),
        (
            "SELECT '-Infinity'::numeric",
            Value::Decimal("-Infinity".to_owned()),
        ),
        (
            "SELECT 1e40::numeric",
            Value::Decimal(format!("1{}", "0".repeat(40))),
        ),
        (
            "SELECT 0.00::numeric(10, 2)",
            Value::Decimal("0.00".to_owned()),
        ),
        (
            "SELECT 10000.0001::numeric",
            Value::Decimal("10000.0001".to_owned()),
        ),
        ("SELECT 'ab'::char(4)", text("ab  ")),
        ("SELECT 'n'::name", text("n")),
        ("SELECT 'c'::\"char\"", text("c")),
        ("SELECT 'glad'::mood", text("glad")),
        ("SELECT '1.5'::money2", Value::Decimal("1.50".to_owned())),
        ("SELECT 'a'::name3", text("a")),
        ("SELECT '<a/>'::xml", text("<a/>")),
        (
            "SELECT '{\"b\":1}'::jsonb",
            Value::Json("{\"b\": 1}".to_owned()),
        ),
        (
            "SELECT '2024-02-29 12:00'::timestamp",
            Value::Timestamp(1_709_208_000_000_000),
        ),
        ("SELECT 'infinity'::timestamptz", Value::Timestamp(i64::MAX)),
        ("SELECT '-infinity'::timestamp", Value::Timestamp(i64::MIN)),
        ("SELECT '24:00'::time", Value::Time(86_400_000_000)),
        ("SELECT '4713-01-01 BC'::date", Value::Date(-2_440_550)),
        ("SELECT pg_sleep(0)", Value::Null),
        ("SELECT NULL", Value::Null),
    ] {
        assert_eq!(opened.value(sql, &[]).await.unwrap(), expected, "{sql}");
    }
    let message = opened
        .value("SELECT '294270-01-01'::timestamptz", &[])
        .await
        .unwrap_err()
        .to_string();
    assert!(message.contains("too far away"), "{message}");
    assert_eq!(
        opened.value("SELECT 1", &[]).await.unwrap(),
        Value::Int64(1)
    );
}

#[tokio::test]
async fn sqlite_columns_without_a_declared_type() {
    let opened = sqlite().await;
    opened
        .ddl("CREATE TABLE t (n NUMERIC, d DECIMAL(20, 2), any_ ANY, x)")
        .await;
    for (sql, expected) in [
        (
            "SELECT * FROM (VALUES (1), (2.5))",
            vec![Value::Float64(1.0), Value::Float64(2.5)],
        ),
        (
            "SELECT * FROM (VALUES (2.5), (1))",
            vec![Value::Float64(2.5), Value::Float64(1.0)],
        ),
        (
            "SELECT * FROM (VALUES (NULL), (1), (NULL))",
            vec![Value::Null, Value::Int64(1), Value::Null],
        ),
        (
            "SELECT * FROM (VALUES (NULL), (NULL))",
            vec![Value::Null, Value::Null],
        ),
        (
            "SELECT * FROM (VALUES ('a'), (NULL))",
            vec![text("a"), Value::Null],
        ),
        ("SELECT x'00ff'", vec![Value::Bytes(vec![0, 255])]),
    ] {
        let rows: Vec<Value> = opened
            .rows(sql, &[])
            .await
            .unwrap()
            .into_iter()
            .map(|row| row[0].clone())
            .collect();
        assert_eq!(rows, expected, "{sql}");
    }
    for sql in [
        "SELECT * FROM (VALUES (1), ('a'))",
        "SELECT * FROM (VALUES (9007199254740993), (0.5))",
        "SELECT * FROM (VALUES (0.5), (9007199254740993))",
        "SELECT * FROM (VALUES (x'00'), ('a'))",
    ] {
        let message = opened.rows(sql, &[]).await.unwrap_err().to_string();
        assert!(message.contains("column1"), "{sql}: {message}");
    }
    // A plain DECIMAL turns many digits into a float, and is reported as one.
    opened
        .execute(
            "INSERT INTO t (d) VALUES ($1)",
            &[Value::Decimal("12345678901234567890.12".to_owned())],
        )
        .await
        .unwrap();
    assert_eq!(
        opened.value("SELECT d FROM t", &[]).await.unwrap(),
        Value::Float64(12_345_678_901_234_567_890.12)
    );
    // No rows and nothing declared: text.
    let answer = opened
        .chain()
        .query(
            &everything(),
            Within::Session,
            "SELECT x, n FROM t WHERE 0",
            &[],
        )
        .await
        .unwrap();
    assert_eq!(
        answer
            .columns
            .iter()
            .map(|info| (info.kind, info.database_type.as_str()))
            .collect::<Vec<_>>(),
        [(Kind::Text, ""), (Kind::Text, "NUMERIC")]
    );
}

#[tokio::test]
async fn sqlite_values_that_contradict_their_column_are_refused() {
    let opened = sqlite().await;
    opened.ddl("CREATE TABLE t (i INTEGER, b BOOLEAN, d DECIMAL_TEXT, u UUID_TEXT, at TIMESTAMP, day DATE, t TEXT)").await;
    for (column, literal) in [
        ("i", "'x'"),
        ("i", "1.5"),
        ("b", "2"),
        ("b", "'true'"),
        ("d", "'1e5'"),
        ("d", "x'31'"),
        ("u", "'nope'"),
        ("at", "'soon'"),
        ("at", "1700000000"),
        ("day", "'2024-13-01'"),
        ("t", "x'00'"),
    ] {
        opened
            .ddl(&format!(
                "DELETE FROM t; INSERT INTO t ({column}) VALUES ({literal})"
            ))
            .await;
        let message = opened
            .value(&format!("SELECT {column} FROM t"), &[])
            .await
            .unwrap_err()
            .to_string();
        assert!(
            message.contains(&format!("{column:?}")),
            "{column} {literal}: {message}"
        );
    }
    opened
        .ddl("DELETE FROM t; INSERT INTO t (at) VALUES ('2024-02-29 12:00:00+01:00')")
        .await;
    assert_eq!(
        opened.value("SELECT at FROM t", &[]).await.unwrap(),
        Value::Timestamp(1_709_204_400_000_000)
    );
    // Text that is not UTF-8 is refused, and the connection goes on.
    assert!(
        opened
            .value("SELECT CAST(x'ff' AS TEXT)", &[])
            .await
            .is_err()
    );
    assert_eq!(
        opened.value("SELECT 1", &[]).await.unwrap(),
        Value::Int64(1)
    );
}
