//! What SQLAlchemy's QueuePool promises and its own tests look at, each test named as the behaviour.

use std::time::Duration;

use poolhouse_pool::{AcquireError, Options};
use tokio::time::{Instant, sleep, timeout};

use crate::stub::{
    Behaviour, Refused, acquire, ask, jump, ms, options, pool, quiet, seconds, take, take_many,
    until,
};

#[tokio::test(start_paused = true)]
async fn a_connection_returned_at_the_very_moment_of_timing_out_is_neither_lost_nor_doubled() {
    let (mut served, mut in_vain) = (0, 0);
    for release_after in 2990..=3010 {
        let (pool, script) = pool(options(1, 0));
        let lease = take(&pool).await;
        let deadline = Instant::now() + seconds(3);
        let release = tokio::spawn(async move {
            sleep(ms(release_after)).await;
            lease.release().await;
        });
        let outcome = acquire(&pool, until(deadline)).await;
        release.await.unwrap();
        let stats = pool.stats();
        match outcome {
            Ok(lease) => {
                served += 1;
                assert_eq!((stats.checked_out, stats.checked_in), (1, 0));
                drop(lease);
            }
            Err(AcquireError::Exhausted(_)) => {
                in_vain += 1;
                assert_eq!((stats.checked_out, stats.checked_in), (0, 1));
            }
            Err(error) => panic!("{error}"),
        }
        assert_eq!((take(&pool).await.id(), pool.stats().total()), (1, 1));
        assert_eq!((script.connect.count(), script.most_open()), (1, 1));
    }
    assert!(served >= 9 && in_vain >= 9, "{served} {in_vain}");
}

#[tokio::test(start_paused = true)]
async fn a_connection_delivered_just_before_the_deadline_is_given_even_if_looked_at_after_it() {
    let (pool, _) = pool(options(1, 0));
    let lease = take(&pool).await;
    let deadline = Instant::now() + seconds(3);
    let mut waiter = Box::pin(acquire(&pool, until(deadline)));
    assert!(timeout(seconds(1), &mut waiter).await.is_err());
    // The connection arrives and the deadline passes, both before the waiter runs again.
    lease.release().await;
    tokio::time::advance(seconds(60)).await;
    assert_eq!(waiter.await.unwrap().id(), 1);
    assert_eq!(pool.stats().timed_out, 0);
}

#[tokio::test(start_paused = true)]
async fn waiters_are_woken_when_a_connect_fails() {
    let (pool, script) = pool(options(1, 0));
    script.connect.does(Behaviour::FailAfter(seconds(1)));
    let (early, late) = (ask(&pool).await, ask(&pool).await);
    script.connect.does(Behaviour::Now);
    // The one that the attempt was made for learns the cause, and its place in the pool serves the other.
    assert!(matches!(
        early.await.unwrap(),
        Err(AcquireError::Connect(_))
    ));
    let asked = Instant::now();
    assert!(late.await.unwrap().is_ok());
    assert!(asked.elapsed() <= ms(51), "{:?}", asked.elapsed());
}

#[tokio::test(start_paused = true)]
async fn waiters_are_woken_when_an_overflow_connection_closes() {
    let (pool, script) = pool(options(1, 1));
    script.close.does(Behaviour::After(seconds(2)));
    let (_first, mut second) = (take(&pool).await, take(&pool).await);
    let waiter = ask(&pool).await;
    let started = Instant::now();
    drop(second.operation(None).unwrap());
    drop(second);
    assert_eq!(waiter.await.unwrap().unwrap().id(), 3);
    assert_eq!(started.elapsed(), seconds(2));
    assert_eq!(script.most_open(), 2);
}

#[tokio::test(start_paused = true)]
async fn others_go_on_being_served_while_a_connect_within_overflow_hangs() {
    let (pool, script) = pool(options(1, 2));
    let lease = take(&pool).await;
    script.connect.does(Behaviour::Hang);
    let waiter = ask(&pool).await;
    assert_eq!(pool.stats().connecting, 1);
    let started = Instant::now();
    lease.release().await;
    drop(waiter.await.unwrap().unwrap());
    for _ in 0..100 {
        let turn = || async {
            let lease = take(&pool).await;
            lease.release().await;
        };
        tokio::join!(turn(), turn(), turn());
    }
    assert_eq!(started.elapsed(), Duration::ZERO);
    assert_eq!(pool.stats().opened, 1);
}

#[tokio::test(start_paused = true)]
async fn overflow_is_closed_on_return() {
    let (pool, script) = pool(options(5, 10));
    let leases = take_many(&pool, 15).await;
    assert_eq!((pool.stats().overflow, script.open()), (10, 15));
    drop(leases);
    quiet().await;
    let stats = pool.stats();
    assert_eq!((stats.checked_in, stats.total(), stats.overflow), (5, 5, 0));
    assert_eq!(
        (script.open(), stats.closed, stats.most_overflow),
        (5, 10, 10)
    );
}

#[tokio::test(start_paused = true)]
async fn a_connection_older_than_pool_recycle_is_replaced_on_checkout() {
    let (pool, script) = pool(options(2, 0));
    drop(take_many(&pool, 2).await);
    jump(seconds(3601)).await;
    assert_eq!(take(&pool).await.id(), 3);
    quiet().await;
    assert_eq!((script.close.count(), script.ping.count()), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_connection_older_than_pool_recycle_is_closed_in_the_background_with_jitter() {
    fastrand::seed(1);
    let (pool, script) = pool(options(40, 0));
    let callers: Vec<_> = (0..40)
        .map(|_| {
            tokio::spawn({
                let pool = pool.clone();
                async move {
                    let lease = take(&pool).await;
                    quiet().await;
                    lease
                }
            })
        })
        .collect();
    let opened = Instant::now();
    for caller in callers {
        drop(caller.await.unwrap());
    }
    assert_eq!(pool.stats().checked_in, 40);
    sleep(seconds(3600)).await;
    assert_eq!((pool.stats().total(), script.open()), (0, 0));
    let mut ages: Vec<_> = script.close.times().iter().map(|at| *at - opened).collect();
    ages.sort();
    let (youngest, oldest) = (ages[0], ages[39]);
    assert!(
        youngest >= seconds(3510) && oldest <= seconds(3600) + ms(2),
        "{youngest:?} {oldest:?}"
    );
    assert!(oldest - youngest > seconds(45), "{youngest:?} {oldest:?}");
}

#[tokio::test(start_paused = true)]
async fn pre_ping_replaces_a_stale_connection_and_retires_its_generation() {
    let (pool, script) = pool(options(3, 0));
    drop(take_many(&pool, 3).await);
    sleep(seconds(60)).await;
    script.ping.does(Behaviour::Fail);
    let lease = take(&pool).await;
    assert_eq!(
        (lease.id(), script.ping.count()),
        (4, 1),
        "one ping told it all"
    );
    quiet().await;
    assert_eq!((script.open(), pool.stats().closed), (1, 3));
}

#[tokio::test(start_paused = true)]
async fn what_a_borrower_left_is_reset_on_return_however_it_returns() {
    let (pool, script) = pool(options(1, 0));
    for round in 0..30 {
        let mut lease = take(&pool).await;
        let mut operation = lease.operation(None).unwrap();
        assert!(
            !std::mem::replace(&mut operation.dirty, true),
            "round {round}"
        );
        operation.complete();
        lease.touch();
        let waiter = (round % 2 == 0).then(|| {
            tokio::spawn({
                let pool = pool.clone();
                async move { take(&pool).await }
            })
        });
        match round % 3 {
            0 => lease.release().await,
            1 => drop(lease),
            _ => drop(tokio::spawn(lease.release())),
        }
        if let Some(waiter) = waiter {
            let mut lease = waiter.await.unwrap();
            let operation = lease.operation(None).unwrap();
            assert!(!operation.dirty, "round {round}");
            operation.complete();
        }
    }
    quiet().await;
    assert_eq!((script.reset.count(), script.connect.count()), (30, 1));
}

#[tokio::test(start_paused = true)]
async fn a_connection_idle_for_pool_idle_timeout_is_closed() {
    let (pool, script) = pool(Options {
        pool_idle_timeout: Some(seconds(60)),
        ..options(3, 0)
    });
    drop(take_many(&pool, 3).await);
    // One of them is used time and again; the other two are let go.
    for _ in 0..3 {
        sleep(seconds(50)).await;
        let lease = take(&pool).await;
        sleep(seconds(1)).await;
        drop(lease);
    }
    assert_eq!((pool.stats().checked_in, script.close.count()), (1, 2));
    sleep(seconds(61)).await;
    assert_eq!((pool.stats().total(), script.open()), (0, 0));
    assert_eq!(take(&pool).await.id(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_connection_opened_for_somebody_who_left_ages_too() {
    let (pool, script) = pool(Options {
        pool_timeout: seconds(600),
        pool_idle_timeout: Some(seconds(60)),
        ..options(3, 0)
    });
    script.connect.does(Behaviour::After(seconds(2)));
    ask(&pool).await.abort();
    sleep(seconds(3)).await;
    assert_eq!(pool.stats().checked_in, 1);
    sleep(seconds(60)).await;
    assert_eq!((pool.stats().total(), script.open()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn an_invalidated_connection_is_closed_and_replaced() {
    let (pool, script) = pool(options(2, 0));
    let mut leases = take_many(&pool, 2).await;
    leases[0].break_off(Refused);
    assert!(!leases[0].is_usable() && leases[1].is_usable());
    drop(leases);
    quiet().await;
    assert_eq!(
        (script.close.count(), pool.stats().closed),
        (2, 2),
        "the whole generation"
    );
    let lease = take(&pool).await;
    assert!(lease.id() > 2 && lease.is_usable());
}

#[tokio::test(start_paused = true)]
async fn retire_generation_disposes_of_what_there_is_and_goes_on() {
    let (pool, script) = pool(options(3, 0));
    let mut leases = take_many(&pool, 3).await;
    drop(leases.split_off(1));
    let old = leases.remove(0);
    pool.retire_generation();
    quiet().await;
    assert_eq!(
        (pool.stats().checked_in, script.open()),
        (0, 1),
        "idle ones at once"
    );
    let new = take(&pool).await;
    assert_eq!((new.id(), old.is_usable()), (4, true), "lent ones serve on");
    old.release().await;
    new.release().await;
    quiet().await;
    assert_eq!(
        (pool.stats().checked_in, script.open(), pool.stats().closed),
        (1, 1, 3)
    );
    assert_eq!(take(&pool).await.id(), 4);
}

#[tokio::test(start_paused = true)]
async fn pool_size_0_opens_without_limit_and_keeps_all() {
    let (pool, script) = pool(options(0, 0));
    let leases = take_many(&pool, 40).await;
    drop(leases);
    quiet().await;
    let stats = pool.stats();
    assert_eq!((stats.checked_in, stats.overflow), (40, 40));
    assert_eq!(script.close.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn max_overflow_minus_1_opens_without_limit_and_keeps_pool_size() {
    let (pool, script) = pool(options(3, -1));
    let leases = take_many(&pool, 40).await;
    assert_eq!(pool.stats().overflow, 37);
    drop(leases);
    quiet().await;
    assert_eq!(
        (pool.stats().checked_in, pool.stats().most_overflow),
        (3, 37)
    );
    assert_eq!((script.close.count(), script.open()), (37, 3));
}
