//! Owns dropped futures: the statement is cancelled, the connection not reused, and the next call works.

use std::time::Duration;

use poolhouse_database::{Error, TimeoutKind, TransactionOptions, Value, Within};
use sqlx::Row;

use crate::both::{eventually, everything, postgresql, sqlite};
use crate::server::server;

/// Long enough on any machine to be in the middle of it when dropped.
const COUNT: &str = "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000000) SELECT count(*) FROM n";

async fn active(database: &str) -> i64 {
    let mut admin = server().admin("postgres").await;
    let row = sqlx::query("SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND application_name = 'poolhouse' AND (state <> 'idle')").bind(database).fetch_one(&mut admin).await.unwrap();
    row.get(0)
}

fn name(url: &str) -> String {
    url.split('?')
        .next()
        .unwrap()
        .rsplit('/')
        .next()
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn a_dropped_statement_is_cancelled_on_the_server() {
    let opened = postgresql().await;
    let database = name(&opened.url);
    let actor = everything();
    let mut chain = opened.chain();
    for in_transaction in [false, true] {
        let id = if in_transaction {
            Some(
                chain
                    .begin(&actor, TransactionOptions::default())
                    .await
                    .unwrap(),
            )
        } else {
            None
        };
        {
            let mut sleeping =
                std::pin::pin!(chain.query(&actor, Within::Session, "SELECT pg_sleep(60)", &[]));
            eventually("the statement runs", async || {
                assert!(
                    tokio::time::timeout(Duration::from_millis(10), &mut sleeping)
                        .await
                        .is_err()
                );
                active(&database).await == 1
            })
            .await;
        }
        let dropped = std::time::Instant::now();
        if let Some(id) = id {
            assert!(matches!(
                chain.query(&actor, Within::Session, "SELECT 1", &[]).await,
                Err(Error::Closed(_))
            ));
            chain.rollback(id).await.unwrap();
        }
        chain
            .query(&actor, Within::Session, "SELECT 1", &[])
            .await
            .unwrap();
        eventually("nothing is active", async || active(&database).await == 0).await;
        assert!(
            dropped.elapsed() < Duration::from_secs(1),
            "{:?}",
            dropped.elapsed()
        );
    }
    let stats = opened.database.stats();
    assert_eq!((stats.checked_out, stats.closing), (0, 0));
    assert_eq!(opened.database.close(Duration::from_secs(5)).await, 0);
}

#[tokio::test]
async fn a_dropped_statement_is_interrupted_on_sqlite() {
    let opened = sqlite().await;
    let actor = everything();
    let mut chain = opened.chain();
    for in_transaction in [false, true] {
        let id = if in_transaction {
            Some(
                chain
                    .begin(&actor, TransactionOptions::default())
                    .await
                    .unwrap(),
            )
        } else {
            None
        };
        assert!(
            tokio::time::timeout(
                Duration::from_millis(100),
                chain.query(&actor, Within::Session, COUNT, &[])
            )
            .await
            .is_err()
        );
        if let Some(id) = id {
            assert!(matches!(
                chain.query(&actor, Within::Session, "SELECT 1", &[]).await,
                Err(Error::Closed(_))
            ));
            chain.rollback(id).await.unwrap();
        }
        chain
            .query(&actor, Within::Session, "SELECT 1", &[])
            .await
            .unwrap();
        eventually("the connection is closed", async || {
            let stats = opened.database.stats();
            stats.closing == 0 && stats.checked_out == 0
        })
        .await;
    }
}

#[tokio::test]
async fn a_dropped_chain_leaves_no_transaction_on_the_server() {
    let opened = postgresql().await;
    let database = name(&opened.url);
    let mut chain = opened.chain();
    chain
        .begin(&everything(), TransactionOptions::default())
        .await
        .unwrap();
    assert_eq!(active(&database).await, 1);
    drop(chain);
    eventually("no transaction is open", async || {
        active(&database).await == 0
    })
    .await;
}

#[tokio::test]
async fn a_statement_stops_at_the_calls_deadline() {
    for opened in crate::both::both().await {
        let sql = if opened.backend() == poolhouse_database::Backend::Sqlite {
            COUNT
        } else {
            "SELECT pg_sleep(60)"
        };
        let mut chain = poolhouse_database::Chain::new(
            opened.database.clone(),
            1,
            Some(tokio::time::Instant::now() + Duration::from_millis(300)),
        );
        let error = chain
            .query(&everything(), Within::Session, sql, &[])
            .await
            .unwrap_err();
        assert!(
            matches!(
                error,
                Error::Timeout {
                    kind: TimeoutKind::Call,
                    ..
                }
            ),
            "{error:?}"
        );
        let error = chain
            .query(&everything(), Within::Session, "SELECT 1", &[])
            .await
            .unwrap_err();
        assert!(
            matches!(
                error,
                Error::Timeout {
                    kind: TimeoutKind::Call,
                    ..
                }
            ),
            "{error:?}"
        );
        assert_eq!(
            opened.value("SELECT 1", &[]).await.unwrap(),
            Value::Int64(1)
        );
    }
}

#[tokio::test]
async fn dropped_anywhere_no_connection_is_lost() {
    for opened in crate::both::both().await {
        opened.ddl("CREATE TABLE t (id INTEGER)").await;
        let actor = everything();
        for microseconds in (0..60).map(|step| step * 137) {
            let mut chain = opened.chain();
            let work = async {
                let id = chain.begin(&actor, TransactionOptions::default()).await?;
                chain
                    .execute(&actor, Within::Session, "INSERT INTO t VALUES (1)", &[])
                    .await?;
                let inner = chain.savepoint(&actor, id).await?;
                chain
                    .query(&actor, Within::Session, "SELECT * FROM t", &[])
                    .await?;
                chain.rollback(inner).await?;
                chain.rollback(id).await
            };
            let _ = tokio::time::timeout(Duration::from_micros(microseconds), work).await;
            if microseconds % 2 == 0 {
                chain.finish().await;
                assert!(!chain.holds_connection());
            }
        }
        assert_eq!(
            opened.value("SELECT count(*) FROM t", &[]).await.unwrap(),
            Value::Int64(0)
        );
        eventually("all connections are back", async || {
            let stats = opened.database.stats();
            stats.checked_out + stats.closing + stats.resetting == 0
        })
        .await;
    }
}
