//! Owns a server that stops and starts again, politely and not, at the worst moments.

use std::time::{Duration, Instant};

use poolhouse_database::{Error, TransactionOptions, Within};
use poolhouse_test_postgres::Shutdown;

use crate::both::everything;
use crate::settled::{counts, query, unavailable};
use crate::stoppable::Stoppable;

const BOTH: [Shutdown; 2] = [Shutdown::Fast, Shutdown::Immediate];

const INSERT: &str = "INSERT INTO t VALUES (1)";

#[tokio::test]
async fn the_server_restarts_while_connections_are_idle() {
    let (mut server, tested) = Stoppable::start().await;
    for how in BOTH {
        tested.fill().await;
        server.stop(how).await;
        for _ in 0..3 {
            let asked = Instant::now();
            let (message, _) = unavailable(tested.query("SELECT 1").await);
            assert!(message.contains("refused"), "{message}");
            assert!(
                asked.elapsed() < Duration::from_secs(3),
                "{:?}",
                asked.elapsed()
            );
        }
        let health = tested.database.health().await;
        assert!(
            !health.up && health.message.contains("refused"),
            "{health:?}"
        );
        server.start_again().await;
        tested.settled_and_working().await;
    }
}

#[tokio::test]
async fn the_server_restarts_in_the_middle_of_a_statement() {
    let (mut server, tested) = Stoppable::start().await;
    for how in BOTH {
        let (mut reader, mut writer) = (tested.chain(), tested.chain());
        let reading =
            tokio::spawn(async move { query(&mut reader, "SELECT 1, pg_sleep(60)").await });
        let writing = tokio::spawn(async move {
            let sql = "INSERT INTO t SELECT 1 FROM pg_sleep(60)";
            writer
                .execute(&everything(), Within::Session, sql, &[])
                .await
        });
        tested.until_runs("SELECT%").await;
        tested.until_runs("INSERT%").await;
        server.stop(how).await;
        let (message, outcome_unknown) = unavailable(reading.await.unwrap());
        assert!(!outcome_unknown, "{message}");
        // By itself a write commits too.
        let (message, outcome_unknown) = unavailable(writing.await.unwrap());
        assert!(
            outcome_unknown && message.contains("not known"),
            "{message}"
        );
        server.start_again().await;
        assert_eq!(tested.number_past("SELECT count(*) FROM t").await, 0);
        tested.settled_and_working().await;
    }
}

#[tokio::test]
async fn the_server_restarts_in_the_middle_of_a_transaction() {
    let (mut server, tested) = Stoppable::start().await;
    let actor = everything();
    for how in BOTH {
        let (mut asks, mut commits) = (tested.chain(), tested.chain());
        let mut ids = Vec::new();
        for chain in [&mut asks, &mut commits] {
            ids.push(
                chain
                    .begin(&actor, TransactionOptions::default())
                    .await
                    .unwrap(),
            );
            chain
                .execute(&actor, Within::Session, INSERT, &[])
                .await
                .unwrap();
        }
        server.stop(how).await;
        server.start_again().await;
        // One notices by a statement, and answers the same from then on; nothing of it goes to another connection.
        let (message, outcome_unknown) = unavailable(query(&mut asks, "SELECT 1").await);
        assert!(!outcome_unknown, "{message}");
        for _ in 0..2 {
            unavailable(query(&mut asks, "SELECT 1").await);
        }
        let (message, outcome_unknown) = unavailable(asks.commit(ids[0]).await);
        assert!(!outcome_unknown, "{message}");
        assert!(!asks.holds_connection());
        // The other by its commit.
        let (_, outcome_unknown) = unavailable(commits.commit(ids[1]).await);
        assert!(outcome_unknown);
        assert_eq!(tested.number_past("SELECT count(*) FROM t").await, 0);
        // The chains themselves are none the worse.
        for chain in [&mut asks, &mut commits] {
            assert!(!chain.holds_connection());
            query(chain, "SELECT 1").await.unwrap();
        }
        tested.settled_and_working().await;
    }
}

#[tokio::test]
async fn the_server_restarts_during_a_commit() {
    let (mut server, tested) = Stoppable::start().await;
    let actor = everything();
    let slow = "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(60); RETURN NULL; END';
        CREATE TABLE s (id INTEGER);
        CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON s DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION slow()";
    tested.past(slow).await;
    for how in BOTH {
        let mut chain = tested.chain();
        let id = chain
            .begin(&actor, TransactionOptions::default())
            .await
            .unwrap();
        let insert = "INSERT INTO s VALUES (1)";
        chain
            .execute(&actor, Within::Session, insert, &[])
            .await
            .unwrap();
        let committing = tokio::spawn(async move { (chain.commit(id).await, chain) });
        tested.until_runs("%COMMIT").await;
        server.stop(how).await;
        let (result, mut chain) = committing.await.unwrap();
        let (message, outcome_unknown) = unavailable(result);
        assert!(
            outcome_unknown && message.contains("not known"),
            "{message}"
        );
        assert!(matches!(chain.commit(id).await, Err(Error::Closed(_))));
        server.start_again().await;
        // Tried again, it would still be asleep, or have come through.
        assert_eq!(tested.number_past("SELECT count(*) FROM s").await, 0);
        tested.settled_and_working().await;
        assert_eq!(tested.number_past("SELECT count(*) FROM s").await, 0);
        assert_eq!(counts(&tested.database).lent, 0);
    }
}
