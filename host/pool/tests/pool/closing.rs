//! The end of a pool: bounded, whoever holds or waits for what.

use std::time::Duration;

use poolhouse_pool::{AcquireError, Request};
use tokio::time::Instant;

use crate::stub::{Behaviour, acquire, acquire_at_once, ask, options, pool, quiet, seconds, take};

#[tokio::test(start_paused = true)]
async fn closing_turns_waiters_and_newcomers_away() {
    let (pool, _) = pool(options(1, 0));
    let lease = take(&pool).await;
    let waiter = ask(&pool).await;
    let closing = tokio::spawn({
        let pool = pool.clone();
        async move { pool.close(seconds(20)).await }
    });
    assert!(matches!(waiter.await.unwrap(), Err(AcquireError::Closed)));
    assert!(matches!(
        acquire(&pool, Request::default()).await,
        Err(AcquireError::Closed)
    ));
    assert!(matches!(
        acquire_at_once(&pool).await,
        Err(AcquireError::Closed)
    ));
    tokio::time::sleep(seconds(5)).await;
    assert!(!closing.is_finished(), "it waits for the lease");
    drop(lease);
    assert_eq!(closing.await.unwrap(), 0);
    assert_eq!(pool.close(seconds(20)).await, 0, "again, and at once");
}

#[tokio::test(start_paused = true)]
async fn closing_waits_for_no_longer_than_it_is_told() {
    let (pool, script) = pool(options(3, 0));
    let (first, second) = (take(&pool).await, take(&pool).await);
    take(&pool).await.release().await;
    let started = Instant::now();
    // Those that nothing is done with are taken back at the deadline; the one in mid-operation is cancelled, in vain.
    script.cancel.does(Behaviour::Hang);
    let (mut touched, mut silent) = (first, second);
    touched.touch();
    let operation = silent.operation(None).unwrap();
    assert_eq!(pool.close(seconds(3)).await, 1);
    assert_eq!(
        started.elapsed(),
        seconds(8),
        "3 s, and close_timeout for those revoked"
    );
    assert_eq!(
        (script.cancel.count(), script.close.count(), script.open()),
        (1, 2, 1)
    );
    assert!(touched.operation(None).is_err() && !touched.is_usable());
    // What comes back later is closed all the same, without a reset.
    operation.complete();
    drop((touched, silent));
    assert_eq!(pool.close(seconds(3)).await, 0);
    assert_eq!(
        (script.open(), script.reset.count(), script.close.count()),
        (0, 0, 3)
    );
}

#[tokio::test(start_paused = true)]
async fn closing_closes_idle_connections_and_bounds_each() {
    let (pool, script) = pool(options(3, 0));
    drop((take(&pool).await, take(&pool).await, take(&pool).await));
    script.close.does(Behaviour::Hang);
    let started = Instant::now();
    assert_eq!(pool.close(seconds(20)).await, 0);
    assert_eq!(
        started.elapsed(),
        seconds(5),
        "all at the same time, each within close_timeout"
    );
    assert_eq!((script.close.count(), script.open()), (3, 0));
}

#[tokio::test(start_paused = true)]
async fn closing_ends_connects_that_hang() {
    let (pool, script) = pool(options(3, 0));
    script.connect.does(Behaviour::Hang);
    let waiter = ask(&pool).await;
    let started = Instant::now();
    assert_eq!(pool.close(seconds(20)).await, 0);
    assert_eq!(started.elapsed(), Duration::ZERO);
    assert!(matches!(waiter.await.unwrap(), Err(AcquireError::Closed)));
    assert_eq!(script.open(), 0);
}

#[tokio::test(start_paused = true)]
async fn closing_goes_on_when_it_is_no_longer_awaited() {
    let (pool, script) = pool(options(3, 0));
    let (kept, idle) = (take(&pool).await, take(&pool).await);
    drop(idle);
    assert!(
        tokio::time::timeout(seconds(1), pool.close(seconds(20)))
            .await
            .is_err()
    );
    assert_eq!(script.open(), 1);
    drop(kept);
    quiet().await;
    assert_eq!(script.open(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_ping_that_succeeds_after_closing_lends_nothing() {
    let (pool, script) = pool(options(1, 0));
    drop(take(&pool).await);
    tokio::time::advance(seconds(60)).await;
    script.ping.does(Behaviour::After(seconds(2)));
    let pinging = ask(&pool).await;
    assert_eq!(pool.close(seconds(20)).await, 0);
    assert!(matches!(pinging.await.unwrap(), Err(AcquireError::Closed)));
}
