//! Owns ways that are slow: connecting is bounded, and holds up nobody whom a returned connection can serve.

use std::time::{Duration, Instant};

use poolhouse_database::{TransactionOptions, UnavailableReason};
use poolhouse_test_postgres::proxy::Newcomers;

use crate::both::{eventually, everything};
use crate::settled::{counts, proxied, query, unavailable};

const CONNECT: Duration = Duration::from_millis(500);

#[tokio::test]
async fn a_slow_handshake_is_bounded_and_others_are_served_meanwhile() {
    let (proxy, tested) = proxied(|settings| {
        settings.pool.pool_size = 1;
        settings.pool.connect_timeout = Duration::from_secs(60);
    })
    .await;
    let actor = everything();
    let mut holder = tested.chain();
    let id = holder
        .begin(&actor, TransactionOptions::default())
        .await
        .unwrap();
    proxy.treat_newcomers(Newcomers::Held);
    let mut other = tested.chain();
    let waiting = tokio::spawn(async move { query(&mut other, "SELECT 1").await });
    eventually("a connection is being opened", async || {
        let counts = counts(&tested.database);
        counts.connecting == 1 && counts.waiting == 1
    })
    .await;
    let asked = Instant::now();
    holder.commit(id).await.unwrap();
    waiting.await.unwrap().unwrap();
    assert!(
        asked.elapsed() < Duration::from_secs(5),
        "{:?}",
        asked.elapsed()
    );
    assert_eq!(counts(&tested.database).connecting, 1);
    proxy.heal();
    tested.settled_and_working().await;
}

#[tokio::test]
async fn a_handshake_without_end_stops_at_connect_timeout() {
    let (proxy, tested) = proxied(|settings| settings.pool.connect_timeout = CONNECT).await;
    let actor = everything();
    let mut holder = tested.chain();
    let id = holder
        .begin(&actor, TransactionOptions::default())
        .await
        .unwrap();
    proxy.treat_newcomers(Newcomers::Held);
    let asked = Instant::now();
    let result = tested.query("SELECT 1").await;
    assert!(matches!(
        result,
        Err(poolhouse_database::Error::Unavailable {
            reason: UnavailableReason::Unreachable,
            ..
        })
    ));
    let (message, _) = unavailable(result);
    assert!(message.contains("connect_timeout"), "{message}");
    let took = asked.elapsed();
    assert!((CONNECT..CONNECT * 6).contains(&took), "{took:?}");
    // Who has a connection has it still.
    query(&mut holder, "SELECT 1").await.unwrap();
    holder.commit(id).await.unwrap();
    tested.query("SELECT 1").await.unwrap();
    proxy.heal();
    tested.settled_and_working().await;
}

#[tokio::test]
async fn a_slow_way_is_slow_and_nothing_worse() {
    let (proxy, tested) = proxied(|_| ()).await;
    proxy.delay(Duration::from_millis(10));
    tested.settled_and_working().await;
    assert_eq!(tested.database.stats().connect_failures, 0);
    proxy.heal();
    tested.settled_and_working().await;
}
