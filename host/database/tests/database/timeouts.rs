//! Owns the time that one statement and one transaction of a plugin's may take, and what is left behind when it is over.

use std::time::{Duration, Instant};

use poolhouse_database::{
    Actor, Backend, Column, Error, TimeoutKind, TransactionOptions, Value, Values, Within,
};

use crate::both::{Opened, both, eventually, everything};

/// Longer than any test waits.
fn endless(opened: &Opened) -> &'static str {
    match opened.backend() {
        Backend::Sqlite => {
            "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000000) SELECT count(*) FROM n"
        }
        Backend::Postgresql => "SELECT pg_sleep(600)",
    }
}

fn hasty() -> Actor {
    Actor {
        statement_timeout: Some(Duration::from_millis(150)),
        ..everything()
    }
}

#[track_caller]
fn assert_statement_timeout<T: std::fmt::Debug>(result: Result<T, Error>) {
    match result {
        Err(Error::Timeout {
            kind: TimeoutKind::Statement,
            limit,
            message,
        }) => {
            assert_eq!(limit, Duration::from_millis(150));
            assert!(message.contains("statement_timeout"), "{message}");
        }
        other => panic!("{other:?}"),
    }
}

async fn nothing_is_left(opened: &Opened) {
    eventually("every connection is back or closed", async || {
        let stats = opened.database.stats();
        stats.checked_out == 0 && stats.closing == 0
    })
    .await;
    opened.rows("SELECT 1", &[]).await.unwrap();
    if opened.backend() == Backend::Postgresql {
        eventually("nothing runs on the server", async || {
            let running = opened
                .value("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'", &[])
                .await;
            running.unwrap() == Value::Int64(0)
        })
        .await;
    }
}

#[tokio::test]
async fn a_statement_by_itself() {
    for opened in both().await {
        let started = Instant::now();
        let mut chain = opened.chain();
        let slow = endless(&opened);
        assert_statement_timeout(chain.query(&hasty(), Within::Session, slow, &[]).await);
        assert!(started.elapsed() < Duration::from_secs(20));
        chain
            .query(&hasty(), Within::Session, "SELECT 1", &[])
            .await
            .unwrap();
        nothing_is_left(&opened).await;
    }
}

#[tokio::test]
async fn a_statement_in_a_transaction_ends_it() {
    for opened in both().await {
        opened.ddl("CREATE TABLE t (id INTEGER)").await;
        let mut chain = opened.chain();
        let actor = hasty();
        let id = chain
            .begin(&actor, TransactionOptions::default())
            .await
            .unwrap();
        let insert = "INSERT INTO t VALUES (1)";
        chain
            .execute(&actor, Within::Session, insert, &[])
            .await
            .unwrap();
        let slow = endless(&opened);
        assert_statement_timeout(chain.query(&actor, Within::Session, slow, &[]).await);
        for within in [Within::Session, Within::Transaction(id)] {
            assert_statement_timeout(chain.query(&actor, within, "SELECT 1", &[]).await);
        }
        assert_statement_timeout(chain.commit(id).await);
        chain
            .query(&actor, Within::Session, "SELECT 1", &[])
            .await
            .unwrap();
        drop(chain);
        nothing_is_left(&opened).await;
        let count = opened.value("SELECT count(*) FROM t", &[]).await.unwrap();
        assert_eq!(count, Value::Int64(0));
    }
}

/// In one chain each statement has its own plugin's time.
#[tokio::test]
async fn a_callee_has_its_own_time() {
    for opened in both().await {
        let mut chain = opened.chain();
        let patient = everything();
        let id = chain
            .begin(&patient, TransactionOptions::default())
            .await
            .unwrap();
        chain
            .query(&hasty(), Within::Session, "SELECT 1", &[])
            .await
            .unwrap();
        // Twice as long as the callee may take, by who has the time.
        let long = match opened.backend() {
            Backend::Sqlite => {
                "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 3000000) SELECT count(*) FROM n"
            }
            Backend::Postgresql => "SELECT pg_sleep(0.3)",
        };
        chain
            .query(&patient, Within::Session, long, &[])
            .await
            .unwrap();
        let slow = endless(&opened);
        assert_statement_timeout(chain.query(&hasty(), Within::Session, slow, &[]).await);
        chain.rollback(id).await.unwrap();
        nothing_is_left(&opened).await;
    }
}

#[tokio::test]
async fn a_cursors_fetch_and_its_opening() {
    for opened in both().await {
        for joined in [false, true] {
            let mut chain = opened.chain();
            if joined {
                chain
                    .begin(&hasty(), TransactionOptions::default())
                    .await
                    .unwrap();
            }
            let slow = match opened.backend() {
                Backend::Sqlite => endless(&opened),
                // Rows first, so that it is a fetch that takes too long.
                Backend::Postgresql => {
                    "SELECT i, CASE WHEN i > 3000 THEN pg_sleep(600)::text END FROM generate_series(1, 5000) AS n (i)"
                }
            };
            let result = match chain
                .open_cursor(&hasty(), Within::Session, slow, &[])
                .await
            {
                Ok((cursor, _)) => loop {
                    match chain.fetch(cursor).await {
                        Ok(Some(_)) => {}
                        other => break other.map(drop),
                    }
                },
                Err(error) => Err(error),
            };
            assert_statement_timeout(result);
            chain.finish().await;
            drop(chain);
            nothing_is_left(&opened).await;
        }
    }
}

#[tokio::test]
async fn a_statement_for_many_rows_is_one() {
    for opened in both().await {
        opened.ddl("CREATE TABLE t (id INTEGER)").await;
        let sql = match opened.backend() {
            Backend::Sqlite => {
                "INSERT INTO t WITH RECURSIVE n (i) AS (VALUES ($1) UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000) SELECT max(i) FROM n"
            }
            Backend::Postgresql => "INSERT INTO t SELECT $1::int FROM (SELECT pg_sleep(0.1)) AS s",
        };
        let column = Column {
            validity: Vec::new(),
            values: Values::Int64((1..1_000).collect()),
        };
        let mut chain = opened.chain();
        let result = chain
            .execute_many(&hasty(), Within::Session, sql, &[column])
            .await;
        assert_statement_timeout(result);
        drop(chain);
        nothing_is_left(&opened).await;
        let count = opened.value("SELECT count(*) FROM t", &[]).await.unwrap();
        assert_eq!(count, Value::Int64(0));
    }
}

#[tokio::test]
async fn a_transaction_has_the_less_of_its_own_time_and_its_plugins() {
    let short = Duration::from_millis(60);
    for opened in both().await {
        for (limit, option) in [
            (Some(short), None),
            (Some(short), Some(Duration::from_secs(60))),
            (Some(Duration::from_secs(60)), Some(short)),
            (None, Some(short)),
        ] {
            let actor = Actor {
                transaction_timeout: limit,
                ..everything()
            };
            let options = TransactionOptions {
                timeout: option,
                ..TransactionOptions::default()
            };
            let mut chain = opened.chain();
            let id = chain.begin(&actor, options).await.unwrap();
            // Whose transaction it is matters, not whose statement.
            let slow = endless(&opened);
            let error = chain
                .query(&everything(), Within::Session, slow, &[])
                .await
                .unwrap_err();
            assert!(
                matches!(&error, Error::Timeout { kind: TimeoutKind::Transaction, limit, message }
                    if *limit == short && message.contains("transaction_timeout")),
                "{error:?}"
            );
            assert!(chain.commit(id).await.is_err());
            drop(chain);
            nothing_is_left(&opened).await;
        }
    }
}
