//! Connections that went bad or old while nobody looked: pings, ages and generations.

use std::time::Duration;

use poolhouse_pool::{AcquireError, Options, Pool};
use tokio::time::{Instant, advance};

use crate::stub::{
    Behaviour, Refused, Stub, acquire, acquire_at_once, ask, ms, options, pool, quiet, seconds,
    take, take_many, until,
};

/// Opens `count` connections and leaves them idle.
async fn fill(pool: &Pool<Stub>, count: usize) {
    drop(take_many(pool, count).await);
    assert_eq!(pool.stats().checked_in as usize, count);
}

#[tokio::test(start_paused = true)]
async fn only_connections_idle_for_long_are_pinged() {
    let (pool, script) = pool(options(1, 0));
    fill(&pool, 1).await;
    advance(Duration::from_millis(500)).await;
    drop(take(&pool).await);
    assert_eq!(script.ping.count(), 0);
    advance(Duration::from_millis(501)).await;
    drop(take(&pool).await);
    assert_eq!((script.ping.count(), script.connect.count()), (1, 1));

    let lease = take(&pool).await;
    advance(seconds(60)).await;
    drop(lease);
    drop(take(&pool).await);
    assert_eq!(script.ping.count(), 1, "it was lent for long, not idle");
}

#[tokio::test(start_paused = true)]
async fn pool_pre_ping_idle_0_pings_every_time_and_false_never() {
    let every_time = Options {
        pool_pre_ping_idle: Duration::ZERO,
        ..options(1, 0)
    };
    let (every, script) = pool(every_time.clone());
    let lease = take(&every).await;
    let waiter = ask(&every).await;
    lease.release().await;
    drop(waiter.await.unwrap().unwrap());
    drop(take(&every).await);
    assert_eq!(
        script.ping.count(),
        2,
        "one handed over, one idle, and none new"
    );

    let (never, script) = pool(Options {
        pool_pre_ping: false,
        ..every_time
    });
    fill(&never, 1).await;
    advance(seconds(600)).await;
    drop(take(&never).await);
    assert_eq!(script.ping.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_stale_connection_is_replaced_and_its_generation_retired() {
    for (behaviour, wait) in [
        (Behaviour::Fail, Duration::ZERO),
        (Behaviour::Hang, seconds(5)),
    ] {
        let (pool, script) = pool(options(4, 0));
        fill(&pool, 3).await;
        let lent = take(&pool).await;
        advance(seconds(60)).await;
        script.ping.does(behaviour);
        let started = Instant::now();
        let lease = take(&pool).await;
        assert_eq!((lease.id(), started.elapsed()), (4, wait), "{behaviour:?}");
        assert_eq!(script.ping.count(), 1, "the others are not even asked");
        lent.release().await;
        quiet().await;
        assert_eq!(
            (pool.stats().closed, script.open()),
            (3, 1),
            "{behaviour:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_stale_connection_does_not_cost_its_caller_the_place() {
    let (pool, script) = pool(options(1, 0));
    fill(&pool, 1).await;
    advance(seconds(60)).await;
    script.ping.does(Behaviour::Hang);
    let first = ask(&pool).await;
    let second = ask(&pool).await;
    tokio::time::sleep(seconds(6)).await;
    assert!(first.is_finished() && !second.is_finished());
}

#[tokio::test(start_paused = true)]
async fn a_stale_connection_is_replaced_for_those_who_would_not_wait_too() {
    let (pool, script) = pool(options(1, 0));
    fill(&pool, 1).await;
    advance(seconds(60)).await;
    script.ping.does(Behaviour::Fail);
    assert_eq!(acquire_at_once(&pool).await.unwrap().id(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_ping_ends_with_its_callers_deadline_or_future() {
    let (pool, script) = pool(options(2, 0));
    fill(&pool, 2).await;
    advance(seconds(60)).await;
    script.ping.does(Behaviour::Hang);
    let deadline = Instant::now() + seconds(2);
    let error = acquire(&pool, until(deadline)).await.unwrap_err();
    assert!(matches!(error, AcquireError::Exhausted(told) if told.waited == seconds(2)));
    assert_eq!(
        pool.stats().checked_in,
        1,
        "a hurried caller proves nothing about the others"
    );

    let cancelled = ask(&pool).await;
    assert_eq!(pool.stats().pinging, 1);
    cancelled.abort();
    quiet().await;
    let stats = pool.stats();
    assert_eq!((stats.total(), stats.closed, stats.timed_out), (0, 2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_connection_too_old_is_replaced_at_checkout_and_closed_on_return() {
    let (pool, script) = pool(options(1, 0));
    fill(&pool, 1).await;
    advance(seconds(3509)).await;
    let lease = take(&pool).await;
    assert_eq!(lease.id(), 1, "not older than an hour less 2.5 % yet");
    advance(seconds(80)).await;
    let waiter = ask(&pool).await;
    advance(seconds(11)).await;
    lease.release().await;
    let lease = waiter.await.unwrap().unwrap();
    assert_eq!((lease.id(), script.close.count()), (2, 1));
    drop(lease);
    advance(seconds(3601)).await;
    assert_eq!(take(&pool).await.id(), 3);
    assert_eq!((script.close.count(), script.most_open()), (2, 1));
    assert_eq!(script.ping.count(), 1, "those too old are not even asked");
}

#[tokio::test(start_paused = true)]
async fn pool_recycle_none_keeps_connections_for_ever() {
    let (pool, script) = pool(Options {
        pool_recycle: None,
        ..options(1, 0)
    });
    fill(&pool, 1).await;
    advance(seconds(30 * 86_400)).await;
    assert_eq!((take(&pool).await.id(), script.close.count()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn retiring_closes_idle_now_and_lent_and_connecting_ones_later() {
    let (pool, script) = pool(options(5, 0));
    fill(&pool, 2).await;
    advance(ms(100)).await;
    let mut lent = take(&pool).await;
    lent.touch();
    let _other = take(&pool).await;
    script.connect.does(Behaviour::After(seconds(1)));
    let connecting = ask(&pool).await;
    pool.retire_generation();
    quiet().await;
    lent.release().await;
    assert_eq!(script.reset.count(), 0, "not worth a reset any more");
    let lease = connecting.await.unwrap().unwrap();
    assert_eq!(lease.id(), 4, "the third began before");
    quiet().await;
    assert_eq!((pool.stats().closed, pool.stats().checked_out), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn many_broken_connections_retire_their_generation_once() {
    let (pool, _) = pool(options(3, 0));
    fill(&pool, 3).await;
    let (mut first, mut second) = (take(&pool).await, take(&pool).await);
    first.break_off(Refused);
    quiet().await;
    assert_eq!(pool.stats().closed, 1, "the idle one went with it");
    // One is opened to see whether that is possible.
    assert_eq!((pool.stats().opened, pool.stats().checked_in), (4, 1));
    drop(first);
    let newer = take(&pool).await;
    assert_eq!(newer.id(), 4);
    newer.release().await;
    second.break_off(Refused);
    drop(second);
    quiet().await;
    assert_eq!(
        pool.stats().checked_in,
        1,
        "the newer one has nothing to do with it"
    );
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_nobody_has_used_yet_is_pinged_after_a_long_idle_time() {
    let (pool, script) = pool(options(1, 0));
    script.connect.does(Behaviour::After(seconds(1)));
    ask(&pool).await.abort();
    tokio::time::sleep(seconds(600)).await;
    assert_eq!((pool.stats().checked_in, script.ping.count()), (1, 0));
    drop(take(&pool).await);
    assert_eq!(script.ping.count(), 1);
}
