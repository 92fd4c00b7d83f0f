//! Changes while a pool runs: its size, a pause, and what its connections are set for.

use poolhouse_pool::{AcquireError, Quota, QuotaError, Request};
use tokio::time::Instant;

use crate::stub::{
    acquire, acquire_at_once, ask, chain, jump, ms, options, pool, quiet, seconds, take, take_many,
    tenant, until,
};

#[tokio::test(start_paused = true)]
async fn a_larger_pool_serves_those_who_wait() {
    let (pool, script) = pool(options(1, 0));
    let _lease = take(&pool).await;
    let waiters = (ask(&pool).await, ask(&pool).await);
    tokio::time::sleep(seconds(1)).await;
    pool.resize(2, 1).unwrap();
    assert_eq!(
        (pool.options().pool_size, pool.options().max_overflow),
        (2, 1)
    );
    let resized = Instant::now();
    let _leases = (
        waiters.0.await.unwrap().unwrap(),
        waiters.1.await.unwrap().unwrap(),
    );
    assert_eq!(resized.elapsed(), seconds(0));
    assert_eq!((pool.stats().size, script.open()), (2, 3));
}

#[tokio::test(start_paused = true)]
async fn a_smaller_pool_closes_what_is_idle_now_and_what_is_lent_later() {
    let (pool, script) = pool(options(5, 5));
    let mut leases = take_many(&pool, 10).await;
    drop(leases.split_off(6));
    assert_eq!((pool.stats().checked_in, pool.stats().checked_out), (4, 6));
    pool.resize(2, 1).unwrap();
    quiet().await;
    assert_eq!((pool.stats().checked_in, script.open()), (0, 6));
    // While more are lent than there may be, nobody gets another, and what comes back is closed.
    let waiter = ask(&pool).await;
    drop(leases.split_off(3));
    quiet().await;
    assert!(!waiter.is_finished());
    assert_eq!(
        (pool.stats().total(), script.open(), pool.stats().waiting),
        (3, 3, 1)
    );
    drop(leases.pop());
    drop(waiter.await.unwrap().unwrap());
    drop(leases);
    quiet().await;
    assert_eq!(
        (pool.stats().checked_in, pool.stats().total(), script.open()),
        (2, 2, 2)
    );
}

#[tokio::test(start_paused = true)]
async fn a_pool_cannot_be_made_smaller_than_what_is_reserved() {
    let (pool, _) = pool(options(5, 5));
    let quota = Quota {
        max: None,
        reserved: 4,
    };
    let vip = pool.tenant("vip", quota).unwrap();
    let overbooked = QuotaError::Overbooked {
        reserved: 4,
        maximum: 3,
    };
    assert_eq!(pool.resize(3, 0).unwrap_err(), overbooked);
    assert_eq!(pool.options().pool_size, 5);
    drop(vip);
    pool.resize(3, 0).unwrap();
    pool.resize(0, 0).unwrap();
    pool.resize(3, -1).unwrap();
    assert_eq!(pool.options().maximum(), None);
}

#[tokio::test(start_paused = true)]
async fn a_paused_pool_lends_nothing_until_it_resumes() {
    let (pool, script) = pool(options(2, 0));
    let (lent, other) = (acquire(&pool, chain(7)).await.unwrap(), take(&pool).await);
    drop(other);
    pool.pause();
    assert!(pool.stats().paused && lent.is_usable());
    let waiter = ask(&pool).await;
    let error = acquire_at_once(&pool).await.unwrap_err();
    assert!(error.to_string().contains("paused"), "{error}");
    let started = Instant::now();
    let error = acquire(&pool, until(started + seconds(2)))
        .await
        .unwrap_err();
    assert!(
        matches!(error, AcquireError::Exhausted(told) if told.paused && told.waited == seconds(2))
    );
    // A chain that holds one is no exception: whoever pauses wants the rest to come back.
    assert!(acquire(&pool, chain(7)).await.is_err());
    drop(lent);
    quiet().await;
    assert_eq!((pool.stats().checked_in, pool.stats().checked_out), (2, 0));
    assert!(!waiter.is_finished());
    pool.resume();
    drop(waiter.await.unwrap().unwrap());
    assert_eq!((pool.stats().paused, script.connect.count()), (false, 2));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_opened_for_those_who_wait_in_a_paused_pool() {
    let (pool, script) = pool(options(2, 0));
    pool.pause();
    let waiter = ask(&pool).await;
    tokio::time::sleep(seconds(5)).await;
    assert_eq!((script.connect.count(), pool.stats().waiting), (0, 1));
    pool.resume();
    assert!(waiter.await.unwrap().is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_caller_gets_the_idle_connection_that_is_set_for_it() {
    let (pool, _) = pool(options(3, 0));
    let mut leases = take_many(&pool, 3).await;
    for (lease, setting) in leases.iter_mut().zip([70, 80, 0]) {
        assert_eq!(lease.setting(), 0);
        lease.set_for(setting);
        assert_eq!(lease.setting(), setting);
    }
    // In turn, so that the last in is none of those asked for.
    leases.drain(..).for_each(drop);
    for (setting, id) in [(70, 1), (80, 2), (70, 1), (0, 3), (90, 3)] {
        let request = Request {
            setting,
            ..Request::default()
        };
        let lease = acquire(&pool, request).await.unwrap();
        assert_eq!(lease.id(), id, "{setting}");
        quiet().await;
    }
    // It is a preference: with that one lent, any will do.
    let request = Request {
        setting: 70,
        ..Request::default()
    };
    let first = acquire(&pool, request).await.unwrap();
    let second = acquire(&pool, request).await.unwrap();
    assert_eq!((first.id(), first.setting()), (1, 70));
    assert_ne!((second.id(), second.setting()), (1, 70));
}

#[tokio::test(start_paused = true)]
async fn what_is_set_for_a_caller_goes_before_what_its_tenant_used_last() {
    let (pool, _) = pool(options(3, 0));
    let (one, two) = (tenant(&pool, "one"), tenant(&pool, "two"));
    let mut leases = (
        one.acquire(&Request::default()).await.unwrap(),
        two.acquire(&Request::default()).await.unwrap(),
        take(&pool).await,
    );
    leases.0.set_for(70);
    drop(leases.0);
    drop(leases.1);
    drop(leases.2);
    let request = Request {
        setting: 70,
        ..Request::default()
    };
    assert_eq!(two.acquire(&request).await.unwrap().id(), 1);
    // Where nothing is set for it, one that its tenant had goes before the last used.
    drop(one.acquire(&request).await.unwrap());
    let unset = Request {
        setting: 90,
        ..Request::default()
    };
    drop(take(&pool).await);
    assert_eq!(one.acquire(&unset).await.unwrap().id(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_setting_outlives_a_reset_but_not_the_connection() {
    let (pool, _) = pool(options(1, 0));
    let mut lease = take(&pool).await;
    lease.set_for(5);
    lease.touch();
    lease.release().await;
    assert_eq!(take(&pool).await.setting(), 5);
    jump(seconds(4000)).await;
    let lease = take(&pool).await;
    assert_eq!((lease.id(), lease.setting()), (2, 0));
    tokio::time::sleep(ms(1)).await;
}
