//! Owns ways that break in the middle of an answer: no part of it is taken for the whole.

use poolhouse_database::Within;
use poolhouse_test_postgres::proxy::{Fault, Reach, Side};

use crate::both::everything;
use crate::settled::{INSERT, proxied, query, unavailable};

/// Rows that say `needle` only when the server answers them.
const MANY: &str = "SELECT 'need' || 'le' || i FROM generate_series(1, 2000) AS s (i)";

/// In a message's head, in its body, and where one ends: 10 bytes are `needle1` with the lengths before it.
const PASSES: [usize; 6] = [0, 1, 3, 10, 100, 5_000];

#[tokio::test]
async fn an_answer_is_cut_off_or_reset_in_the_middle() {
    let (proxy, tested) = proxied(|_| ()).await;
    for fault in [Fault::Cut, Fault::Reset] {
        for passes in PASSES {
            proxy.trap(Side::Server, "needle", Reach::Answer(passes), fault);
            let (message, outcome_unknown) = unavailable(tested.query(MANY).await);
            assert!(!outcome_unknown, "{fault:?} {passes}: {message}");
        }
        tested.settled_and_working().await;
        assert_eq!(tested.query(MANY).await.unwrap().len(), 2_000);
    }
}

#[tokio::test]
async fn in_a_transaction_an_answer_is_cut_off_and_the_transaction_lost() {
    let (proxy, tested) = proxied(|_| ()).await;
    let actor = everything();
    for fault in [Fault::Cut, Fault::Reset] {
        let (mut chain, id) = tested.writing().await;
        let savepoint = chain.savepoint(&actor, id).await.unwrap();
        proxy.trap(Side::Server, "needle", Reach::Answer(50), fault);
        unavailable(query(&mut chain, MANY).await);
        // What follows does not go to another connection, where it would stand alone.
        let later = chain.execute(&actor, Within::Session, INSERT, &[]).await;
        unavailable(later);
        let (message, outcome_unknown) = unavailable(chain.commit(savepoint).await);
        assert!(!outcome_unknown, "{message}");
        let (message, outcome_unknown) = unavailable(chain.commit(id).await);
        assert!(!outcome_unknown, "{message}");
        assert_eq!((chain.depth(), chain.holds_connection()), (0, false));
        tested.settled_and_working().await;
        assert_eq!(tested.number_past("SELECT count(*) FROM t").await, 0);
    }
}

#[tokio::test]
async fn a_way_breaks_before_its_connection_is_open() {
    let (proxy, tested) = proxied(|_| ()).await;
    for (side, needle) in [
        (Side::Server, "SCRAM-SHA-256"),
        (Side::Server, "server_version"),
        (Side::Client, "pg_backend_pid"),
        (Side::Client, "client_min_messages"),
    ] {
        for fault in [Fault::Cut, Fault::Reset] {
            for reach in [Reach::Nowhere, Reach::Answer(3)] {
                proxy.strike(Fault::Cut);
                proxy.trap(side, needle, reach, fault);
                let sprung = proxy.sprung();
                while proxy.sprung() == sprung {
                    let (message, outcome_unknown) = unavailable(tested.query("SELECT 1").await);
                    assert!(!outcome_unknown, "{needle} {fault:?} {reach:?}: {message}");
                }
            }
        }
        tested.settled_and_working().await;
    }
}
