//! Many tenants, one pool: what each may hold, what is kept for it, and when it is forgotten.

use poolhouse_pool::{AcquireError, Pool, Quota, QuotaError, Request};
use tokio::time::Instant;

use crate::stub::{
    Behaviour, Stub, acquire_at_once, ask, ask_for, options, pool, quiet, seconds, take, tenant,
    until,
};

fn quota(max: impl Into<Option<u32>>, reserved: u32) -> Quota {
    Quota {
        max: max.into(),
        reserved,
    }
}

fn held(pool: &Pool<Stub>, name: &str) -> Option<u32> {
    let tenants = pool.tenants();
    let found = tenants.iter().find(|tenant| &*tenant.name == name)?;
    Some(found.checked_out)
}

#[tokio::test(start_paused = true)]
async fn a_tenant_at_its_max_queues_and_others_do_not_notice() {
    let (pool, _) = pool(options(5, 0));
    let small = pool.tenant("small", quota(2, 0)).unwrap();
    let leases = (
        small.acquire(&Request::default()).await.unwrap(),
        small.acquire(&Request::default()).await.unwrap(),
    );
    let waiting = ask_for(&pool, "small", Request::default()).await;
    assert_eq!((small.stats().checked_out, small.stats().waiting), (2, 1));
    tokio::time::sleep(seconds(1)).await;
    assert_eq!(
        pool.stats().opened,
        2,
        "nothing is opened that it could not have"
    );

    let started = Instant::now();
    drop(take(&pool).await);
    assert_eq!(started.elapsed(), seconds(0));
    assert!(!waiting.is_finished());
    drop(leases.0);
    drop(waiting.await.unwrap().unwrap());
    assert_eq!(small.stats().acquired, 3);
}

#[tokio::test(start_paused = true)]
async fn a_tenant_at_its_max_is_told_so() {
    let (pool, _) = pool(options(5, 0));
    let small = pool.tenant("small", quota(1, 0)).unwrap();
    let _lease = small.acquire(&Request::default()).await.unwrap();
    let at_once = Request {
        at_once: true,
        ..Request::default()
    };
    for request in [at_once, until(Instant::now() + seconds(3))] {
        let error = small.acquire(&request).await.unwrap_err();
        assert!(
            error.to_string().contains("\"small\" holds the 1 it may"),
            "{error}"
        );
        let AcquireError::Exhausted(told) = error else {
            panic!("{error}");
        };
        assert_eq!(
            (&*told.tenant, told.at_max, told.checked_out),
            ("small", Some(1), 1)
        );
    }
    assert_eq!((small.stats().timed_out, small.stats().checked_out), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn what_is_reserved_is_never_eaten_by_others() {
    let (pool, _) = pool(options(2, 2));
    let vip = pool.tenant("vip", quota(None, 2)).unwrap();
    let others = (take(&pool).await, take(&pool).await);
    assert!(
        acquire_at_once(&pool).await.is_err(),
        "two are free, and kept"
    );
    let waiter = ask(&pool).await;
    assert_eq!((pool.stats().total(), pool.stats().connecting), (2, 0));

    let first = vip.acquire(&Request::default()).await.unwrap();
    let second = vip.acquire(&Request::default()).await.unwrap();
    // What comes back to a tenant's reserve is not for others either.
    drop(first);
    quiet().await;
    assert!(!waiter.is_finished());
    assert_eq!(pool.stats().checked_in, 1);
    drop(others.0);
    drop(waiter.await.unwrap().unwrap());
    drop((second, others.1));
    assert_eq!((held(&pool, "vip"), pool.stats().checked_out), (Some(0), 0));
}

#[tokio::test(start_paused = true)]
async fn more_than_was_reserved_comes_out_of_what_all_share() {
    let (pool, _) = pool(options(4, 0));
    let vip = pool.tenant("vip", quota(None, 1)).unwrap();
    let _second = pool.tenant("second", quota(None, 1)).unwrap();
    let mut leases = Vec::new();
    for _ in 0..3 {
        leases.push(vip.acquire(&Request::default()).await.unwrap());
    }
    let greedy = vip.acquire(&until(Instant::now() + seconds(1))).await;
    assert!(
        matches!(greedy, Err(AcquireError::Exhausted(_))),
        "the fourth is the second's"
    );
    drop(
        ask_for(&pool, "second", Request::default())
            .await
            .await
            .unwrap()
            .unwrap(),
    );
}

#[tokio::test(start_paused = true)]
async fn a_quota_that_cannot_be_kept_is_refused_and_changes_nothing() {
    let (pool, _) = pool(options(3, 1));
    let other = pool.tenant("other", quota(3, 3)).unwrap();
    let overbooked = QuotaError::Overbooked {
        reserved: 5,
        maximum: 4,
    };
    let over_max = QuotaError::ReservedOverMax {
        reserved: 2,
        max: 1,
    };
    for (wanted, error) in [
        (quota(0, 0), QuotaError::Zero),
        (quota(1, 2), over_max),
        (quota(None, 2), overbooked),
    ] {
        assert_eq!(pool.tenant("new", wanted).unwrap_err(), error);
    }
    assert_eq!(pool.tenants().len(), 1, "a refused tenant is none");
    let too_much = QuotaError::Overbooked {
        reserved: 9,
        maximum: 4,
    };
    assert_eq!(pool.tenant("other", quota(None, 9)).unwrap_err(), too_much);
    assert_eq!((other.stats().max, other.stats().reserved), (Some(3), 3));
    assert!(pool.tenant("new", quota(1, 1)).is_ok());
    for setting in ["pool_size", "max_overflow"] {
        assert!(overbooked.to_string().contains(setting));
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_name_is_the_same_tenant_with_the_latest_quota() {
    let (pool, _) = pool(options(5, 0));
    let one = pool.tenant("same", quota(1, 0)).unwrap();
    let lease = one.acquire(&Request::default()).await.unwrap();
    let waiting = ask_for(&pool, "same", Request::default()).await;
    assert!(!waiting.is_finished());
    let two = pool.tenant("same", quota(2, 1)).unwrap();
    let other = waiting.await.unwrap().unwrap();
    assert_eq!((one.stats().checked_out, two.stats().checked_out), (2, 2));
    assert_eq!(one.stats().max, Some(2), "a raised max serves who waits");

    // What is held over a lowered max stays until it comes back.
    let _three = pool.tenant("same", quota(1, 0)).unwrap();
    assert!(lease.is_usable() && other.is_usable());
    let waiting = ask_for(&pool, "same", Request::default()).await;
    drop(lease);
    quiet().await;
    assert!(!waiting.is_finished(), "one is held still");
    drop(other);
    assert!(waiting.await.unwrap().is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_tenant_is_forgotten_with_its_last_handle_and_lease() {
    let (pool, _) = pool(options(2, 0));
    let one = pool.tenant("brief", quota(None, 2)).unwrap();
    let two = one.clone();
    drop(one);
    let lease = two.acquire(&Request::default()).await.unwrap();
    let waiter = ask(&pool).await;
    drop(two);
    assert_eq!(held(&pool, "brief"), Some(1), "it holds something still");
    quiet().await;
    assert!(!waiter.is_finished(), "and what it reserved is kept");
    drop(lease);
    assert_eq!(held(&pool, "brief"), None);
    drop(waiter.await.unwrap().unwrap());
    assert_eq!(
        pool.timings().hold.count,
        2,
        "what it measured is not forgotten"
    );
    assert!(pool.tenants().is_empty());
    assert_eq!(tenant(&pool, "brief").stats().acquired, 0);
}

#[tokio::test(start_paused = true)]
async fn a_crowd_at_its_max_leaves_room_for_those_who_would_not_wait() {
    let (pool, _) = pool(options(5, 0));
    let crowd = pool.tenant("crowd", quota(1, 0)).unwrap();
    let _lease = crowd.acquire(&Request::default()).await.unwrap();
    let mut waiters = Vec::new();
    for _ in 0..20 {
        waiters.push(ask_for(&pool, "crowd", Request::default()).await);
    }
    assert_eq!(pool.stats().waiting, 20);
    let mut leases = Vec::new();
    for _ in 0..4 {
        leases.push(acquire_at_once(&pool).await.unwrap());
    }
    assert!(acquire_at_once(&pool).await.is_err());
    // A tenant of the crowd does not get one by asking differently.
    let at_once = Request {
        at_once: true,
        ..Request::default()
    };
    assert!(crowd.acquire(&at_once).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn at_once_takes_no_place_that_those_who_wait_will_have() {
    let (pool, script) = pool(options(3, 0));
    let _vip = pool.tenant("vip", quota(None, 1)).unwrap();
    let _lease = take(&pool).await;
    script.connect.does(Behaviour::After(seconds(2)));
    // One is lent, one is kept back, and the third is on its way to the waiter.
    let waiter = ask(&pool).await;
    assert_eq!((pool.stats().connecting, pool.stats().total()), (1, 2));
    let started = Instant::now();
    assert!(acquire_at_once(&pool).await.is_err());
    assert_eq!(started.elapsed(), seconds(0));
    assert!(waiter.await.unwrap().is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_tenants_counts_and_times_are_its_own() {
    let (pool, _) = pool(options(1, 0));
    let (one, two) = (tenant(&pool, "one"), tenant(&pool, "two"));
    let lease = one.acquire(&Request::default()).await.unwrap();
    let waiter = ask_for(&pool, "two", Request::default()).await;
    assert_eq!((one.stats().waiting, two.stats().waiting), (0, 1));
    tokio::time::sleep(seconds(2)).await;
    drop(lease);
    drop(waiter.await.unwrap().unwrap());
    assert!(one.timings().hold.maximum >= seconds(2) && one.timings().wait.maximum < seconds(1));
    assert!(two.timings().hold.maximum < seconds(1) && two.timings().wait.maximum >= seconds(2));
    assert_eq!(pool.timings().hold.count, 2);
    assert_eq!((&**one.name(), &*two.stats().name), ("one", "two"));
}
