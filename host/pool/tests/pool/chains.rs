//! Call chains that hold a connection and ask for another: they never wait for what others hold.

use poolhouse_pool::{AcquireError, Cause, Request};
use tokio::time::Instant;

use crate::stub::{
    Behaviour, acquire, ask, ask_for, chain, ms, options, pool, quiet, seconds, take, take_many,
    tenant,
};

#[tokio::test(start_paused = true)]
async fn a_chain_that_holds_one_is_served_at_once_or_by_one_opened_for_it_or_refused() {
    let (pool, _) = pool(options(2, 1));
    drop(take_many(&pool, 2).await);
    let started = Instant::now();
    let first = acquire(&pool, chain(7)).await.unwrap();
    let idle = acquire(&pool, chain(7)).await.unwrap();
    let opened = acquire(&pool, chain(7)).await.unwrap();
    assert_eq!((first.id(), idle.id(), opened.id()), (2, 1, 3));
    let refused = acquire(&pool, chain(7)).await;
    assert!(matches!(refused, Err(AcquireError::Exhausted(told)) if told.waited.is_zero()));
    assert_eq!(started.elapsed(), seconds(0));
    assert_eq!(pool.stats().waiting, 0);
    // Another chain, which holds none, queues.
    let other = ask_for(&pool, "test", chain(8)).await;
    assert_eq!(pool.stats().waiting, 1);
    drop(idle);
    assert_eq!(other.await.unwrap().unwrap().id(), 1);
}

#[tokio::test(start_paused = true)]
async fn chains_that_all_hold_one_cannot_wait_for_each_other() {
    let (pool, _) = pool(options(5, 10));
    let mut chains = Vec::new();
    for number in 1..=15 {
        let lease = acquire(&pool, chain(number)).await.unwrap();
        chains.push((number, lease));
    }
    let started = Instant::now();
    for (number, _) in &chains {
        assert!(acquire(&pool, chain(*number)).await.is_err());
    }
    assert_eq!(started.elapsed(), seconds(0));
    // When one lets go, the next to ask is served: what it held before is its chain's no more.
    let (number, lease) = chains.remove(0);
    drop(lease);
    assert!(acquire(&pool, chain(number)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_chain_that_holds_one_goes_before_all_who_wait() {
    let (pool, script) = pool(options(2, 0));
    let holding = acquire(&pool, chain(7)).await.unwrap();
    script.connect.does(Behaviour::After(seconds(2)));
    let waiter = ask(&pool).await;
    let nested = ask_for(&pool, "test", chain(7)).await;
    assert_eq!((pool.stats().waiting, pool.stats().connecting), (2, 1));
    // There is one connection coming, so that there is nothing for a third.
    assert!(acquire(&pool, chain(7)).await.is_err());
    let nested = nested.await.unwrap().unwrap();
    quiet().await;
    assert!(!waiter.is_finished());
    drop(nested);
    drop(waiter.await.unwrap().unwrap());
    drop(holding);
    assert_eq!(script.connect.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_chain_that_holds_one_is_not_paced() {
    let (pool, script) = pool(options(5, 0));
    let _first = acquire(&pool, chain(7)).await.unwrap();
    let started = Instant::now();
    script.connect.does(Behaviour::After(ms(10)));
    let mut nested = Vec::new();
    for _ in 0..4 {
        nested.push(acquire(&pool, chain(7)).await.unwrap());
    }
    assert_eq!(started.elapsed(), ms(40));
}

#[tokio::test(start_paused = true)]
async fn a_chain_within_its_tenants_quota_only() {
    let (pool, _) = pool(options(5, 0));
    let quota = poolhouse_pool::Quota {
        max: Some(2),
        reserved: 0,
    };
    let small = pool.tenant("small", quota).unwrap();
    let _leases = (
        small.acquire(&chain(7)).await.unwrap(),
        small.acquire(&chain(7)).await.unwrap(),
    );
    let error = small.acquire(&chain(7)).await.unwrap_err();
    assert!(matches!(error, AcquireError::Exhausted(told) if told.at_max == Some(2)));
    // The chain is the same in another tenant's name: a plugin that calls a plugin.
    let other = tenant(&pool, "other");
    let _lease = other.acquire(&chain(7)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_chain_that_holds_one_learns_at_once_that_no_other_can_be_opened() {
    let (pool, script) = pool(options(5, 0));
    let _first = acquire(&pool, chain(7)).await.unwrap();
    script.connect.does(Behaviour::Fail);
    let waiter = ask(&pool).await;
    let started = Instant::now();
    let error = acquire(&pool, chain(7)).await.unwrap_err();
    assert!(
        matches!(error, AcquireError::Connect(Cause::Refused(_))),
        "{error}"
    );
    assert!(started.elapsed() <= ms(51), "{:?}", started.elapsed());
    assert!(
        !waiter.is_finished(),
        "who holds nothing may wait for the first"
    );
}

#[tokio::test(start_paused = true)]
async fn no_chain_is_nobodys() {
    let (pool, _) = pool(options(1, 0));
    let lease = take(&pool).await;
    let waiter = ask_for(&pool, "test", Request::default()).await;
    assert_eq!(
        pool.stats().waiting,
        1,
        "chain 0 is none, not one that holds a lease"
    );
    drop(lease);
    assert!(waiter.await.unwrap().is_ok());
}
