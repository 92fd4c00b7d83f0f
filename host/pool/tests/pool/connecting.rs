//! How connections come to be: in tasks of their own, no more than waiters need, their failures told to whom they concern.

use std::error::Error;
use std::time::Duration;

use poolhouse_pool::{AcquireError, Options};
use tokio::time::Instant;

use crate::stub::{Behaviour, ask, calls, holder, options, pool, quiet, seconds, take};

#[tokio::test(start_paused = true)]
async fn a_returned_connection_serves_the_waiter_while_connecting_hangs() {
    let (pool, script) = pool(options(2, 0));
    let lease = take(&pool).await;
    *script.connect.lock() = Behaviour::Hang;
    let waiter = ask(&pool).await;
    assert_eq!(pool.stats().connecting, 1);
    let started = Instant::now();
    lease.release().await;
    assert_eq!(waiter.await.unwrap().unwrap().id(), 1);
    assert_eq!(started.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_connect_nobody_waits_for_any_more_becomes_idle() {
    let (pool, script) = pool(options(2, 0));
    *script.connect.lock() = Behaviour::After(seconds(2));
    let waiter = ask(&pool).await;
    waiter.abort();
    tokio::time::sleep(seconds(3)).await;
    let stats = pool.stats();
    assert_eq!(
        (stats.checked_in, stats.connecting, stats.opened),
        (1, 0, 1)
    );
    assert_eq!(stats.connect.count, 1);
    assert!(stats.connect.p50 >= seconds(2));
}

#[tokio::test(start_paused = true)]
async fn a_connect_nobody_waits_for_is_closed_beyond_pool_size() {
    let (pool, script) = pool(options(1, 1));
    let lease = take(&pool).await;
    *script.connect.lock() = Behaviour::After(seconds(2));
    ask(&pool).await.abort();
    tokio::time::sleep(seconds(3)).await;
    let stats = pool.stats();
    assert_eq!((stats.checked_in, stats.opened, stats.closed), (0, 2, 1));
    drop(lease);
    assert_eq!(pool.stats().checked_in, 1);
}

#[tokio::test(start_paused = true)]
async fn no_more_connects_run_than_waiters_need() {
    let (pool, script) = pool(options(5, 10));
    *script.connect.lock() = Behaviour::After(seconds(2));
    let _two = (ask(&pool).await, ask(&pool).await);
    assert_eq!((pool.stats().connecting, script.open()), (2, 2));
    ask(&pool).await.abort();
    quiet().await;
    // The third connect goes on without its waiter, and is there for the next one.
    let _third = ask(&pool).await;
    assert_eq!((pool.stats().connecting, calls(&script.connects)), (3, 3));
}

#[tokio::test(start_paused = true)]
async fn a_failed_connect_tells_its_cause_at_once() {
    let (pool, script) = pool(Options::default());
    *script.connect.lock() = Behaviour::Fail;
    let started = Instant::now();
    let error = pool.acquire(&holder(), None).await.unwrap_err();
    assert!(matches!(error, AcquireError::Connect(_)), "{error:?}");
    assert_eq!(error.source().unwrap().to_string(), "stub refuses");
    assert_eq!(started.elapsed(), Duration::ZERO);
    let stats = pool.stats();
    assert_eq!(
        (stats.total(), stats.connect_failures, stats.timed_out),
        (0, 1, 0)
    );

    *script.connect.lock() = Behaviour::Now;
    assert_eq!(take(&pool).await.id(), 1);
}

#[tokio::test(start_paused = true)]
async fn every_waiter_of_a_dead_server_learns_the_cause_and_no_storm_breaks_out() {
    let (pool, script) = pool(options(1, 2));
    *script.connect.lock() = Behaviour::Fail;
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let pool = pool.clone();
            tokio::spawn(async move { pool.acquire(&holder(), None).await })
        })
        .collect();
    for task in tasks {
        let error = task.await.unwrap().unwrap_err();
        assert!(matches!(error, AcquireError::Connect(_)), "{error:?}");
    }
    assert_eq!(calls(&script.connects), 20);

    // Once one attempt has failed, the next ones are made one at a time until one succeeds.
    *script.connect.lock() = Behaviour::After(seconds(1));
    let _waiters = (ask(&pool).await, ask(&pool).await, ask(&pool).await);
    assert_eq!(pool.stats().connecting, 1);
    tokio::time::sleep(seconds(1)).await;
    assert_eq!((pool.stats().checked_out, pool.stats().connecting), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn a_failed_connect_concerns_the_first_waiter_only() {
    let (pool, script) = pool(options(1, 1));
    let lease = take(&pool).await;
    *script.connect.lock() = Behaviour::Hang;
    let (first, second) = (ask(&pool).await, ask(&pool).await);
    tokio::time::sleep(seconds(10)).await;
    let error = first.await.unwrap().unwrap_err();
    assert!(matches!(error, AcquireError::ConnectTimeout(limit) if limit == seconds(10)));
    assert!(!second.is_finished());
    // The place is free again, and the next attempt is already under way in it.
    assert_eq!((pool.stats().connecting, pool.stats().total()), (1, 2));
    assert_eq!(script.open(), 2);
    drop(lease);
    assert_eq!(second.await.unwrap().unwrap().id(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_panicking_connect_costs_no_place() {
    let (pool, script) = pool(options(1, 0));
    *script.connect.lock() = Behaviour::Panic;
    let waiter = ask(&pool).await;
    assert_eq!((pool.stats().connecting, script.open()), (1, 0));
    *script.connect.lock() = Behaviour::Now;
    let lease = waiter.await.unwrap().unwrap();
    let stats = pool.stats();
    assert_eq!(
        (stats.checked_out, stats.total(), stats.connect_failures),
        (1, 1, 1)
    );
    drop(lease);

    // Nor does it loop: between one attempt and the next there is a pause.
    pool.retire_generation();
    *script.connect.lock() = Behaviour::Panic;
    let before = calls(&script.connects);
    assert!(pool.acquire(&holder(), None).await.is_err());
    assert!(calls(&script.connects) - before <= 31);
}
