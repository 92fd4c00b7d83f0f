//! Owns faults of SQLite that only a statement past the check can make: a full disk and a lock of the connection's own.

use poolhouse_pool::Request;

use crate::actor::{Actor, Within};
use crate::chain::Chain;
use crate::database::{Database, Settings};
use crate::error::{ConflictKind, Error, UnavailableReason};
use crate::grants::{Grants, Tables};
use crate::statement::Failed;
use crate::transaction::TransactionOptions;
use crate::url::DatabaseUrl;

const FILL: &str = "INSERT INTO t VALUES (randomblob(100000))";

/// A pool of one connection to a file with one table.
async fn one() -> (tempfile::TempDir, Database) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("test.db").display());
    let mut settings = Settings::new(DatabaseUrl::parse(&url).unwrap());
    (settings.pool.pool_size, settings.pool.max_overflow) = (1, 0);
    let database = Database::open(settings).unwrap();
    past(&database, "CREATE TABLE t (data BLOB)").await.unwrap();
    (folder, database)
}

/// Runs something on the one connection past every check, and leaves it as it is.
async fn past(database: &Database, sql: &str) -> Result<(), Failed> {
    let own = database.own();
    let lease = own.acquire(database, &Request::default()).await;
    let mut lease = lease.unwrap();
    let mut operation = lease.operation(None).unwrap();
    let result = operation.batch(sql).await;
    operation.complete();
    lease.release().await;
    result
}

fn actor() -> Actor {
    Actor::new(
        "tester",
        Grants {
            read: Tables::All,
            write: Tables::All,
            migrate: false,
            ..Grants::default()
        },
    )
}

#[track_caller]
fn is_full<T: std::fmt::Debug>(result: Result<T, Error>) {
    let Err(Error::Unavailable {
        reason: UnavailableReason::File,
        message,
        outcome_unknown: false,
    }) = result
    else {
        panic!("{result:?}")
    };
    assert!(
        message.contains("no room to grow") && message.contains("test.db"),
        "{message}"
    );
}

#[tokio::test]
async fn the_disk_is_full() {
    let (_folder, database) = one().await;
    let actor = actor();
    let mut chain = Chain::new(database.clone(), 1, None);
    chain
        .execute(&actor, Within::Session, FILL, &[])
        .await
        .unwrap();
    past(&database, "PRAGMA max_page_count = 30").await.unwrap();
    is_full(chain.execute(&actor, Within::Session, FILL, &[]).await);
    let id = chain
        .begin(&actor, TransactionOptions::default())
        .await
        .unwrap();
    is_full(chain.execute(&actor, Within::Session, FILL, &[]).await);
    // Whether the transaction survived it or not, the answer is its own; and it can be ended.
    let count = "SELECT count(*) FROM t";
    let again = chain.query(&actor, Within::Session, count, &[]).await;
    assert!(matches!(again, Ok(_) | Err(Error::Closed(_))), "{again:?}");
    chain.rollback(id).await.unwrap();
    // Reading goes on, and writing where there is room again.
    chain
        .query(&actor, Within::Session, count, &[])
        .await
        .unwrap();
    past(&database, "PRAGMA max_page_count = 1073741823")
        .await
        .unwrap();
    let answer = chain.execute(&actor, Within::Session, FILL, &[]).await;
    assert_eq!(answer, Ok(1));
    let stats = database.stats();
    assert_eq!((stats.checked_in, stats.total(), stats.opened), (1, 1, 1));
}

#[tokio::test]
async fn a_lock_of_its_own_is_a_conflict() {
    let (_folder, database) = one().await;
    let checkpoint = "BEGIN IMMEDIATE; INSERT INTO t VALUES (1); PRAGMA wal_checkpoint(TRUNCATE)";
    let failed = past(&database, checkpoint).await.unwrap_err();
    assert!(failed.refused && !failed.broken, "{failed:?}");
    let Error::Conflict {
        kind: ConflictKind::Busy,
        message,
    } = failed.error
    else {
        panic!("{:?}", failed.error)
    };
    assert!(message.contains("table is locked"), "{message}");
    past(&database, "ROLLBACK").await.unwrap();
    let mut chain = Chain::new(database, 1, None);
    let actor = actor();
    let answer = chain.execute(&actor, Within::Session, FILL, &[]).await;
    assert_eq!(answer, Ok(1));
}
