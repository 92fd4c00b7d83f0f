//! Who is served, in which order, and how many at once; what becomes of connections afterwards is elsewhere.

use std::future::Future;
use std::task::{Context, Waker};
use std::time::Duration;

use poolhouse_pool::{AcquireError, Request};
use tokio::time::{Instant, timeout};

use crate::stub::{
    Behaviour, acquire, acquire_at_once, ask, options, pool, quiet, seconds, take, tenant, until,
};

#[tokio::test(start_paused = true)]
async fn nothing_is_opened_before_it_is_asked_for() {
    let (pool, script) = pool(options(5, 10));
    quiet().await;
    assert_eq!(script.most_open(), 0);
    assert_eq!(pool.stats().overflow, -5);
    let lease = take(&pool).await;
    assert_eq!(lease.id(), 1);
    assert_eq!((pool.stats().overflow, script.open()), (-4, 1));
}

#[tokio::test(start_paused = true)]
async fn idle_connections_are_reused_last_in_first_out() {
    let (pool, script) = pool(options(5, 0));
    let (first, second, third) = (take(&pool).await, take(&pool).await, take(&pool).await);
    for lease in [first, third, second] {
        lease.release().await;
    }
    let (a, b, c) = (take(&pool).await, take(&pool).await, take(&pool).await);
    assert_eq!((a.id(), b.id(), c.id()), (2, 3, 1));
    assert_eq!(script.connect.count(), 3);
}

#[tokio::test(start_paused = true)]
async fn waiters_are_served_first_in_first_out_and_nobody_passes_them() {
    let (pool, _) = pool(options(1, 0));
    let mut lease = take(&pool).await;
    let mut waiters = Vec::new();
    for _ in 0..5 {
        waiters.push(ask(&pool).await);
    }
    for served in 0..5 {
        // The connection is handed over within the release, so whoever asks right after it comes too late.
        lease.release().await;
        let barging = acquire_at_once(&pool).await;
        assert!(matches!(barging, Err(AcquireError::Exhausted(_))));
        quiet().await;
        let finished: Vec<bool> = waiters.iter().map(|waiter| waiter.is_finished()).collect();
        assert_eq!(
            finished,
            vec![true]
                .into_iter()
                .chain(vec![false; 4 - served])
                .collect::<Vec<_>>()
        );
        lease = waiters.remove(0).await.unwrap().unwrap();
        assert_eq!(lease.id(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_waited_in_vain_learns_the_counts() {
    let (pool, _) = pool(options(1, 1));
    let _leases = (take(&pool).await, take(&pool).await);
    let _earlier = tokio::spawn({
        let pool = pool.clone();
        async move { acquire(&pool, Request::default()).await }
    });
    let started = Instant::now();
    let deadline = started + seconds(4);
    let error = acquire(&pool, until(deadline)).await.unwrap_err();
    assert_eq!(started.elapsed(), seconds(4));
    let AcquireError::Exhausted(told) = &error else {
        panic!("{error}");
    };
    assert_eq!(
        (&*told.tenant, told.at_max, told.paused),
        ("test", None, false)
    );
    assert_eq!((told.waited, told.pool_timeout), (seconds(4), seconds(30)));
    assert_eq!((told.size, told.max_overflow, told.overflow), (1, 1, 1));
    assert_eq!((told.checked_out, told.waiting), (2, 1));
    assert!(told.cause.is_none());
    for setting in ["pool_size", "max_overflow", "pool_timeout"] {
        assert!(error.to_string().contains(setting), "{error}");
    }
    assert_eq!(pool.stats().timed_out, 1);
}

#[tokio::test(start_paused = true)]
async fn the_queue_is_bounded() {
    let (pool, _) = pool(options(1, 0));
    let _lease = take(&pool).await;
    let tenant = tenant(&pool, "many");
    let request = Request::default();
    let mut waiters = Vec::new();
    for _ in 0..100_000 {
        let mut waiter = Box::pin(tenant.acquire(&request));
        let mut context = Context::from_waker(Waker::noop());
        assert!(waiter.as_mut().poll(&mut context).is_pending());
        waiters.push(waiter);
    }
    let started = Instant::now();
    let error = tenant.acquire(&request).await.unwrap_err();
    assert!(matches!(error, AcquireError::Exhausted(told) if told.waiting == 100_000));
    assert_eq!(started.elapsed(), Duration::ZERO);
    waiters.pop();
    assert_eq!(pool.stats().waiting, 99_999);
    tokio::time::sleep(seconds(31)).await;
    assert_eq!((pool.stats().waiting, pool.stats().timed_out), (0, 100_000));
}

#[tokio::test(start_paused = true)]
async fn pool_timeout_bounds_a_later_deadline() {
    let (pool, _) = pool(options(1, 0));
    let _lease = take(&pool).await;
    let started = Instant::now();
    let error = acquire(&pool, until(started + seconds(300)))
        .await
        .unwrap_err();
    assert!(matches!(error, AcquireError::Exhausted(_)));
    assert_eq!(started.elapsed(), seconds(30));
    assert_eq!(pool.stats().waiting, 0);
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_waiter_leaves_the_queue() {
    let (pool, _) = pool(options(1, 0));
    let lease = take(&pool).await;
    let (cancelled, next) = (ask(&pool).await, ask(&pool).await);
    assert_eq!(pool.stats().waiting, 2);
    cancelled.abort();
    quiet().await;
    assert_eq!(pool.stats().waiting, 1);
    drop(lease);
    assert_eq!(next.await.unwrap().unwrap().id(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_was_handed_to_a_cancelled_waiter_goes_to_the_next() {
    let (pool, script) = pool(options(1, 0));
    let lease = take(&pool).await;
    let mut cancelled = Box::pin(acquire(&pool, Request::default()));
    assert!(timeout(seconds(1), &mut cancelled).await.is_err());
    let next = ask(&pool).await;
    lease.release().await;
    quiet().await;
    assert!(!next.is_finished(), "the first in the queue has it");
    drop(cancelled);
    let lease = next.await.unwrap().unwrap();
    assert_eq!((lease.id(), script.connect.count()), (1, 1));

    let mut cancelled = Box::pin(acquire(&pool, Request::default()));
    assert!(timeout(seconds(1), &mut cancelled).await.is_err());
    lease.release().await;
    drop(cancelled);
    assert_eq!((pool.stats().checked_in, pool.stats().checked_out), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn at_once_takes_what_is_idle_or_may_be_opened_and_else_refuses() {
    let (pool, script) = pool(options(1, 1));
    script.connect.does(Behaviour::After(seconds(2)));
    let first = acquire_at_once(&pool).await.unwrap();
    let second = acquire_at_once(&pool).await.unwrap();
    let started = Instant::now();
    let refused = acquire_at_once(&pool).await;
    assert!(matches!(refused, Err(AcquireError::Exhausted(told)) if told.waited.is_zero()));
    assert_eq!(started.elapsed(), Duration::ZERO);
    second.release().await;
    first.release().await;
    assert_eq!(acquire_at_once(&pool).await.unwrap().id(), 1);
}

#[tokio::test(start_paused = true)]
async fn at_once_takes_nothing_from_those_who_wait() {
    let (pool, script) = pool(options(2, 0));
    script.connect.does(Behaviour::After(seconds(2)));
    // One waits for its connect; another may be opened beside it, and a third may not.
    let waiter = ask(&pool).await;
    let beside = tokio::spawn({
        let pool = pool.clone();
        async move { acquire_at_once(&pool).await }
    });
    quiet().await;
    assert_eq!(pool.stats().connecting, 2);
    assert!(acquire_at_once(&pool).await.is_err());
    let leases = (
        waiter.await.unwrap().unwrap(),
        beside.await.unwrap().unwrap(),
    );
    assert_ne!(leases.0.id(), leases.1.id());
}

#[tokio::test(start_paused = true)]
async fn at_once_takes_a_connect_nobody_waits_for_any_more() {
    let (pool, script) = pool(options(1, 0));
    script.connect.does(Behaviour::After(seconds(2)));
    ask(&pool).await.abort();
    quiet().await;
    assert_eq!(acquire_at_once(&pool).await.unwrap().id(), 1);
    assert_eq!(script.connect.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn at_once_replaces_an_idle_connection_that_is_too_old() {
    let (pool, _) = pool(options(1, 0));
    take(&pool).await.release().await;
    tokio::time::advance(seconds(4000)).await;
    assert_eq!(acquire_at_once(&pool).await.unwrap().id(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_maximum_is_never_passed_by_many_tasks() {
    let (pool, script) = pool(options(3, 4));
    script
        .connect
        .does(Behaviour::After(Duration::from_millis(20)));
    script
        .close
        .does(Behaviour::After(Duration::from_millis(5)));
    let tasks: Vec<_> = (0..200u64)
        .map(|task| {
            let pool = pool.clone();
            tokio::spawn(async move {
                for turn in 0..10 {
                    let lease = take(&pool).await;
                    tokio::time::sleep(Duration::from_millis((task * 7 + turn * 3) % 11)).await;
                    lease.release().await;
                    assert!(pool.stats().total() <= 7);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    quiet().await;
    assert_eq!(script.most_open(), 7);
    let stats = pool.stats();
    assert_eq!(
        (stats.most_checked_out, stats.most_overflow, stats.acquired),
        (7, 4, 2000)
    );
    let timings = pool.timings();
    assert_eq!((timings.wait.count, timings.hold.count), (2000, 2000));
    assert!(timings.hold.maximum >= Duration::from_millis(10));
}
