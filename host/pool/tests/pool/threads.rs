//! The pool on several threads in real time: what a paused clock on one thread can't show.

use std::sync::Arc;
use std::time::Duration;

use poolhouse_pool::{AcquireError, Lease, Pool, Quota, Request};
use tokio::time::Instant;

use crate::stub::{Refused, Stub, ms, options, pool, seconds, take};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_maximum_is_never_passed_by_many_threads() {
    let (pool, script) = pool(options(2, 2));
    let tasks: Vec<_> = (0..64u64)
        .map(|task| {
            let pool = pool.clone();
            tokio::spawn(async move {
                for turn in 0..200u64 {
                    let mut lease = take(&pool).await;
                    let operation = lease.operation(None).unwrap();
                    assert!(!operation.busy);
                    tokio::task::yield_now().await;
                    if (task + turn) % 7 != 0 {
                        operation.complete();
                    } else {
                        drop(operation);
                    }
                    if turn % 5 == 0 {
                        lease.touch();
                    }
                    if turn % 2 == 0 {
                        lease.release().await;
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert!(script.most_open() <= 4, "{}", script.most_open());
    assert_eq!(pool.stats().acquired, 64 * 200);
    assert_eq!(pool.close(seconds(30)).await, 0);
    assert_eq!(script.open(), 0);
}

/// One turn of a caller that uses its lease in one of many ways, some of them rude.
async fn turn(mut lease: Lease<Stub>, number: u64) {
    let revocation = lease.revocation();
    if let Ok(mut operation) = lease.operation(Some(&Arc::from("turn"))) {
        assert!(!operation.busy && !operation.dirty);
        match number % 8 {
            0 => drop(operation),
            1 => {
                tokio::select! {
                    _ = operation.work(ms(4)) => operation.complete(),
                    () = revocation.wait() => drop(operation),
                }
            }
            2 => {
                operation.work(ms(4)).await;
                operation.complete();
            }
            _ => {
                operation.dirty = true;
                tokio::task::yield_now().await;
                operation.complete();
            }
        }
    };
    if number % 8 > 2 {
        lease.touch();
    }
    match number % 5 {
        0 if number.is_multiple_of(97) => lease.break_off(Refused),
        1 => drop(std::thread::spawn(move || drop(lease))),
        2 => drop(lease),
        3 => revocation.wait().await,
        _ => lease.release().await,
    }
}

async fn turns(pool: Pool<Stub>, task: u64) -> u64 {
    let (max, reserved) = [(None, 0), (Some(3), 1), (Some(2), 1)][task as usize % 3];
    let name = ["one", "two", "three"][task as usize % 3];
    let mut served = 0;
    for turn_number in 0..30 {
        let tenant = pool.tenant(name, Quota { max, reserved }).unwrap();
        let number = task * 31 + turn_number * 7;
        let request = Request {
            deadline: Some(Instant::now() + Duration::from_micros(2000 + number % 3000)),
            at_once: number.is_multiple_of(11),
            ..Request::default()
        };
        match tenant.acquire(&request).await {
            Ok(lease) => {
                served += 1;
                turn(lease, number).await;
            }
            Err(AcquireError::Closed) => panic!("nobody closes it"),
            Err(_) => {}
        }
        assert!(pool.stats().total() <= 6);
    }
    served
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_lost_where_leases_are_revoked_while_they_are_used_and_given_back() {
    let (pool, script) = pool(options(4, 2));
    let tasks: Vec<_> = (0..24)
        .map(|task| tokio::spawn(turns(pool.clone(), task)))
        .collect();
    let mut served = 0;
    for task in tasks {
        served += task.await.unwrap();
    }
    assert!(served > 300, "{served} served");
    assert!(pool.stats().revoked > 50, "{:?}", pool.stats());
    assert_eq!(pool.close(seconds(30)).await, 0, "{:?}", pool.stats());
    let stats = pool.stats();
    assert_eq!((stats.total(), stats.opened), (0, stats.closed));
    assert_eq!((script.open(), stats.waiting), (0, 0));
    assert!(script.most_open() <= 6, "{}", script.most_open());
    assert!(script.misuse.lock().is_empty());
    assert!(pool.tenants().is_empty(), "{:?}", pool.tenants());
}
