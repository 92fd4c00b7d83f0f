//! Owns binding the same text with every pair of kinds, one after the other on one connection: what the second is given
//! does not depend on the first.

use poolhouse_database::{
    Backend, Column, Database, DatabaseUrl, Error, Settings, Uuid, Value, Values, Within,
};

use crate::both::{Opened, everything, postgresql, rows, sqlite, text};
use crate::kinds::shown;

fn one_of_each_kind() -> Vec<Value> {
    vec![
        Value::Null,
        Value::Boolean(true),
        Value::Int64(1),
        Value::Float64(1.0),
        Value::Decimal("1".to_owned()),
        text("1"),
        Value::Bytes(b"1".to_vec()),
        Value::Uuid(Uuid { high: 0, low: 1 }),
        Value::Date(1),
        Value::Time(1),
        Value::Timestamp(1),
        Value::Json("1".to_owned()),
        Value::Array(Column {
            validity: vec![],
            values: Values::Int64(vec![1]),
        }),
    ]
}

/// A pool of one connection.
fn narrow(opened: &Opened) -> Database {
    let mut settings = Settings::new(DatabaseUrl::parse(&opened.url).unwrap());
    (settings.pool.pool_size, settings.pool.max_overflow) = (1, 0);
    Database::open(settings).unwrap()
}

async fn bound(database: &Database, sql: &str, value: &Value) -> Result<Value, Error> {
    let mut chain = poolhouse_database::Chain::new(database.clone(), 1, None);
    let parameters = std::slice::from_ref(value);
    let answer = chain
        .query(&everything(), Within::Session, sql, parameters)
        .await?;
    Ok(rows(&answer)[0][0].clone())
}

/// The same number, text or time in another kind.
fn means(given: &Value, got: &Value) -> bool {
    let number = |value: &Value| match value {
        Value::Int64(value) => Some(*value as f64),
        Value::Float64(value) => Some(*value),
        Value::Decimal(text) => text.parse().ok(),
        _ => None,
    };
    match (given, got) {
        (Value::Array(_), Value::Json(got)) => got == "[1]",
        (Value::Json(a) | Value::Text(a), Value::Json(b) | Value::Text(b)) => a == b,
        _ if number(given).is_some() => number(given) == number(got),
        _ => given == got,
    }
}

#[tokio::test]
async fn each_pair_of_kinds_on_one_connection() {
    for opened in [postgresql().await, sqlite().await] {
        let database = narrow(&opened);
        let values = one_of_each_kind();
        let types: Vec<String> = match opened.backend() {
            Backend::Postgresql => [
                "boolean",
                "int2",
                "int4",
                "int8",
                "oid",
                "float4",
                "float8",
                "numeric",
                "text",
                "varchar",
                "\"char\"",
                "bytea",
                "uuid",
                "date",
                "time",
                "timestamp",
                "timestamptz",
                "json",
                "jsonb",
                "inet",
                "int8[]",
                "text[]",
            ]
            .map(|name| format!("SELECT $1::{name}"))
            .into_iter()
            .chain(
                [
                    "SELECT $1",
                    "SELECT coalesce($1, NULL)",
                    "SELECT * FROM (VALUES ($1)) AS v",
                ]
                .map(str::to_owned),
            )
            .collect(),
            Backend::Sqlite => {
                let declared = [
                    "BOOLEAN",
                    "INTEGER",
                    "REAL",
                    "DECIMAL_TEXT",
                    "DECIMAL",
                    "TEXT",
                    "BLOB",
                    "UUID_TEXT",
                    "DATE",
                    "TIME",
                    "TIMESTAMP",
                    "JSON_TEXT",
                ];
                for (at, declared) in declared.iter().enumerate() {
                    opened
                        .ddl(&format!("CREATE TABLE t{at} (c {declared})"))
                        .await;
                }
                (0..declared.len())
                    .map(|at| format!("INSERT INTO t{at} VALUES ($1) RETURNING c"))
                    .chain(["SELECT $1".to_owned()])
                    .collect()
            }
        };
        let (mut worked, mut refused) = (0, 0);
        for sql in &types {
            let mut alone = Vec::new();
            for (at, value) in values.iter().enumerate() {
                // A text of its own, which nothing was bound to before.
                let result = bound(&database, &format!("{sql} -- {at}"), value).await;
                match &result {
                    Ok(got) => {
                        worked += 1;
                        // SQLite's own affinities turn a number into text and back, and the digits are the same.
                        let same = match opened.backend() {
                            Backend::Postgresql => means(value, got),
                            Backend::Sqlite => is_stored_as(value, got),
                        };
                        assert!(same, "{sql}: {value:?} became {got:?}");
                    }
                    Err(Error::Invalid(_)) => refused += 1,
                    Err(error) => panic!("{sql}: {value:?}: {error:?}"),
                }
                alone.push(result);
            }
            for (first, _) in values.iter().enumerate() {
                for (second, value) in values.iter().enumerate() {
                    let _ = bound(&database, sql, &values[first]).await;
                    let after = bound(&database, sql, value).await;
                    let words = |result: &Result<Value, Error>| {
                        result.as_ref().map(shown).map_err(Error::to_string)
                    };
                    assert_eq!(
                        words(&after),
                        words(&alone[second]),
                        "{sql}: {value:?} after {:?}",
                        values[first]
                    );
                }
            }
        }
        assert!(worked > 30 && refused > 30, "{worked} {refused}");
        assert_eq!(database.stats().opened, 1);
    }
}

fn is_stored_as(given: &Value, got: &Value) -> bool {
    // A day in a column of times is its beginning.
    if (given, got) == (&Value::Date(1), &Value::Timestamp(86_400_000_000)) {
        return true;
    }
    let plain = |value: &Value| match value {
        Value::Boolean(value) => i64::from(*value).to_string(),
        Value::Float64(value) => value.to_string(),
        Value::Bytes(bytes) => String::from_utf8(bytes.clone()).unwrap(),
        Value::Date(1) => "1970-01-02".to_owned(),
        Value::Time(1) => "00:00:00.000001".to_owned(),
        Value::Timestamp(1) => "1970-01-01T00:00:00.000001Z".to_owned(),
        other => shown(other),
    };
    let (given, got) = (plain(given), plain(got));
    given == got
        || given
            .parse::<f64>()
            .is_ok_and(|given| got.parse() == Ok(given))
}
