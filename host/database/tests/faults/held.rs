//! Owns connections held past their deadline: cancelled on the server, taken back and closed, and said so truly.

use std::time::{Duration, Instant};

use poolhouse_database::{Settings, TransactionOptions, Value, Within};
use poolhouse_test_postgres::proxy::{Fault, Reach, Side};

use crate::both::{eventually, everything};
use crate::settled::{Tested, counts, proxied, query, small, unavailable};

const LIMIT: Duration = Duration::from_millis(300);

const ENDLESS: &str =
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";

fn limited(settings: &mut Settings) {
    settings.pool.lease_timeout = Some(LIMIT);
}

async fn file() -> Tested {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("test.db").display());
    let mut settings = small(&url);
    limited(&mut settings);
    Tested::open(settings, url, Some(folder)).await
}

/// The holder does nothing, and holds a transaction open.
async fn idle_holder(tested: &Tested) {
    for commits in [false, true] {
        let (mut chain, id) = tested.writing().await;
        eventually("it is taken back", async || {
            counts(&tested.database).lent == 0
        })
        .await;
        let (message, outcome_unknown) = if commits {
            unavailable(chain.commit(id).await)
        } else {
            unavailable(query(&mut chain, "SELECT 1").await)
        };
        assert!(
            !outcome_unknown && message.contains("rolled back"),
            "{message}"
        );
        chain.finish().await;
        assert_eq!(tested.number_past("SELECT count(*) FROM t").await, 0);
    }
    let held = tested.database.stats().revoked;
    assert_eq!(held, 2);
    tested.settled_and_working().await;
}

/// The holder waits for a statement that takes for ever.
async fn busy_holder(tested: &Tested, endless: &str) {
    let started = Instant::now();
    let (message, outcome_unknown) = unavailable(query(&mut tested.chain(), endless).await);
    assert!(!outcome_unknown, "{message}");
    let mut chain = tested.chain();
    let id = chain
        .begin(&everything(), TransactionOptions::default())
        .await
        .unwrap();
    let (message, _) = unavailable(query(&mut chain, endless).await);
    assert!(message.contains("taken back"), "{message}");
    let _ = chain.rollback(id).await;
    assert!(started.elapsed() < LIMIT * 20, "{:?}", started.elapsed());
    eventually("they are closed", async || {
        counts(&tested.database).lent == 0
    })
    .await;
}

#[tokio::test]
async fn a_transaction_that_is_held_and_not_used_is_taken_back() {
    let (_proxy, tested) = proxied(limited).await;
    idle_holder(&tested).await;
    idle_holder(&file().await).await;
}

#[tokio::test]
async fn a_statement_without_end_is_cancelled_on_the_server() {
    let (_proxy, tested) = proxied(limited).await;
    busy_holder(&tested, "SELECT pg_sleep(3600)").await;
    eventually("the server has stopped", async || {
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%pg_sleep(3600)' AND pid <> pg_backend_pid()";
        tested.number_past(sql).await == 0
    })
    .await;
    tested.settled_and_working().await;
    let tested = file().await;
    busy_holder(&tested, ENDLESS).await;
    tested.settled_and_working().await;
}

/// The thread is busy from the moment the lease is taken back until the database said that the statement is cancelled.
#[tokio::test]
async fn the_error_of_a_cancelled_statement_hides_no_reason() {
    let tested = file().await;
    let database = tested.database.clone();
    let busy = tokio::spawn(async move {
        for taken_back in 1..=2 {
            while database.stats().revoked < taken_back {
                tokio::task::yield_now().await;
            }
            tokio::spawn(async { std::thread::sleep(LIMIT) });
        }
    });
    busy_holder(&tested, ENDLESS).await;
    busy.await.unwrap();
    tested.settled_and_working().await;
}

#[tokio::test]
async fn a_commit_taken_back_under_way_is_unknown() {
    let (proxy, tested) = proxied(limited).await;
    for (reach, rows) in [(Reach::Nowhere, 0), (Reach::Answer(0), 1)] {
        let (mut chain, id) = tested.writing().await;
        proxy.trap(Side::Client, "COMMIT", reach, Fault::Silence);
        let (message, outcome_unknown) = unavailable(chain.commit(id).await);
        assert!(
            outcome_unknown && message.contains("taken back") && message.contains("not known"),
            "{reach:?}: {message}"
        );
        proxy.heal();
        tested.settled_and_working().await;
        assert_eq!(tested.number_past("SELECT count(*) FROM t").await, rows);
        tested.past("TRUNCATE t").await;
    }
}

#[tokio::test]
async fn a_write_taken_back_under_way_is_unknown() {
    let (proxy, tested) = proxied(limited).await;
    let values = [Value::Text("the-note".to_owned())];
    proxy.trap(Side::Client, "the-note", Reach::Answer(0), Fault::Silence);
    let result = tested
        .chain()
        .execute(
            &everything(),
            Within::Session,
            "INSERT INTO t (note) VALUES ($1)",
            &values,
        )
        .await;
    let (message, outcome_unknown) = unavailable(result);
    assert!(
        outcome_unknown && message.contains("not known"),
        "{message}"
    );
    proxy.heal();
    tested.settled_and_working().await;
    assert_eq!(tested.number_past("SELECT count(*) FROM t").await, 1);
}

#[tokio::test]
async fn closing_takes_back_what_is_held() {
    let (_proxy, tested) = proxied(|_| ()).await;
    let mut chain = tested.chain();
    let id = chain
        .begin(&everything(), TransactionOptions::default())
        .await
        .unwrap();
    let sleeping = tokio::spawn(async move {
        let mut chain = chain;
        let slept = query(&mut chain, "SELECT pg_sleep(3600)").await;
        (slept, chain.commit(id).await)
    });
    eventually("it sleeps", async || {
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'";
        tested.number_past(sql).await == 1
    })
    .await;
    let left = tested.database.close(Duration::from_millis(100)).await;
    assert_eq!(left, 0);
    let (slept, committed) = sleeping.await.unwrap();
    let (message, outcome_unknown) = unavailable(slept);
    assert!(
        !outcome_unknown && message.contains("stopping"),
        "{message}"
    );
    assert!(committed.is_err());
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'poolhouse%'";
    let gone = Instant::now() + Duration::from_secs(1);
    while tested.number_past(sql).await > 0 {
        assert!(Instant::now() < gone, "still connected");
    }
}
