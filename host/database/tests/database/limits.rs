//! Owns the limits of answers and texts: an error, never a part, and a connection that goes on.

use poolhouse_database::{Actor, Error, LimitKind, Value, Within};

use crate::both::{Opened, both, everything, text};

fn many(opened: &Opened, rows: u32) -> String {
    match opened.backend() {
        poolhouse_database::Backend::Sqlite => format!(
            "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < {rows}) SELECT i, 'some text' FROM n"
        ),
        poolhouse_database::Backend::Postgresql => {
            format!("SELECT i, 'some text'::text FROM generate_series(1, {rows}) AS n (i)")
        }
    }
}

#[tokio::test]
async fn too_many_rows_or_bytes() {
    for opened in both().await {
        let mut chain = opened.chain();
        let small = Actor {
            max_rows: 100,
            max_bytes: 1_000_000,
            ..everything()
        };
        let at = chain
            .query(&small, Within::Session, &many(&opened, 100), &[])
            .await
            .unwrap();
        assert_eq!(at.batch.rows, 100);
        let error = chain
            .query(&small, Within::Session, &many(&opened, 101), &[])
            .await
            .unwrap_err();
        assert!(
            matches!(&error, Error::Limit { kind: LimitKind::Rows, maximum: 100, message } if message.contains("cursor")),
            "{error:?}"
        );
        let narrow = Actor {
            max_bytes: 2_000,
            ..everything()
        };
        let error = chain
            .query(&narrow, Within::Session, &many(&opened, 5_000), &[])
            .await
            .unwrap_err();
        assert!(
            matches!(
                error,
                Error::Limit {
                    kind: LimitKind::Bytes,
                    maximum: 2_000,
                    ..
                }
            ),
            "{error:?}"
        );
        // In a transaction too, which stays open.
        let id = chain.begin(&small, Default::default()).await.unwrap();
        assert!(matches!(
            chain
                .query(&small, Within::Session, &many(&opened, 3_000), &[])
                .await,
            Err(Error::Limit { .. })
        ));
        chain
            .query(&small, Within::Session, "SELECT 1", &[])
            .await
            .unwrap();
        chain.commit(id).await.unwrap();
        assert_eq!(opened.database.stats().opened, 1);
    }
}

#[tokio::test]
async fn long_texts_and_many_parameters() {
    for opened in both().await {
        let long = format!("SELECT '{}'", "x".repeat(1024 * 1024));
        assert!(matches!(
            opened.rows(&long, &[]).await,
            Err(Error::Limit {
                kind: LimitKind::SqlLength,
                ..
            })
        ));
        assert!(matches!(
            opened.rows("SELECT 1", &vec![Value::Null; 32_767]).await,
            Err(Error::Limit {
                kind: LimitKind::Parameters,
                ..
            })
        ));
        // Long enough for the way that leaves no trace in a cache.
        let value = "y".repeat(100_000);
        for _ in 0..2 {
            assert_eq!(
                opened
                    .value(&format!("SELECT '{value}'"), &[])
                    .await
                    .unwrap(),
                text(&value)
            );
        }
        let rows = (1..=2_000)
            .map(|at| format!("(${at}, -1, 'x')"))
            .collect::<Vec<_>>()
            .join(", ");
        let params: Vec<Value> = (1..=2_000).map(|at| text(&at.to_string())).collect();
        opened
            .ddl("CREATE TABLE wide (a TEXT, b INTEGER, c TEXT)")
            .await;
        assert_eq!(
            opened
                .execute(&format!("INSERT INTO wide VALUES {rows}"), &params)
                .await
                .unwrap(),
            2_000
        );
        assert_eq!(
            opened
                .value("SELECT count(*) FROM wide", &[])
                .await
                .unwrap(),
            Value::Int64(2_000)
        );
    }
}

#[tokio::test]
async fn deep_statements_do_not_overflow_the_stack() {
    for opened in both().await {
        let deep = [
            format!("SELECT {}1", "1 + ".repeat(200_000)),
            format!("SELECT {}1", "1 + ".repeat(8_000)),
            format!("SELECT {}1{}", "(".repeat(100_000), ")".repeat(100_000)),
            format!("SELECT {} 1", "NOT ".repeat(100_000)),
            format!("SELECT 1{}", " UNION ALL SELECT 1".repeat(3_000)),
            format!("SELECT {}1{}", "(SELECT ".repeat(2_000), ")".repeat(2_000)),
            format!("SELECT 1{}", "::int".repeat(5_000)),
            format!("SELECT 1{}", " IS NULL".repeat(2_500)),
            format!("SELECT {}1", "- ".repeat(8_000)),
            format!(
                "SELECT {}1{}",
                "CASE WHEN true THEN ".repeat(1_000),
                " END".repeat(1_000)
            ),
        ];
        for sql in deep {
            let _ = opened.rows(&sql, &[]).await;
        }
        assert_eq!(
            opened.value("SELECT 1", &[]).await.unwrap(),
            Value::Int64(1)
        );
    }
}

#[tokio::test]
async fn a_write_whose_rows_are_refused_is_undone() {
    for opened in both().await {
        opened.ddl("CREATE TABLE t (id INTEGER)").await;
        let narrow = Actor {
            max_rows: 1,
            ..everything()
        };
        let mut chain = opened.chain();
        let insert = "INSERT INTO t VALUES (1), (2) RETURNING id";
        let error = chain
            .query(&narrow, Within::Session, insert, &[])
            .await
            .unwrap_err();
        assert!(matches!(error, Error::Limit { .. }), "{error:?}");
        let count = "SELECT count(*) FROM t";
        assert_eq!(opened.value(count, &[]).await.unwrap(), Value::Int64(0));
        assert_eq!(opened.rows(insert, &[]).await.unwrap().len(), 2);
        // Rows that nobody wants are dropped.
        assert_eq!(
            chain
                .execute(&narrow, Within::Session, insert, &[])
                .await
                .unwrap(),
            2
        );
        assert_eq!(opened.value(count, &[]).await.unwrap(), Value::Int64(4));
        assert_eq!(opened.database.stats().opened, 1);
    }
}

#[tokio::test]
async fn sqlite_does_not_take_all_memory() {
    let opened = crate::both::sqlite().await;
    let mut chain = opened.chain();
    for sql in [
        "SELECT zeroblob(1000000000)",
        "SELECT zeroblob(400000000)",
        "SELECT hex(randomblob(300000000))",
    ] {
        chain
            .query(&everything(), Within::Session, sql, &[])
            .await
            .unwrap_err();
    }
    assert_eq!(
        opened.value("SELECT 1", &[]).await.unwrap(),
        Value::Int64(1)
    );
}
