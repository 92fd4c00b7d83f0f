//! Who is served next: in order within a tenant, in equal shares of the connections' time between tenants.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use poolhouse_pool::{Pool, Request, Tenant};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use crate::stub::{Stub, ask_for, ms, options, pool, quiet, seconds, take, take_many, tenant};

/// Callers that acquire, hold and release until they are aborted.
fn callers(tenant: &Tenant<Stub>, count: usize, hold: Duration) -> Vec<JoinHandle<()>> {
    let call = |tenant: Tenant<Stub>| async move {
        loop {
            let lease = tenant.acquire(&Request::default()).await.unwrap();
            sleep(hold).await;
            lease.release().await;
        }
    };
    (0..count)
        .map(|_| tokio::spawn(call(tenant.clone())))
        .collect()
}

fn abort(callers: Vec<JoinHandle<()>>) {
    for caller in callers {
        caller.abort();
    }
}

/// Opens all that the pool may have, so that its growth plays no part.
async fn open_all(pool: &Pool<Stub>, count: usize) {
    drop(take_many(pool, count).await);
    assert_eq!(pool.stats().checked_in as usize, count);
}

/// Jain's index: 1 if all are equal, 1/n if one has it all.
fn jain(shares: &[f64]) -> f64 {
    let sum: f64 = shares.iter().sum();
    let squares: f64 = shares.iter().map(|share| share * share).sum();
    sum * sum / (squares * shares.len() as f64)
}

#[tokio::test(start_paused = true)]
async fn a_lone_caller_waits_for_about_one_turn_whatever_the_crowd_does() {
    for (crowd, alone) in [(10, 10), (50, 1), (1, 50), (500, 10), (10, 500)] {
        let (pool, _) = pool(options(2, 0));
        open_all(&pool, 2).await;
        let crowding = callers(&tenant(&pool, "crowd"), 1000, ms(crowd));
        sleep(seconds(5)).await;
        assert!(pool.stats().waiting > 900);

        let lone = tenant(&pool, "alone");
        let mut waits = Vec::new();
        for _ in 0..100 {
            let asked = Instant::now();
            let lease = lone.acquire(&Request::default()).await.unwrap();
            waits.push(asked.elapsed());
            sleep(ms(alone)).await;
            lease.release().await;
        }
        abort(crowding);
        // Its own turn and the crowd's: as long as the longer of both holds a connection, for each.
        let turn = ms(2 * crowd.max(alone));
        let longest = waits.iter().max().copied().unwrap();
        assert!(
            longest <= turn + ms(5),
            "{crowd} {alone}: waited {longest:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn equal_tenants_get_equal_shares_however_many_callers_they_have() {
    let (pool, _) = pool(options(4, 0));
    open_all(&pool, 4).await;
    let tenants = ["a", "b", "c", "d"].map(|name| tenant(&pool, name));
    let mut crowds = Vec::new();
    for (tenant, count) in tenants.iter().zip([1000, 100, 20, 8]) {
        crowds.extend(callers(tenant, count, ms(10)));
    }
    sleep(seconds(20)).await;
    let served = tenants
        .each_ref()
        .map(|tenant| tenant.stats().acquired as f64);
    abort(crowds);
    assert!(served.iter().sum::<f64>() > 7000.0, "{served:?}");
    assert!(jain(&served) >= 0.95, "{served:?}");
}

#[tokio::test(start_paused = true)]
async fn shares_are_of_time_not_of_turns() {
    let (pool, _) = pool(options(4, 0));
    open_all(&pool, 4).await;
    let names = [("a", 1), ("b", 5), ("c", 20), ("d", 50)];
    let tenants = names.map(|(name, hold)| (tenant(&pool, name), hold));
    let mut crowds = Vec::new();
    for (tenant, hold) in &tenants {
        crowds.extend(callers(tenant, 50, ms(*hold)));
    }
    sleep(seconds(30)).await;
    let before = tenants
        .each_ref()
        .map(|(tenant, _)| tenant.stats().acquired);
    sleep(seconds(30)).await;
    let mut shares = Vec::new();
    for ((tenant, hold), before) in tenants.iter().zip(before) {
        shares.push(((tenant.stats().acquired - before) * hold) as f64);
    }
    abort(crowds);
    assert!(jain(&shares) >= 0.95, "{shares:?}");
}

#[tokio::test(start_paused = true)]
async fn one_that_holds_for_longer_than_before_pays_for_it() {
    let (pool, _) = pool(options(2, 0));
    open_all(&pool, 2).await;
    let (steady, sly) = (tenant(&pool, "steady"), tenant(&pool, "sly"));
    let crowd = callers(&steady, 50, ms(10));
    // Cheap for long, then dear: at the new price within some ten turns, and what it took until then is its debt.
    let cheap = callers(&sly, 50, ms(1));
    sleep(seconds(10)).await;
    abort(cheap);
    quiet().await;
    let dear = callers(&sly, 50, ms(100));
    let (before, began) = (steady.stats().acquired, Instant::now());
    sleep(seconds(20)).await;
    let share = (steady.stats().acquired - before) as f64 * 0.010 / began.elapsed().as_secs_f64();
    abort(crowd);
    abort(dear);
    assert!(
        (0.9..1.1).contains(&share),
        "{share} of one of two connections"
    );
}

#[tokio::test(start_paused = true)]
async fn a_tenants_callers_are_served_in_order_among_other_tenants() {
    let (pool, _) = pool(options(2, 0));
    open_all(&pool, 2).await;
    let held = (take(&pool).await, take(&pool).await);
    let order = Arc::new(Mutex::new([Vec::new(), Vec::new(), Vec::new()]));
    let mut tasks = Vec::new();
    for number in 0..60 {
        let tenant = tenant(&pool, ["a", "b", "c"][number % 3]);
        let order = Arc::clone(&order);
        tasks.push(tokio::spawn(async move {
            let lease = tenant.acquire(&Request::default()).await.unwrap();
            order.lock()[number % 3].push(number);
            sleep(ms(1 + number as u64 % 7)).await;
            lease.release().await;
        }));
        quiet().await;
    }
    drop(held);
    for task in tasks {
        task.await.unwrap();
    }
    for served in &*order.lock() {
        assert_eq!(served.len(), 20);
        assert!(served.is_sorted(), "{served:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn tenants_at_their_max_do_not_hold_up_the_turn() {
    let (pool, _) = pool(options(3, 0));
    open_all(&pool, 3).await;
    let quota = poolhouse_pool::Quota {
        max: Some(1),
        reserved: 0,
    };
    let _small = pool.tenant("small", quota).unwrap();
    let held = ask_for(&pool, "small", Request::default())
        .await
        .await
        .unwrap()
        .unwrap();
    let _others = (take(&pool).await, take(&pool).await);
    let mut waiting = Vec::new();
    for name in ["small", "other", "small"] {
        waiting.push(ask_for(&pool, name, Request::default()).await);
    }
    drop(_others);
    quiet().await;
    let finished: Vec<_> = waiting.iter().map(|task| task.is_finished()).collect();
    assert_eq!(finished, [false, true, false]);
    drop(held);
    for task in waiting {
        drop(task.await.unwrap().unwrap());
    }
}
