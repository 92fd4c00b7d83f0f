//! Owns what a chain says of the database's health: in a transaction, with no connection free, and without an answer.

use std::time::Duration;

use poolhouse_database::{
    Acquire, Backend, Chain, Database, Error, TransactionOptions, Value, Within,
};
use tokio::time::Instant;

use crate::both::{Opened, both, everything, open, rows, settings};
use crate::server::server;

/// A database whose pool lends one connection.
fn one(url: &str) -> Database {
    let mut settings = settings(url);
    settings.pool.pool_size = 1;
    settings.pool.max_overflow = 0;
    Database::open(settings).unwrap()
}

async fn table(opened: &Opened) {
    opened.ddl("CREATE TABLE t (id INTEGER PRIMARY KEY)").await;
}

#[tokio::test]
async fn in_a_transaction_it_asks_over_the_chains_own_connection() {
    for opened in both().await {
        table(&opened).await;
        let database = one(&opened.url);
        let actor = everything();
        let mut chain = Chain::new(database.clone(), 1, None);
        for acquire in [Acquire::Queue, Acquire::AtOnce] {
            chain.set_acquire(acquire);
            let health = chain.health(&everything()).await;
            assert!(health.up && health.message.is_empty(), "{health:?}");
        }
        let id = chain
            .begin(&actor, TransactionOptions::default())
            .await
            .unwrap();
        let insert = "INSERT INTO t VALUES (1)";
        chain
            .execute(&actor, Within::Session, insert, &[])
            .await
            .unwrap();
        let savepoint = chain.savepoint(&actor, id).await.unwrap();
        chain
            .execute(&actor, Within::Session, insert, &[])
            .await
            .unwrap_err();
        // On PostgreSQL it is aborted now.
        let health = chain.health(&everything()).await;
        assert!(
            health.up && health.message.is_empty() && health.error.is_none(),
            "{health:?}"
        );
        assert!(
            health.version.contains('.') && health.backend == opened.backend(),
            "{health:?}"
        );
        assert!(health.latency < Duration::from_secs(1), "{health:?}");
        chain.rollback(savepoint).await.unwrap();
        assert!(chain.health(&everything()).await.up);
        let answer = chain
            .query(&actor, Within::Session, "SELECT id FROM t", &[])
            .await
            .unwrap();
        assert_eq!(rows(&answer), [[Value::Int64(1)]]);
        chain.commit(id).await.unwrap();
        assert_eq!(
            opened.value("SELECT count(*) FROM t", &[]).await.unwrap(),
            Value::Int64(1)
        );
        assert_eq!(database.stats().most_checked_out, 1);
        assert_eq!(database.close(Duration::from_secs(5)).await, 0);
    }
}

#[tokio::test]
async fn with_every_connection_lent_out_the_others_answers_count() {
    for opened in both().await {
        let database = one(&opened.url);
        let actor = everything();
        let mut holder = Chain::new(database.clone(), 1, None);
        let id = holder
            .begin(&actor, TransactionOptions::default())
            .await
            .unwrap();
        let mut chain = Chain::new(database.clone(), 2, None);
        chain.set_acquire(Acquire::AtOnce);
        let health = chain.health(&everything()).await;
        assert!(health.up && health.error.is_none(), "{health:?}");
        assert!(
            health.message.contains("1 are lent out") && health.message.contains("answered"),
            "{health:?}"
        );
        // Nothing has answered for a while: nobody knows.
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(6)).await;
        tokio::time::resume();
        let health = chain.health(&everything()).await;
        assert!(!health.up, "{health:?}");
        assert!(
            matches!(health.error, Some(Error::PoolExhausted { .. })),
            "{health:?}"
        );
        assert!(health.message.contains("not known"), "{health:?}");
        assert!(holder.health(&everything()).await.up);
        assert!(chain.health(&everything()).await.up);
        holder.rollback(id).await.unwrap();
        assert!(chain.health(&everything()).await.message.is_empty());
        assert_eq!(database.close(Duration::from_secs(5)).await, 0);
    }
}

#[tokio::test]
async fn without_an_answer_it_is_down_in_time_and_the_transaction_lost() {
    for (begin, deadline, bound) in [
        (true, None, 5),
        (true, Some(2), 2),
        (false, None, 5),
        (false, Some(2), 2),
    ] {
        let (proxy, url) = server().proxied().await;
        let database = open(&url);
        let deadline = deadline.map(|seconds| Instant::now() + Duration::from_secs(seconds));
        let mut chain = Chain::new(database.clone(), 1, deadline);
        if begin {
            chain
                .begin(&everything(), TransactionOptions::default())
                .await
                .unwrap();
        }
        proxy.fall_silent();
        tokio::time::pause();
        let started = Instant::now();
        let health = chain.health(&everything()).await;
        let took = started.elapsed();
        assert!(
            !health.up && health.backend == Backend::Postgresql,
            "{health:?}"
        );
        assert!(health.message.contains("did not answer"), "{health:?}");
        assert!(
            took <= Duration::from_millis(bound * 1_000 + 10),
            "{took:?}"
        );
        assert!(!chain.holds_connection());
        chain.finish().await;
        tokio::time::sleep(Duration::from_secs(60)).await;
        let stats = database.stats();
        assert_eq!((stats.checked_out, stats.closing), (0, 0), "{stats:?}");
        tokio::time::resume();
    }
}
