//! Owns what can go wrong with an SQLite file while it is in use.

use std::time::{Duration, Instant};

use poolhouse_database::{
    ConflictKind, Error, Settings, TransactionOptions, UnavailableReason, Value, Within,
};
use sqlx::Executor;

use crate::both::{eventually, everything};
use crate::settled::{INSERT, Tested, counts, query, small, unavailable};

/// A machine's slowness, in which a wait counts as none.
const SOON: Duration = Duration::from_secs(2);

async fn file(busy_timeout: Duration) -> Tested {
    file_with(|settings| settings.busy_timeout = busy_timeout).await
}

async fn file_with(change: impl FnOnce(&mut Settings)) -> Tested {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("test.db").display());
    let mut settings = small(&url);
    change(&mut settings);
    Tested::open(settings, url, Some(folder)).await
}

async fn insert(tested: &Tested) -> Result<u64, Error> {
    tested
        .chain()
        .execute(&everything(), Within::Session, INSERT, &[])
        .await
}

#[track_caller]
fn is_busy<T: std::fmt::Debug>(result: Result<T, Error>) {
    let Err(Error::Conflict {
        kind: ConflictKind::Busy,
        message,
    }) = result
    else {
        panic!("not `conflict` but {result:?}")
    };
    assert!(
        message.contains("test.db") && message.contains("locked"),
        "{message}"
    );
}

#[tokio::test]
async fn another_writer_ends_within_busy_timeout() {
    let tested = file(Duration::from_secs(30)).await;
    let mut other = tested.sqlite().await;
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    let (mut alone, mut within) = (tested.chain(), tested.chain());
    let tasks = [
        tokio::spawn(async move {
            alone
                .execute(&everything(), Within::Session, INSERT, &[])
                .await
                .map(|_| ())
        }),
        tokio::spawn(async move {
            let actor = everything();
            let id = within.begin(&actor, TransactionOptions::default()).await?;
            within.execute(&actor, Within::Session, INSERT, &[]).await?;
            within.commit(id).await
        }),
    ];
    eventually("both wait with a connection", async || {
        counts(&tested.database).lent == 2
    })
    .await;
    // Who only reads waits for nobody.
    tested.query("SELECT id FROM t").await.unwrap();
    assert!(tasks.iter().all(|task| !task.is_finished()));
    other.execute("COMMIT").await.unwrap();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(tested.number_past("SELECT count(*) FROM t").await, 2);
    tested.settled_and_working().await;
}

#[tokio::test]
async fn another_writer_stays_beyond_busy_timeout() {
    let timeout = Duration::from_millis(200);
    let tested = file(timeout).await;
    tested.fill().await;
    let opened = counts(&tested.database).opened;
    let mut other = tested.sqlite().await;
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    let actor = everything();
    for begin in [false, true] {
        let asked = Instant::now();
        if begin {
            let mut chain = tested.chain();
            is_busy(chain.begin(&actor, TransactionOptions::default()).await);
            assert!(!chain.holds_connection());
        } else {
            is_busy(insert(&tested).await);
        }
        let took = asked.elapsed();
        assert!((timeout..SOON).contains(&took), "{took:?}");
    }
    // It cost no connection, and nobody who reads.
    tested.query("SELECT id FROM t").await.unwrap();
    assert_eq!(counts(&tested.database).opened, opened);
    other.execute("ROLLBACK").await.unwrap();
    assert_eq!(tested.number_past("SELECT count(*) FROM t").await, 0);
    tested.settled_and_working().await;
}

#[tokio::test]
async fn a_table_is_dropped_while_it_is_read() {
    let tested = file(Duration::from_secs(5)).await;
    insert(&tested).await.unwrap();
    let mut reader = tested.chain();
    let options = TransactionOptions {
        read_only: true,
        ..TransactionOptions::default()
    };
    let id = reader.begin(&everything(), options).await.unwrap();
    let one = vec![vec![Value::Int64(1)]];
    assert_eq!(query(&mut reader, "SELECT id FROM t").await.unwrap(), one);
    tested.past("DROP TABLE t").await;
    // It sees what it saw.
    assert_eq!(query(&mut reader, "SELECT id FROM t").await.unwrap(), one);
    reader.commit(id).await.unwrap();
    let error = query(&mut reader, "SELECT id FROM t").await.unwrap_err();
    assert!(
        matches!(&error, Error::Statement { message, .. } if message.contains("no such table")),
        "{error:?}"
    );
    tested.settled_and_working().await;
}

#[tokio::test]
async fn a_file_is_read_only() {
    let tested = file(Duration::from_secs(5)).await;
    insert(&tested).await.unwrap();
    let settings = small(&format!("{}?mode=ro", tested.direct));
    let reading = poolhouse_database::Database::open(settings).unwrap();
    let mut chain = poolhouse_database::Chain::new(reading.clone(), 1, None);
    let actor = everything();
    for _ in 0..2 {
        let result = chain.execute(&actor, Within::Session, INSERT, &[]).await;
        assert!(matches!(
            result,
            Err(Error::Unavailable {
                reason: UnavailableReason::File,
                ..
            })
        ));
        let (message, outcome_unknown) = unavailable(result);
        assert!(
            !outcome_unknown && message.contains("test.db") && message.contains("written"),
            "{message}"
        );
        assert_eq!(
            query(&mut chain, "SELECT id FROM t").await.unwrap().len(),
            1
        );
    }
    let stats = counts(&reading);
    assert_eq!((stats.idle, stats.opened), (1, 1), "{stats:?}");
    assert_eq!(reading.close(Duration::from_secs(5)).await, 0);
    tested.settled_and_working().await;
}

#[tokio::test]
async fn a_file_is_damaged_and_put_back() {
    let tested = file(Duration::from_secs(5)).await;
    insert(&tested).await.unwrap();
    tested.past("PRAGMA wal_checkpoint(TRUNCATE)").await;
    assert_eq!(tested.database.close(Duration::from_secs(5)).await, 0);
    let path = tested.folder().join("test.db");
    let sound = std::fs::read(&path).unwrap();
    let mut damaged = sound.clone();
    damaged[..4_096].fill(b'x');
    std::fs::write(&path, &damaged).unwrap();
    let again = Tested::open_as_it_is(small(&tested.direct), tested.direct.clone(), None);
    let (message, _) = unavailable(again.query("SELECT id FROM t").await);
    assert!(message.contains("test.db"), "{message}");
    std::fs::write(&path, &sound).unwrap();
    again.settled_and_working().await;
}

/// The driver runs SQLite on a thread of its own, which dies where a column was added under a prepared `SELECT *`:
/// there is no other way to kill it from outside. A connection that is pinged notices in time.
#[tokio::test]
async fn the_drivers_worker_dies() {
    let tested = file_with(|settings| settings.pool.pool_pre_ping = false).await;
    insert(&tested).await.unwrap();
    let all = "SELECT * FROM t";
    for in_transaction in [false, true] {
        let mut chain = tested.chain();
        query(&mut chain, all).await.unwrap();
        tested
            .past(&format!(
                "ALTER TABLE t ADD COLUMN after_{in_transaction} TEXT"
            ))
            .await;
        let id = if in_transaction {
            let options = TransactionOptions::default();
            Some(chain.begin(&everything(), options).await.unwrap())
        } else {
            None
        };
        let (message, outcome_unknown) = unavailable(query(&mut chain, all).await);
        assert!(
            !outcome_unknown && message.contains("run it again"),
            "{message}"
        );
        if let Some(id) = id {
            unavailable(query(&mut chain, "SELECT 1").await);
            unavailable(chain.commit(id).await);
        }
        query(&mut chain, all).await.unwrap();
        tested.settled_and_working().await;
    }
}

#[tokio::test]
async fn a_statement_is_dropped_halfway() {
    let tested = file(Duration::from_secs(5)).await;
    let endless =
        "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n) SELECT i FROM n";
    for in_transaction in [false, true] {
        let mut chain = tested.chain();
        if in_transaction {
            let options = TransactionOptions::default();
            chain.begin(&everything(), options).await.unwrap();
            chain
                .execute(&everything(), Within::Session, INSERT, &[])
                .await
                .unwrap();
        }
        let mut actor = everything();
        actor.max_rows = u64::MAX;
        let reading = chain.query(&actor, Within::Session, endless, &[]);
        assert!(
            tokio::time::timeout(Duration::from_millis(50), reading)
                .await
                .is_err()
        );
        drop(chain);
        tested.settled_and_working().await;
        assert_eq!(tested.number_past("SELECT count(*) FROM t").await, 0);
    }
}
