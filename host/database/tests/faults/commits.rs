//! Owns commits whose answer is lost: said to be unknown, never tried again, and done or not as the server has it.

use poolhouse_database::{Value, Within};
use poolhouse_test_postgres::proxy::{Fault, Reach, Side};

use crate::both::everything;
use crate::settled::{Tested, proxied, unavailable};

const FAULTS: [Fault; 2] = [Fault::Cut, Fault::Reset];

/// How far the message gets, and so how many rows there are afterwards.
const REACHES: [(Reach, i64); 3] = [
    (Reach::Nowhere, 0),
    (Reach::Answer(0), 1),
    (Reach::Answer(7), 1),
];

async fn rows_are(tested: &Tested, expected: i64) {
    assert_eq!(tested.number_past("SELECT count(*) FROM t").await, expected);
    tested.settled_and_working().await;
    assert_eq!(
        tested.number_past("SELECT count(*) FROM t").await,
        expected,
        "tried again"
    );
    tested.past("TRUNCATE t").await;
}

#[tokio::test]
async fn a_commit_is_cut_off_before_the_server_or_before_its_answer() {
    let (proxy, tested) = proxied(|_| ()).await;
    for (at, fault) in FAULTS.into_iter().enumerate() {
        for (of, (reach, rows)) in REACHES.into_iter().enumerate() {
            let (mut chain, id) = tested.writing().await;
            proxy.trap(Side::Client, "COMMIT", reach, fault);
            let (message, outcome_unknown) = unavailable(chain.commit(id).await);
            assert!(
                outcome_unknown && message.contains("not known"),
                "{fault:?} {reach:?}: {message}"
            );
            assert_eq!(
                proxy.sprung(),
                (at * REACHES.len() + of + 1) as u64,
                "tried again"
            );
            assert!(!chain.holds_connection());
            rows_are(&tested, rows).await;
        }
    }
}

#[tokio::test]
async fn a_write_by_itself_is_cut_off_before_the_server_or_before_its_answer() {
    let (proxy, tested) = proxied(|_| ()).await;
    let actor = everything();
    let sql = "INSERT INTO t (note) VALUES ($1)";
    for fault in FAULTS {
        for (reach, rows) in REACHES {
            // It goes over with the values, not with the statement's text.
            proxy.trap(Side::Client, "the-note", reach, fault);
            let values = [Value::Text("the-note".to_owned())];
            let result = tested
                .chain()
                .execute(&actor, Within::Session, sql, &values)
                .await;
            let (message, outcome_unknown) = unavailable(result);
            assert!(
                outcome_unknown && message.contains("not known"),
                "{fault:?} {reach:?}: {message}"
            );
            rows_are(&tested, rows).await;
        }
    }
}

#[tokio::test]
async fn a_write_that_answers_rows_is_cut_off_at_its_commit() {
    let (proxy, tested) = proxied(|_| ()).await;
    let actor = everything();
    let sql = "INSERT INTO t VALUES (1) RETURNING id";
    for fault in FAULTS {
        for (reach, rows) in REACHES {
            proxy.trap(Side::Client, "COMMIT", reach, fault);
            let result = tested
                .chain()
                .query(&actor, Within::Session, sql, &[])
                .await;
            let (message, outcome_unknown) = unavailable(result);
            assert!(outcome_unknown, "{fault:?} {reach:?}: {message}");
            rows_are(&tested, rows).await;
        }
    }
}
