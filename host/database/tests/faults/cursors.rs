//! Owns faults under cursors and under statements for many rows: ways that break, servers that restart, leases taken
//! back, futures dropped anywhere; nothing is left on the server and the process does not grow.

use std::future::Future;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use poolhouse_database::{Actor, Column, CursorId, Error, TransactionOptions, Values, Within};
use poolhouse_test_postgres::Shutdown;
use poolhouse_test_postgres::proxy::{Fault, Reach, Side};

use crate::both::{eventually, everything};
use crate::settled::{Tested, counts, proxied, small, unavailable};
use crate::stoppable::Stoppable;

const MANY: &str =
    "SELECT i, 'need' || 'le' || i FROM (SELECT generate_series(1, 100000) AS i) AS n";

const SQLITE: &str = "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 100000) SELECT i, 'row ' || i FROM n";

async fn file(change: impl FnOnce(&mut poolhouse_database::Settings)) -> Tested {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("test.db").display());
    let mut settings = small(&url);
    change(&mut settings);
    Tested::open(settings, url, Some(folder)).await
}

async fn open(chain: &mut poolhouse_database::Chain, sql: &str) -> Result<CursorId, Error> {
    let actor = everything();
    let opening = chain.open_cursor(&actor, Within::Session, sql, &[]);
    opening.await.map(|(cursor, _)| cursor)
}

#[tokio::test]
async fn the_way_breaks_during_a_fetch() {
    let (proxy, tested) = proxied(|_| ()).await;
    for fault in [Fault::Cut, Fault::Reset] {
        for joined in [false, true] {
            for passes in [0, 10, 5_000] {
                let mut chain = tested.chain();
                let mut id = None;
                if joined {
                    let options = TransactionOptions::default();
                    id = Some(chain.begin(&everything(), options).await.unwrap());
                }
                let cursor = open(&mut chain, MANY).await.unwrap();
                proxy.trap(Side::Server, "needle", Reach::Answer(passes), fault);
                unavailable(chain.fetch(cursor).await);
                assert!(matches!(chain.fetch(cursor).await, Err(Error::Closed(_))));
                assert!(!chain.holds_connection());
                if let Some(id) = id {
                    unavailable(chain.commit(id).await);
                }
                chain.finish().await;
                eventually("it is closed", async || {
                    counts(&tested.database).is_settled()
                })
                .await;
            }
        }
        tested.settled_and_working().await;
    }
}

#[tokio::test]
async fn the_server_restarts_under_a_cursor() {
    let (mut server, tested) = Stoppable::start().await;
    for joined in [false, true] {
        let mut chain = tested.chain();
        if joined {
            let options = TransactionOptions::default();
            chain.begin(&everything(), options).await.unwrap();
        }
        let cursor = open(&mut chain, MANY).await.unwrap();
        chain.fetch(cursor).await.unwrap().unwrap();
        server.stop(Shutdown::Fast).await;
        server.start_again().await;
        unavailable(chain.fetch(cursor).await);
        chain.finish().await;
        tested.settled_and_working().await;
    }
}

#[tokio::test]
async fn a_lease_is_taken_back_under_a_cursor() {
    let limit = Duration::from_secs(2);
    let limited = move |settings: &mut poolhouse_database::Settings| {
        settings.pool.lease_timeout = Some(limit);
    };
    let (_proxy, postgresql) = proxied(limited).await;
    for (tested, sql) in [(&postgresql, MANY), (&file(limited).await, SQLITE)] {
        let mut chain = tested.chain();
        let cursor = open(&mut chain, sql).await.unwrap();
        chain.fetch(cursor).await.unwrap().unwrap();
        eventually("it is taken back", async || {
            counts(&tested.database).lent == 0
        })
        .await;
        // What had been read already may still come.
        let error = loop {
            match chain.fetch(cursor).await {
                Ok(batch) => assert!(batch.is_some(), "it ended as if it were complete"),
                Err(error) => break error,
            }
        };
        let (message, _) = unavailable::<()>(Err(error));
        assert!(message.contains("taken back"), "{message}");
        chain.finish().await;
        tested.settled_and_working().await;
    }
}

#[tokio::test]
async fn an_early_close_leaves_no_statement_on_the_server() {
    let (_proxy, tested) = proxied(|_| ()).await;
    let huge = "SELECT i FROM (SELECT generate_series(1, 2000000000) AS i) AS n";
    let left = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'poolhouse' AND state <> 'idle'";
    for dropped in [false, true] {
        let mut chain = tested.chain();
        let cursor = open(&mut chain, huge).await.unwrap();
        chain.fetch(cursor).await.unwrap().unwrap();
        assert_eq!(tested.number_past(left).await, 1);
        let closed = Instant::now();
        if dropped {
            drop(chain);
        } else {
            chain.close_cursor(cursor).await;
            assert_eq!(tested.number_past(left).await, 0);
        }
        eventually("nothing is left", async || {
            tested.number_past(left).await == 0
        })
        .await;
        assert!(
            closed.elapsed() < Duration::from_secs(1),
            "{:?}",
            closed.elapsed()
        );
    }
    tested.settled_and_working().await;
}

/// Polls a future so many times and drops it; true where it was done before.
async fn dropped_after<T>(polls: usize, future: impl Future<Output = T>) -> Option<T> {
    let mut future = std::pin::pin!(future);
    let mut left = polls;
    std::future::poll_fn(move |context: &mut Context<'_>| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}

#[tokio::test]
async fn dropped_at_every_await_nothing_is_lost() {
    let (_proxy, postgresql) = proxied(|_| ()).await;
    for (tested, sql) in [(&postgresql, MANY), (&file(|_| ()).await, SQLITE)] {
        tested.past("CREATE TABLE rows_of_many (id INTEGER)").await;
        let columns = [Column {
            validity: Vec::new(),
            values: Values::Int64((0..300).collect()),
        }];
        for joined in [false, true] {
            let mut polls = 0;
            loop {
                let mut chain = tested.chain();
                let work = async {
                    let actor = everything();
                    if joined {
                        let options = TransactionOptions::default();
                        chain.begin(&actor, options).await.unwrap();
                    }
                    let (cursor, _) = chain
                        .open_cursor(&actor, Within::Session, sql, &[])
                        .await
                        .unwrap();
                    for _ in 0..2 {
                        chain.fetch(cursor).await.unwrap().unwrap();
                    }
                    chain.close_cursor(cursor).await;
                    let insert = "INSERT INTO rows_of_many VALUES ($1)";
                    chain
                        .execute_many(&actor, Within::Session, insert, &columns)
                        .await
                        .unwrap();
                };
                let done = dropped_after(polls, work).await.is_some();
                chain.finish().await;
                drop(chain);
                // What is still being closed has a place in the pool, and a cursor asks for one at once.
                eventually("all is given back", async || {
                    counts(&tested.database).is_settled()
                })
                .await;
                if done {
                    break;
                }
                polls += 1 + polls / 16;
            }
            assert!(polls > 5);
        }
        // Whatever was dropped, each call's rows are all there or none of them.
        let rows = tested
            .number_past("SELECT count(*) FROM rows_of_many")
            .await;
        assert_eq!(rows % 300, 0, "{rows}");
        tested.settled_and_working().await;
    }
}

/// The largest that the process has been, in KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// In a process of its own, as the peak is the process's: see `a_million_rows_in_constant_memory`.
#[tokio::test]
#[ignore = "run by another test, in a process of its own"]
async fn a_million_rows() {
    let (_proxy, postgresql) = proxied(|_| ()).await;
    let wide = |sql: &str| {
        format!(
            "SELECT i, 'some text that is long enough to be seen ' || i AS t, i * 2 AS d FROM ({sql}) AS q"
        )
    };
    let numbers = "SELECT generate_series(1, 1000000) AS i";
    let recursive = "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 1000000) SELECT i FROM n";
    for (tested, sql) in [
        (&postgresql, wide(numbers)),
        (&file(|_| ()).await, wide(recursive)),
    ] {
        for joined in [false, true] {
            let mut chain = tested.chain();
            if joined {
                // However slow the machine is.
                let patient = Actor {
                    transaction_timeout: None,
                    ..everything()
                };
                let options = TransactionOptions::default();
                chain.begin(&patient, options).await.unwrap();
            }
            let mut before = 0;
            let (mut rows, mut batches) = (0_u64, 0);
            let cursor = open(&mut chain, &sql).await.unwrap();
            while let Some(batch) = chain.fetch(cursor).await.unwrap() {
                rows += u64::from(batch.rows);
                batches += 1;
                // The first batches size the buffers.
                if batches == 4 {
                    before = peak();
                }
            }
            assert_eq!(rows, 1_000_000);
            let grown = peak().saturating_sub(before);
            println!(
                "{:?} joined {joined}: {batches} batches, {grown} KiB more",
                tested.database.backend()
            );
            assert!(grown < 16 * 1024, "{grown} KiB");
            chain.finish().await;
        }
    }
}

#[tokio::test]
async fn a_million_rows_in_constant_memory() {
    let this = std::env::current_exe().unwrap();
    let run = move || {
        std::process::Command::new(this)
            .args([
                "--ignored",
                "--exact",
                "cursors::a_million_rows",
                "--nocapture",
            ])
            .output()
            .unwrap()
    };
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
