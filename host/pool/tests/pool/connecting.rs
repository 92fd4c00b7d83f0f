//! How connections come to be: in tasks of their own, no more than waiters need, their failures told to whom they concern.

use std::time::Duration;

use poolhouse_pool::{AcquireError, Cause, Condition, Options, Request};
use tokio::time::Instant;

use crate::stub::{Behaviour, acquire, ask, ask_for, ms, options, pool, quiet, seconds, take};

#[tokio::test(start_paused = true)]
async fn a_returned_connection_serves_the_waiter_while_connecting_hangs() {
    let (pool, script) = pool(options(2, 0));
    let lease = take(&pool).await;
    script.connect.does(Behaviour::Hang);
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
    script.connect.does(Behaviour::After(seconds(2)));
    let waiter = ask(&pool).await;
    waiter.abort();
    tokio::time::sleep(seconds(3)).await;
    let stats = pool.stats();
    assert_eq!(
        (stats.checked_in, stats.connecting, stats.opened),
        (1, 0, 1)
    );
    let connect = pool.timings().connect;
    assert_eq!(connect.count, 1);
    assert!(connect.p50 >= seconds(2));
}

#[tokio::test(start_paused = true)]
async fn a_connect_nobody_waits_for_is_kept_within_pool_size_idle_ones() {
    let (pool, script) = pool(options(1, 1));
    let lease = take(&pool).await;
    script.connect.does(Behaviour::After(seconds(2)));
    ask(&pool).await.abort();
    tokio::time::sleep(seconds(3)).await;
    let stats = pool.stats();
    assert_eq!((stats.checked_in, stats.opened, stats.closed), (1, 2, 0));
    drop(lease);
    quiet().await;
    let stats = pool.stats();
    assert_eq!(
        (stats.checked_in, stats.closed),
        (1, 1),
        "one is idle already"
    );
}

#[tokio::test(start_paused = true)]
async fn no_more_connects_run_than_waiters_need() {
    let (pool, script) = pool(options(5, 10));
    script.connect.does(Behaviour::After(seconds(2)));
    let _two = (ask(&pool).await, ask(&pool).await);
    assert_eq!((pool.stats().connecting, script.open()), (2, 2));
    ask(&pool).await.abort();
    quiet().await;
    // The third connect goes on without its waiter, and is there for the next one.
    let _third = ask(&pool).await;
    assert_eq!((pool.stats().connecting, script.connect.count()), (3, 3));
}

#[tokio::test(start_paused = true)]
async fn a_failed_connect_tells_its_cause_at_once() {
    let (pool, script) = pool(Options::default());
    script.connect.does(Behaviour::Fail);
    let started = Instant::now();
    let error = acquire(&pool, Request::default()).await.unwrap_err();
    assert!(matches!(error, AcquireError::Connect(_)), "{error:?}");
    assert!(error.to_string().contains("stub refuses"), "{error}");
    assert_eq!(started.elapsed(), Duration::ZERO);
    let stats = pool.stats();
    assert_eq!(
        (stats.total(), stats.connect_failures, stats.timed_out),
        (0, 1, 0)
    );

    script.connect.does(Behaviour::Now);
    assert_eq!(take(&pool).await.id(), 1);
}

#[tokio::test(start_paused = true)]
async fn every_waiter_of_a_dead_server_learns_the_cause_and_no_storm_breaks_out() {
    let (pool, script) = pool(options(1, 2));
    script.connect.does(Behaviour::Fail);
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let pool = pool.clone();
            tokio::spawn(async move { acquire(&pool, Request::default()).await })
        })
        .collect();
    for task in tasks {
        let error = task.await.unwrap().unwrap_err();
        assert!(matches!(error, AcquireError::Connect(_)), "{error:?}");
    }
    // One attempt for each place in the pool, and one more for those who had asked too late for these.
    assert_eq!(script.connect.count(), 4);

    // Once one attempt has failed, the next ones are made one at a time until one succeeds.
    script.connect.does(Behaviour::After(seconds(1)));
    let _waiters = (ask(&pool).await, ask(&pool).await, ask(&pool).await);
    tokio::time::sleep(ms(50)).await;
    assert_eq!(pool.stats().connecting, 1);
    tokio::time::sleep(seconds(1)).await;
    assert_eq!((pool.stats().checked_out, pool.stats().connecting), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn a_failed_connect_concerns_nobody_while_connections_come_back() {
    let (pool, script) = pool(options(1, 1));
    let mut lease = take(&pool).await;
    script.connect.does(Behaviour::Fail);
    let mut waiters = Vec::new();
    for _ in 0..20 {
        waiters.push(ask(&pool).await);
    }
    // Each has been waiting for up to ten seconds when its turn comes.
    for waiter in waiters {
        tokio::time::sleep(ms(500)).await;
        assert_eq!(pool.health().condition, Condition::Degraded);
        drop(lease);
        lease = waiter.await.unwrap().unwrap();
    }
    assert!(script.connect.count() > 100, "{}", script.connect.count());
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_while_nothing_comes_back_is_told_why_no_other_is_opened() {
    let (pool, script) = pool(options(1, 1));
    let lease = take(&pool).await;
    script.connect.does(Behaviour::Hang);
    let (first, second) = (ask(&pool).await, ask(&pool).await);
    tokio::time::sleep(seconds(9)).await;
    assert!(!first.is_finished() && !second.is_finished());
    for told in [first, second] {
        let error = told.await.unwrap().unwrap_err();
        let limit = seconds(10);
        assert!(
            matches!(error, AcquireError::Connect(Cause::TimedOut(told)) if told == limit),
            "{error}"
        );
    }
    assert_eq!((script.open(), pool.stats().connect_failures), (1, 1));

    // In less than a second something may come back; and past its own time a caller is told as well.
    script.connect.does(Behaviour::Fail);
    let soon = Instant::now() + ms(900);
    let request = Request {
        until: Some(soon),
        ..Request::default()
    };
    let waiter = ask_for(&pool, "test", request).await;
    tokio::time::sleep(ms(890)).await;
    assert!(!waiter.is_finished());
    let error = waiter.await.unwrap().unwrap_err();
    assert!(
        matches!(error, AcquireError::Connect(Cause::Refused(_))),
        "{error}"
    );
    drop(lease);
    drop(take(&pool).await);
}

#[tokio::test(start_paused = true)]
async fn a_panicking_connect_costs_no_place() {
    let (pool, script) = pool(options(1, 0));
    script.connect.does(Behaviour::Panic);
    let error = acquire(&pool, Request::default()).await.unwrap_err();
    assert!(matches!(error, AcquireError::Connect(Cause::Panicked)));
    assert_eq!((pool.stats().connecting, script.open()), (0, 0));
    script.connect.does(Behaviour::Now);
    let lease = take(&pool).await;
    let stats = pool.stats();
    assert_eq!((stats.checked_out, stats.total()), (1, 1));
    assert!((1..=2).contains(&stats.connect_failures), "{stats:?}");
    drop(lease);

    // Nor does it loop: between one attempt and the next there is a pause.
    pool.retire_generation();
    script.connect.does(Behaviour::Panic);
    let before = script.connect.count();
    tokio::time::sleep(seconds(1)).await;
    assert!(acquire(&pool, Request::default()).await.is_err());
    tokio::time::sleep(seconds(1)).await;
    assert!(script.connect.count() - before <= 8);
}
