//! Owns connections that break while nobody uses them: found out before they are lent, and replaced.

use std::time::{Duration, Instant};

use poolhouse_test_postgres::proxy::{Fault, Newcomers};

use crate::settled::{counts, proxied, unavailable};

const PING: Duration = Duration::from_millis(250);

/// One ping that fails, one connection opened anew, and the machine's own slowness.
const BOUND: Duration = Duration::from_secs(2);

#[tokio::test]
async fn connections_are_half_open_while_idle() {
    let (proxy, tested) = proxied(|settings| settings.pool.ping_timeout = PING).await;
    for _ in 0..2 {
        tested.fill().await;
        let opened = counts(&tested.database).opened;
        proxy.strike(Fault::Silence);
        let asked = Instant::now();
        tested.query("SELECT 1").await.unwrap();
        let took = asked.elapsed();
        assert!((PING..BOUND).contains(&took), "{took:?}");
        assert_eq!(
            counts(&tested.database).opened,
            opened + 1,
            "opened more than needed"
        );
        // The others were found out by the first, and cost nobody a wait.
        let asked = Instant::now();
        tested.query("SELECT 1").await.unwrap();
        assert!(asked.elapsed() < PING, "{:?}", asked.elapsed());
        // The server learns of it when the way does.
        proxy.heal();
        tested.settled_and_working().await;
    }
}

#[tokio::test]
async fn connections_are_cut_or_reset_while_idle() {
    let (proxy, tested) = proxied(|_| ()).await;
    for fault in [Fault::Cut, Fault::Reset] {
        tested.fill().await;
        proxy.strike(fault);
        // Pinged before it is lent: the borrower notices nothing.
        tested.query("SELECT 1").await.unwrap();
        tested.settled_and_working().await;
    }
}

#[tokio::test]
async fn connections_are_cut_or_reset_and_lent_before_anybody_looked() {
    let (proxy, tested) = proxied(|settings| settings.pool.pool_pre_ping = false).await;
    for fault in [Fault::Cut, Fault::Reset] {
        tested.fill().await;
        proxy.strike(fault);
        let (message, outcome_unknown) = unavailable(tested.query("SELECT 1").await);
        assert!(!outcome_unknown, "{message}");
        // The first loss tells of the other connections.
        tested.query("SELECT 1").await.unwrap();
        tested.settled_and_working().await;
    }
}

#[tokio::test]
async fn the_way_is_gone_and_new_connections_are_reset() {
    let (proxy, tested) = proxied(|settings| settings.pool.ping_timeout = PING).await;
    tested.fill().await;
    proxy.treat_newcomers(Newcomers::Reset);
    proxy.strike(Fault::Silence);
    for _ in 0..3 {
        let asked = Instant::now();
        let (message, _) = unavailable(tested.query("SELECT 1").await);
        assert!(message.contains("cannot reach"), "{message}");
        assert!(asked.elapsed() < BOUND, "{:?}", asked.elapsed());
    }
    proxy.heal();
    tested.settled_and_working().await;
}
