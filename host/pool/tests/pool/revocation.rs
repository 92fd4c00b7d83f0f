//! Leases held for too long: logged with all that is known of them, and past their deadline taken back.

use std::sync::Arc;
use std::time::Duration;

use poolhouse_pool::{Options, Request, Revoked};
use tokio::time::{Instant, sleep};

use crate::log;
use crate::stub::{Behaviour, acquire, ask, ms, options, pool, quiet, seconds, take, tenant};

fn deadline(after: Duration) -> Request {
    Request {
        deadline: Some(Instant::now() + after),
        ..Request::default()
    }
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_nothing_is_done_with_is_taken_back_at_its_deadline() {
    let (pool, script) = pool(options(1, 0));
    let mut lease = acquire(&pool, deadline(seconds(3))).await.unwrap();
    lease.touch();
    let waiter = ask(&pool).await;
    let started = Instant::now();
    assert_eq!(
        waiter.await.unwrap().unwrap().id(),
        2,
        "its place is another's"
    );
    assert!(started.elapsed() <= seconds(3), "{:?}", started.elapsed());
    assert_eq!(lease.operation(None).err(), Some(Revoked));
    assert!(!lease.is_usable() && lease.is_revoked());
    lease.revocation().wait().await;
    assert_eq!(
        (
            script.cancel.count(),
            script.reset.count(),
            script.close.count()
        ),
        (0, 0, 1)
    );
    let before = pool.stats();
    assert_eq!((before.revoked, before.checked_out), (1, 0));
    // To give it back then changes nothing.
    lease.release().await;
    assert_eq!(pool.stats(), before);
}

#[tokio::test(start_paused = true)]
async fn lease_timeout_is_the_latest_deadline() {
    let (pool, _) = pool(Options {
        lease_timeout: Some(seconds(60)),
        ..options(2, 0)
    });
    let started = Instant::now();
    let (plain, late) = (
        take(&pool).await,
        acquire(&pool, deadline(seconds(600))).await.unwrap(),
    );
    sleep(seconds(59)).await;
    assert!(plain.is_usable() && late.is_usable());
    plain.revocation().wait().await;
    late.revocation().wait().await;
    assert!(
        started.elapsed() <= seconds(60) + ms(2),
        "{:?}",
        started.elapsed()
    );

    let (pool, _) = crate::stub::pool(Options {
        lease_timeout: None,
        ..options(1, 0)
    });
    let lease = take(&pool).await;
    sleep(seconds(86_400)).await;
    assert!(lease.is_usable());
}

#[tokio::test(start_paused = true)]
async fn an_operation_past_the_deadline_is_cancelled_from_outside() {
    let (pool, script) = pool(options(2, 0));
    let spare = take(&pool).await;
    let mut lease = acquire(&pool, deadline(seconds(3))).await.unwrap();
    let revocation = lease.revocation();
    let started = Instant::now();
    let mut operation = lease.operation(None).unwrap();
    script.cancel.does(Behaviour::After(seconds(1)));
    let cancelled = operation.work(seconds(100)).await;
    assert!(cancelled && (seconds(4)..=seconds(4) + ms(2)).contains(&started.elapsed()));
    revocation.wait().await;
    assert_eq!(
        *script.cancelled.lock(),
        [2],
        "the one that is late, and once"
    );
    // Until the operation ends its place is taken; then the connection is closed, however it ended.
    assert_eq!((pool.stats().checked_out, script.open()), (2, 2));
    operation.complete();
    quiet().await;
    assert_eq!((pool.stats().checked_out, script.open()), (1, 1));
    assert_eq!(lease.operation(None).err(), Some(Revoked));
    drop(lease);
    drop(spare);
    assert_eq!((pool.stats().checked_in, script.cancel.count()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_answer_the_cancel_costs_no_connection() {
    for behaviour in [Behaviour::Hang, Behaviour::Fail, Behaviour::Panic] {
        let (pool, script) = pool(options(1, 0));
        script.cancel.does(behaviour);
        let mut lease = acquire(&pool, deadline(seconds(3))).await.unwrap();
        let revocation = lease.revocation();
        let holder = tokio::spawn(async move {
            let mut operation = lease.operation(None).unwrap();
            tokio::select! {
                () = operation.hang() => unreachable!("nothing cancels it"),
                () = revocation.wait() => {}
            }
            drop(operation);
            assert!(lease.is_revoked());
        });
        let started = Instant::now();
        assert_eq!(take(&pool).await.id(), 2, "{behaviour:?}");
        assert!(started.elapsed() <= seconds(3) + ms(2), "{behaviour:?}");
        holder.await.unwrap();
        sleep(seconds(10)).await;
        assert_eq!(
            (script.open(), pool.stats().revoked),
            (1, 1),
            "{behaviour:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_waiter_who_comes_late_for_what_it_was_handed_finds_it_revoked() {
    let (pool, script) = pool(options(1, 0));
    let lease = take(&pool).await;
    let mut waiter = Box::pin(acquire(&pool, deadline(seconds(3))));
    assert!(tokio::time::timeout(seconds(1), &mut waiter).await.is_err());
    drop(lease);
    sleep(seconds(5)).await;
    let mut lease = waiter.await.unwrap();
    assert_eq!(lease.operation(None).err(), Some(Revoked));
    drop(lease);
    assert_eq!((pool.stats().total(), script.open()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_reset_under_way_at_the_deadline_is_left_to_end() {
    let (pool, script) = pool(options(1, 0));
    script.reset.does(Behaviour::After(seconds(4)));
    let mut lease = acquire(&pool, deadline(seconds(3))).await.unwrap();
    lease.touch();
    lease.release().await;
    assert_eq!((pool.stats().checked_in, pool.stats().revoked), (1, 0));
    assert_eq!(take(&pool).await.id(), 1);
}

#[tokio::test(start_paused = true)]
async fn close_takes_back_what_is_still_lent_at_its_deadline() {
    let (pool, script) = pool(options(3, 0));
    let idle = take(&pool).await;
    let mut working = take(&pool).await;
    let working = tokio::spawn(async move {
        let mut operation = working.operation(None).unwrap();
        assert!(operation.work(seconds(1000)).await, "cancelled");
    });
    let back_in_time = take(&pool).await;
    let back_in_time = tokio::spawn(async move {
        sleep(seconds(2)).await;
        assert!(back_in_time.is_usable());
        back_in_time.release().await;
    });
    let started = Instant::now();
    assert_eq!(pool.close(seconds(5)).await, 0);
    assert!((seconds(5)..=seconds(5) + ms(2)).contains(&started.elapsed()));
    assert_eq!(
        (pool.stats().revoked, script.cancel.count(), script.open()),
        (2, 1, 0)
    );
    assert!(idle.is_revoked());
    working.await.unwrap();
    back_in_time.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_long_lease_is_logged_once_with_its_holder_chain_and_statement() {
    log::capture();
    let (pool, _) = pool(Options {
        long_lease_warning: Some(seconds(5)),
        ..options(1, 0)
    });
    let request = Request {
        chain: 77,
        ..deadline(seconds(30))
    };
    let mut lease = tenant(&pool, "order-manager")
        .acquire(&request)
        .await
        .unwrap();
    lease
        .operation(Some(&Arc::from("SELECT 42")))
        .unwrap()
        .complete();
    sleep(ms(4990)).await;
    assert!(log::lines_with("long lease").is_empty());
    sleep(seconds(20)).await;
    let found = log::lines_with("long lease");
    assert_eq!(found.len(), 1, "{found:?}");
    for part in [
        "WARN",
        "holder=\"order-manager\"",
        "chain=77",
        "SELECT 42",
        "id=1",
        "held=5",
    ] {
        assert!(found[0].contains(part), "{part}: {}", found[0]);
    }
    sleep(seconds(20)).await;
    let found = log::lines_with("lease revoked");
    assert_eq!(found.len(), 1, "{found:?}");
    for part in [
        "WARN",
        "holder=\"order-manager\"",
        "chain=77",
        "SELECT 42",
        "held=30",
    ] {
        assert!(found[0].contains(part), "{part}: {}", found[0]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_long_lease_is_not_blamed_for_what_its_connection_did_before() {
    log::capture();
    let (pool, _) = pool(options(1, 0));
    let mut lease = tenant(&pool, "before")
        .acquire(&Request::default())
        .await
        .unwrap();
    lease
        .operation(Some(&Arc::from("SELECT secret")))
        .unwrap()
        .complete();
    drop(lease);
    let _lease = tenant(&pool, "after")
        .acquire(&Request::default())
        .await
        .unwrap();
    sleep(seconds(10)).await;
    let found = log::lines_with("long lease");
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].contains("holder=\"after\"") && !found[0].contains("secret"),
        "{}",
        found[0]
    );
}
