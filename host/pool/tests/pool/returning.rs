//! What becomes of a connection when its lease ends: reused, reset, or closed, and never with another's state on it.

use std::time::Duration;

use tokio::time::{Instant, timeout};

use crate::stub::{Behaviour, Refused, ask, options, pool, quiet, seconds, take};

#[tokio::test(start_paused = true)]
async fn overflow_is_closed_on_return_unless_someone_waits() {
    let (pool, script) = pool(options(1, 1));
    let (first, second) = (take(&pool).await, take(&pool).await);
    let waiter = ask(&pool).await;
    second.release().await;
    let second = waiter.await.unwrap().unwrap();
    assert_eq!((second.id(), script.close.count()), (2, 0));
    // Kept, as none is idle yet; and then there is one.
    second.release().await;
    quiet().await;
    assert_eq!((pool.stats().total(), script.close.count()), (2, 0));
    first.release().await;
    quiet().await;
    assert_eq!((pool.stats().checked_in, script.open()), (1, 1));
    assert_eq!(take(&pool).await.id(), 1, "the one used last is kept");
}

#[tokio::test(start_paused = true)]
async fn a_closing_connection_takes_up_its_place_until_it_is_closed() {
    let (pool, script) = pool(options(1, 0));
    script.close.does(Behaviour::After(seconds(2)));
    let mut lease = take(&pool).await;
    lease.break_off(Refused);
    assert!(!lease.is_usable());
    let waiter = ask(&pool).await;
    lease.release().await;
    quiet().await;
    assert_eq!((pool.stats().closing, pool.stats().connecting), (1, 0));
    let started = Instant::now();
    assert_eq!(waiter.await.unwrap().unwrap().id(), 2);
    assert!(started.elapsed() >= seconds(1), "{:?}", started.elapsed());
    assert_eq!(script.most_open(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_close_that_hangs_or_panics_gives_its_place_back() {
    for (behaviour, wait) in [
        (Behaviour::Hang, seconds(5)),
        (Behaviour::Panic, Duration::ZERO),
    ] {
        let (pool, script) = pool(options(1, 0));
        script.close.does(behaviour);
        let mut lease = take(&pool).await;
        lease.break_off(Refused);
        drop(lease);
        let started = Instant::now();
        assert_eq!(take(&pool).await.id(), 2, "{behaviour:?}");
        assert_eq!(started.elapsed(), wait, "{behaviour:?}");
        assert_eq!(script.most_open(), 1, "{behaviour:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_operation_left_unfinished_condemns_the_connection() {
    let (pool, script) = pool(options(1, 0));
    let mut lease = take(&pool).await;
    lease.operation(None).unwrap().complete();
    assert!(lease.is_usable());

    let mut dropped = lease.operation(None).unwrap();
    dropped.busy = true;
    drop(dropped);
    assert!(!lease.is_usable());
    // Completing a later one does not mend the first.
    lease.operation(None).unwrap().complete();
    assert!(!lease.is_usable());
    lease.touch();
    lease.release().await;
    let mut lease = take(&pool).await;
    assert_eq!(
        (lease.id(), lease.operation(None).unwrap().busy),
        (2, false)
    );
    assert_eq!((script.reset.count(), script.close.count()), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_forgotten_or_cancelled_operation_condemns_the_connection_too() {
    let (pool, _) = pool(options(1, 0));
    let mut lease = take(&pool).await;
    Box::leak(Box::new(lease.operation(None).unwrap()));
    drop(lease);
    let mut lease = take(&pool).await;
    assert_eq!(lease.id(), 2);
    let statement = async {
        let operation = lease.operation(None).unwrap();
        std::future::pending::<()>().await;
        operation.complete();
    };
    assert!(timeout(seconds(1), statement).await.is_err());
    drop(lease);
    assert_eq!(take(&pool).await.id(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_touched_connection_is_reset_before_release_returns() {
    let (pool, script) = pool(options(1, 0));
    script.reset.does(Behaviour::After(seconds(1)));
    let mut lease = take(&pool).await;
    let mut operation = lease.operation(None).unwrap();
    operation.dirty = true;
    operation.complete();
    lease.touch();
    assert!(lease.is_touched());
    let waiter = ask(&pool).await;
    let started = Instant::now();
    lease.release().await;
    assert_eq!(started.elapsed(), seconds(1));
    let mut lease = waiter.await.unwrap().unwrap();
    assert_eq!((lease.id(), lease.is_touched()), (1, false));
    assert!(!std::mem::replace(
        &mut lease.operation(None).unwrap().dirty,
        false
    ));
    assert_eq!((script.reset.count(), pool.timings().hold.count), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn an_untouched_connection_is_not_reset() {
    let (pool, script) = pool(options(1, 0));
    let mut lease = take(&pool).await;
    lease.touch();
    lease.untouch();
    lease.release().await;
    assert_eq!((take(&pool).await.id(), script.reset.count()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_reset_that_fails_hangs_or_panics_closes_the_connection() {
    for (behaviour, wait) in [
        (Behaviour::Fail, Duration::ZERO),
        (Behaviour::Hang, seconds(5)),
        (Behaviour::Panic, Duration::ZERO),
    ] {
        let (pool, script) = pool(options(1, 0));
        script.reset.does(behaviour);
        let mut lease = take(&pool).await;
        lease.touch();
        let started = Instant::now();
        let release = tokio::spawn(lease.release());
        assert_eq!(release.await.is_err(), behaviour == Behaviour::Panic);
        assert_eq!(started.elapsed(), wait, "{behaviour:?}");
        assert_eq!(pool.stats().checked_in, 0, "{behaviour:?}");
        assert_eq!(take(&pool).await.id(), 2, "{behaviour:?}");
        assert_eq!(script.close.count(), 1, "{behaviour:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_release_dropped_midway_closes_the_connection() {
    let (pool, script) = pool(options(1, 0));
    script.reset.does(Behaviour::Hang);
    let mut lease = take(&pool).await;
    lease.touch();
    let mut release = Box::pin(lease.release());
    assert!(timeout(seconds(1), &mut release).await.is_err());
    assert_eq!((pool.stats().resetting, pool.stats().checked_out), (1, 0));
    drop(release);
    quiet().await;
    assert_eq!((pool.stats().total(), script.open()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_release_never_polled_is_a_drop() {
    let (pool, script) = pool(options(1, 0));
    let mut lease = take(&pool).await;
    lease.touch();
    drop(lease.release());
    quiet().await;
    assert_eq!((pool.stats().checked_in, script.reset.count()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_lease_may_be_dropped_outside_the_runtime() {
    let (pool, script) = pool(options(2, 0));
    let (mut touched, mut in_flight) = (take(&pool).await, take(&pool).await);
    touched.touch();
    drop(in_flight.operation(None).unwrap());
    std::thread::spawn(move || drop((touched, in_flight)))
        .join()
        .unwrap();
    quiet().await;
    assert_eq!((pool.stats().checked_in, pool.stats().closed), (1, 1));
    assert_eq!((script.reset.count(), script.close.count()), (1, 1));
}

#[test]
fn a_lease_outlives_the_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let (pool, script, leases, waiter) = runtime.block_on(async {
        let (pool, script) = pool(options(2, 0));
        let mut leases = vec![take(&pool).await, take(&pool).await];
        leases[0].touch();
        let waiter = ask(&pool).await;
        (pool, script, leases, waiter)
    });
    drop(waiter);
    drop(runtime);
    drop(leases);
    drop(pool);
    assert_eq!(script.open(), 0);
}
