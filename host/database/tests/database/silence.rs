//! Owns a server that stops answering with its sockets open: everything ends within its bound, and says what is known.
//!
//! Once the way is silent the clock is paused: with nothing left to arrive it jumps from bound to bound.

use std::time::Duration;

use poolhouse_database::{
    Acquire, Chain, Database, Error, Migration, MigrationError, TimeoutKind, TransactionId,
    TransactionOptions, Within,
};
use poolhouse_test_postgres::proxy::Proxy;
use tokio::time::Instant;

use crate::both::{everything, open};
use crate::server::server;

const DEADLINE: Duration = Duration::from_secs(2);

/// What a chain may take beyond its deadline, and a little for the timers' own steps.
const GRACE: Duration = Duration::from_millis(5_100);

/// What it may take without one.
const WITHOUT: Duration = Duration::from_millis(30_100);

/// Longer than every bound.
const FOR_EVER: Duration = Duration::from_secs(3_600);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Work {
    Begin,
    Savepoint,
    Release,
    RollbackTo,
    Rollback,
    Commit,
    Finish,
}

struct Silenced {
    _proxy: Proxy,
    database: Database,
    chain: Chain,
    transaction: Option<TransactionId>,
    savepoint: Option<TransactionId>,
}

/// A chain with as many levels open as asked for, and then nothing answers any more.
async fn silenced(deadline: Option<Duration>, levels: usize) -> Silenced {
    let (proxy, url) = server().proxied().await;
    let database = open(&url);
    let mut warm = Chain::new(database.clone(), 1, None);
    warm.query(&everything(), Within::Session, "SELECT 1", &[])
        .await
        .unwrap();
    let deadline = deadline.map(|deadline| Instant::now() + deadline);
    let mut chain = Chain::new(database.clone(), 2, deadline);
    let mut ids = Vec::new();
    for _ in 0..levels {
        let options = TransactionOptions::default();
        ids.push(chain.begin(&everything(), options).await.unwrap());
    }
    proxy.fall_silent();
    tokio::time::pause();
    Silenced {
        _proxy: proxy,
        database,
        chain,
        transaction: ids.first().copied(),
        savepoint: ids.get(1).copied(),
    }
}

async fn run(work: Work, silenced: &mut Silenced) -> Result<(), Error> {
    let actor = everything();
    let Silenced {
        chain,
        transaction,
        savepoint,
        ..
    } = silenced;
    let begin = TransactionOptions::default();
    match work {
        Work::Begin => chain.begin(&actor, begin).await.map(|_| ()),
        Work::Savepoint => chain
            .savepoint(&actor, transaction.unwrap())
            .await
            .map(|_| ()),
        Work::Release => chain.commit(savepoint.unwrap()).await,
        Work::RollbackTo => chain.rollback(savepoint.unwrap()).await,
        Work::Rollback => chain.rollback(transaction.unwrap()).await,
        Work::Commit => chain.commit(transaction.unwrap()).await,
        Work::Finish => {
            chain.finish().await;
            Ok(())
        }
    }
}

#[tokio::test]
async fn what_a_chain_does_of_its_own_is_bounded() {
    for (work, levels) in [
        (Work::Begin, 0),
        (Work::Savepoint, 1),
        (Work::Release, 2),
        (Work::RollbackTo, 2),
        (Work::Rollback, 1),
        (Work::Commit, 1),
        (Work::Finish, 2),
    ] {
        for deadline in [Some(DEADLINE), None] {
            let mut silenced = silenced(deadline, levels).await;
            let started = Instant::now();
            let result = tokio::time::timeout(FOR_EVER, run(work, &mut silenced)).await;
            let took = started.elapsed();
            let result = result.unwrap_or_else(|_| panic!("{work:?} {deadline:?} never ends"));
            let bound = deadline.map_or(WITHOUT, |deadline| deadline + GRACE);
            assert!(took <= bound, "{work:?} {deadline:?}: {took:?}");
            match (work, &result) {
                (Work::Finish, Ok(())) => {}
                (Work::Begin, Err(Error::Timeout { kind, .. })) if deadline.is_some() => {
                    assert_eq!(*kind, TimeoutKind::Call);
                }
                (
                    _,
                    Err(Error::Unavailable {
                        outcome_unknown,
                        message,
                        ..
                    }),
                ) => {
                    assert_eq!(*outcome_unknown, work == Work::Commit, "{work:?}");
                    assert!(message.contains("did not answer"), "{work:?}: {message}");
                    assert_eq!(message.contains("not known"), work == Work::Commit);
                }
                _ => panic!("{work:?} {deadline:?}: {result:?}"),
            }
            assert!(!silenced.chain.holds_connection(), "{work:?}");
            // What is left of the chain ends without another wait.
            let started = Instant::now();
            silenced.chain.finish().await;
            assert!(
                started.elapsed() <= Duration::from_millis(1),
                "{:?}",
                started.elapsed()
            );
            let left = silenced.database.close(Duration::from_secs(60)).await;
            assert_eq!(left, 0, "{work:?}");
            tokio::time::resume();
        }
    }
}

#[tokio::test]
async fn past_its_deadline_a_rollback_still_has_its_time() {
    let (_, url) = server().proxied().await;
    let database = open(&url);
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut chain = Chain::new(database.clone(), 1, Some(deadline));
    chain
        .begin(&everything(), TransactionOptions::default())
        .await
        .unwrap();
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(65)).await;
    tokio::time::resume();
    chain.finish().await;
    let stats = database.stats();
    assert_eq!((stats.checked_in, stats.closing), (1, 0), "{stats:?}");
}

#[tokio::test]
async fn statements_end_at_the_deadline() {
    for levels in [0, 1] {
        for writes in [false, true] {
            let mut silenced = silenced(Some(DEADLINE), levels).await;
            let chain = &mut silenced.chain;
            let started = Instant::now();
            let actor = everything();
            let work = async {
                if writes {
                    let sql = "DELETE FROM t";
                    chain
                        .execute(&actor, Within::Session, sql, &[])
                        .await
                        .map(|_| ())
                } else {
                    let sql = "SELECT 1";
                    chain
                        .query(&actor, Within::Session, sql, &[])
                        .await
                        .map(|_| ())
                }
            };
            let error = tokio::time::timeout(FOR_EVER, work)
                .await
                .unwrap()
                .unwrap_err();
            assert!(
                started.elapsed() <= DEADLINE + GRACE,
                "{:?}",
                started.elapsed()
            );
            let Error::Timeout {
                kind: TimeoutKind::Call,
                message,
                ..
            } = error
            else {
                panic!("{error:?}")
            };
            // By itself a write may have been done before the answer was lost.
            assert_eq!(
                message.contains("not known"),
                writes && levels == 0,
                "{message}"
            );
            assert_eq!(silenced.database.close(Duration::from_secs(60)).await, 0);
            tokio::time::resume();
        }
    }
}

#[tokio::test]
async fn a_connection_taken_at_once_is_opened_before_the_deadline() {
    let (proxy, url) = server().proxied().await;
    let database = open(&url);
    proxy.fall_silent();
    tokio::time::pause();
    let deadline = Instant::now() + DEADLINE;
    let mut chain = Chain::new(database.clone(), 1, Some(deadline));
    chain.set_acquire(Acquire::AtOnce);
    let error = chain
        .query(&everything(), Within::Session, "SELECT 1", &[])
        .await
        .unwrap_err();
    assert!(Instant::now() <= deadline + GRACE);
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
}

#[tokio::test]
async fn migrations_are_bounded() {
    let mut silenced = silenced(None, 0).await;
    silenced.chain.finish().await;
    let migration = Migration {
        number: 1,
        name: "first".to_owned(),
        tables: Vec::new(),
        statements: vec!["CREATE TABLE orders (id INTEGER)".to_owned()],
    };
    let actor = everything();
    let migrations = [migration];
    let work = silenced
        .database
        .migrate(&actor.plugin, &actor.grants, &migrations);
    let started = Instant::now();
    let error = tokio::time::timeout(FOR_EVER, work)
        .await
        .expect("the migrations never end")
        .unwrap_err();
    assert!(
        started.elapsed() <= Duration::from_millis(60_100),
        "{:?}",
        started.elapsed()
    );
    assert!(
        matches!(&error, MigrationError::Database { .. }),
        "{error:?}"
    );
    assert!(error.to_string().contains("60s"), "{error}");
    assert_eq!(silenced.database.close(Duration::from_secs(60)).await, 0);
}
