//! Owns binding: exact or refused, by the type that the server gives a placeholder.

use poolhouse_database::{Error, Value, Within};

use crate::both::{both, everything, postgresql, sqlite, text};

#[tokio::test]
async fn the_number_of_parameters_is_checked_before_the_database_sees_it() {
    for opened in both().await {
        for (sql, params) in [
            ("SELECT $1", 0),
            ("SELECT $1", 2),
            ("SELECT $1, $2", 1),
            ("SELECT 1", 1),
        ] {
            let error = opened
                .rows(sql, &vec![Value::Int64(1); params])
                .await
                .unwrap_err();
            assert!(matches!(error, Error::Invalid(_)), "{error:?}");
        }
        for sql in [
            "SELECT $0",
            "SELECT ?",
            "SELECT :a",
            "SELECT $a",
            "SELECT $99999999999999999999",
        ] {
            let error = opened.rows(sql, &[Value::Int64(1)]).await.unwrap_err();
            assert!(
                matches!(error, Error::Invalid(_) | Error::Limit { .. }),
                "{sql}: {error:?}"
            );
        }
        assert!(matches!(
            opened.rows("SELECT $32767", &[]).await,
            Err(Error::Limit { .. })
        ));
        // The same placeholder twice is one parameter.
        assert_eq!(
            opened
                .value("SELECT CAST($1 AS text) || CAST($1 AS text)", &[text("ab")])
                .await
                .unwrap(),
            text("abab")
        );
    }
}

#[tokio::test]
async fn postgresql_binds_to_the_servers_type() {
    let opened = postgresql().await;
    opened
        .ddl("CREATE TYPE mood AS ENUM ('sad', 'glad'); CREATE DOMAIN short AS varchar(5)")
        .await;
    for (sql, given, expected) in [
        (
            "SELECT $1::int2",
            Value::Int64(-32_768),
            Value::Int64(-32_768),
        ),
        ("SELECT $1::int4", Value::Int64(7), Value::Int64(7)),
        (
            "SELECT $1::oid",
            Value::Int64(4_294_967_295),
            Value::Int64(4_294_967_295),
        ),
        (
            "SELECT $1::float8",
            Value::Int64(9_007_199_254_740_992),
            Value::Float64(9_007_199_254_740_992.0),
        ),
        ("SELECT $1::float4", Value::Int64(3), Value::Float64(3.0)),
        (
            "SELECT $1::numeric",
            Value::Int64(i64::MIN),
            Value::Decimal(i64::MIN.to_string()),
        ),
        (
            "SELECT $1::numeric",
            Value::Float64(0.1),
            Value::Decimal("0.1".to_owned()),
        ),
        (
            "SELECT $1::numeric",
            Value::Float64(1e22),
            Value::Decimal("10000000000000000000000".to_owned()),
        ),
        (
            "SELECT $1::numeric",
            Value::Float64(f64::NAN),
            Value::Decimal("NaN".to_owned()),
        ),
        (
            "SELECT $1::float4",
            Value::Float64(0.5),
            Value::Float64(0.5),
        ),
        (
            "SELECT $1::numeric",
            Value::Decimal("-1.500".to_owned()),
            Value::Decimal("-1.500".to_owned()),
        ),
        ("SELECT $1::varchar", text("v"), text("v")),
        ("SELECT $1::name", text("n"), text("n")),
        ("SELECT $1::mood", text("glad"), text("glad")),
        ("SELECT $1::short", text("abc"), text("abc")),
        ("SELECT $1", text("unknown"), text("unknown")),
        (
            "SELECT $1::jsonb",
            Value::Json("[1]".to_owned()),
            Value::Json("[1]".to_owned()),
        ),
        (
            "SELECT $1::jsonb",
            text("[2]"),
            Value::Json("[2]".to_owned()),
        ),
        (
            "SELECT $1::timestamp",
            Value::Timestamp(1),
            Value::Timestamp(1),
        ),
        (
            "SELECT $1::timestamptz",
            Value::Timestamp(i64::MAX),
            Value::Timestamp(i64::MAX),
        ),
        (
            "SELECT $1::timestamptz",
            Value::Timestamp(i64::MIN),
            Value::Timestamp(i64::MIN),
        ),
        ("SELECT $1::uuid", Value::Null, Value::Null),
    ] {
        // NaN is not equal to itself, but decimals are text.
        assert_eq!(
            opened
                .value(sql, std::slice::from_ref(&given))
                .await
                .unwrap(),
            expected,
            "{sql} {given:?}"
        );
    }
}

#[tokio::test]
async fn the_same_text_with_another_kind_is_never_misread() {
    let opened = postgresql().await;
    assert_eq!(
        opened
            .value("SELECT $1::int8", &[Value::Int64(1)])
            .await
            .unwrap(),
        Value::Int64(1)
    );
    let error = opened
        .value("SELECT $1::int8", &[Value::Float64(1.0)])
        .await
        .unwrap_err();
    assert!(error.to_string().contains("$1::float8"), "{error}");
}

#[tokio::test]
async fn what_does_not_fit_is_refused_by_name() {
    let opened = postgresql().await;
    for (sql, given, words) in [
        ("SELECT $1::int2", Value::Int64(32_768), &["$1", "int2"][..]),
        ("SELECT $1::int4", Value::Int64(1 << 31), &["int4"]),
        ("SELECT $1::oid", Value::Int64(-1), &["oid"]),
        (
            "SELECT $1::float8",
            Value::Int64(9_007_199_254_740_993),
            &["float8"],
        ),
        ("SELECT $1::float4", Value::Float64(0.1), &["float4"]),
        (
            "SELECT $1::text",
            Value::Int64(1),
            &["$1", "text", "int64", "$1::bigint"],
        ),
        (
            "SELECT $1::bigint",
            text("1"),
            &["int8", "text", "$1::text"],
        ),
        ("SELECT $1::boolean", Value::Int64(1), &["bool", "int64"]),
        ("SELECT $1::uuid", text("x"), &["uuid"]),
        ("SELECT $1::int4[]", Value::Int64(1), &["int4[]"]),
        (
            "SELECT $1::interval",
            text("1 day"),
            &["interval", "$1::text"],
        ),
        (
            "SELECT $1::numeric",
            Value::Decimal("1e5".to_owned()),
            &["1e5"],
        ),
        ("SELECT $1::time", Value::Time(-1), &["time"]),
        ("SELECT $1::text", text("a\0b"), &["NUL"]),
    ] {
        let error = opened
            .value(sql, std::slice::from_ref(&given))
            .await
            .unwrap_err();
        assert!(matches!(error, Error::Invalid(_)), "{error:?}");
        let message = error.to_string();
        assert!(
            words.iter().all(|word| message.contains(word)),
            "{sql}: {message}"
        );
    }
    assert_eq!(
        opened.value("SELECT 1", &[]).await.unwrap(),
        Value::Int64(1)
    );
}

#[tokio::test]
async fn a_refused_parameter_leaves_the_transaction_open() {
    for opened in both().await {
        let mut chain = opened.chain();
        let id = chain
            .begin(&everything(), Default::default())
            .await
            .unwrap();
        let bad = Value::Decimal("1e5".to_owned());
        assert!(matches!(
            chain
                .query(
                    &everything(),
                    Within::Transaction(id),
                    "SELECT CAST($1 AS numeric)",
                    &[bad]
                )
                .await,
            Err(Error::Invalid(_))
        ));
        chain
            .query(&everything(), Within::Transaction(id), "SELECT 1", &[])
            .await
            .unwrap();
        chain.commit(id).await.unwrap();
    }
}

#[tokio::test]
async fn sqlite_refuses_what_it_would_change() {
    let opened = sqlite().await;
    for given in [
        Value::Float64(f64::NAN),
        Value::Decimal("NaN".to_owned()),
        Value::Date(i32::MAX),
        Value::Timestamp(i64::MAX),
        Value::Time(-1),
    ] {
        assert!(
            matches!(
                opened
                    .value("SELECT $1", std::slice::from_ref(&given))
                    .await,
                Err(Error::Invalid(_))
            ),
            "{given:?}"
        );
    }
    // Text is what it was, whatever it looks like, and sorts as time does.
    assert_eq!(
        opened
            .value("SELECT typeof($1)", &[Value::Decimal("1.50".to_owned())])
            .await
            .unwrap(),
        text("text")
    );
    assert_eq!(
        opened
            .value("SELECT $1", &[Value::Timestamp(0)])
            .await
            .unwrap(),
        text("1970-01-01T00:00:00.000000Z")
    );
    assert_eq!(
        opened
            .value("SELECT $2 || $1", &[text("a"), text("b")])
            .await
            .unwrap(),
        text("ba")
    );
}
