//! Owns servers that take no new connections: the cause is told, no password is, and what is open goes on.

use std::time::Duration;

use poolhouse_database::{Condition, Error, TransactionOptions, UnavailableReason};
use poolhouse_test_postgres::PASSWORD;
use poolhouse_test_postgres::proxy::{Fault, Newcomers};

use crate::both::everything;
use crate::server::server;
use crate::settled::{Tested, counts, name, proxied, query, small};

/// A database and a role that owns it.
async fn owned(role: &str, password: &str) -> Tested {
    let url = server().database().await;
    let name = name(&url).to_owned();
    let direct = server().url(&name);
    let mut admin = server().admin(&name).await;
    let sql = format!(
        "CREATE ROLE {role} LOGIN PASSWORD '{password}'; ALTER DATABASE {name} OWNER TO {role}; ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO {role}"
    );
    sqlx::Executor::execute(&mut admin, sqlx::raw_sql(sqlx::AssertSqlSafe(sql)))
        .await
        .unwrap();
    let url = server().tcp_url(role, password, &name);
    Tested::open(small(&url), direct, None).await
}

#[track_caller]
fn reason<T: std::fmt::Debug>(result: Result<T, Error>) -> (UnavailableReason, String) {
    match result {
        Err(Error::Unavailable {
            reason,
            message,
            outcome_unknown: false,
        }) => (reason, message),
        other => panic!("not `unavailable` but {other:?}"),
    }
}

#[tokio::test]
async fn the_server_has_too_many_connections() {
    let tested = owned("crowded", "of-crowded").await;
    tested.past("ALTER ROLE crowded CONNECTION LIMIT 2").await;
    let actor = everything();
    let (mut first, mut second) = (tested.chain(), tested.chain());
    let options = TransactionOptions::default();
    let of_first = first.begin(&actor, options).await.unwrap();
    let of_second = second.begin(&actor, options).await.unwrap();
    // Both could come back, so the next one waits for them, and learns in the end why there is no third.
    let soon = tokio::time::Instant::now() + Duration::from_millis(300);
    let mut third = tested.chain_until(Some(soon));
    let (reason, message) = reason(query(&mut third, "SELECT 1").await);
    assert_eq!(reason, UnavailableReason::NotReady);
    let health = tested.database.pool_health();
    assert_eq!(health.condition, Condition::Degraded);
    assert!(
        health.message.contains("too many connections"),
        "{health:?}"
    );
    assert!(
        message.contains("too many connections") && message.contains("max_overflow"),
        "{message}"
    );
    // The pool goes on with what it has.
    query(&mut first, "SELECT 1").await.unwrap();
    first.commit(of_first).await.unwrap();
    tested.query("SELECT 1").await.unwrap();
    second.commit(of_second).await.unwrap();
    let tasks: Vec<_> = (0..12)
        .map(|_| {
            let mut chain = tested.chain();
            tokio::spawn(async move { query(&mut chain, "SELECT 1, pg_sleep(0.01)").await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(counts(&tested.database).idle, 2);
    tested.past("ALTER ROLE crowded CONNECTION LIMIT -1").await;
    tested.settled_and_working().await;
}

#[tokio::test]
async fn the_server_is_starting_up() {
    let (proxy, tested) = proxied(|_| ()).await;
    for connected in [false, true] {
        if connected {
            tested.fill().await;
        }
        proxy.treat_newcomers(Newcomers::Refused(
            "57P03",
            "the database system is starting up",
        ));
        proxy.strike(Fault::Cut);
        for _ in 0..3 {
            let (reason, message) = reason(tested.query("SELECT 1").await);
            assert_eq!(reason, UnavailableReason::Starting);
            assert!(message.contains("starting up"), "{message}");
        }
        let health = tested.database.health().await;
        assert!(
            !health.up && health.message.contains("starting up"),
            "{health:?}"
        );
        proxy.heal();
        tested.settled_and_working().await;
    }
}

#[tokio::test]
async fn the_password_is_changed_and_changed_back() {
    let tested = owned("forgetful", "the-first-word").await;
    let actor = everything();
    let mut holder = tested.chain();
    let id = holder
        .begin(&actor, TransactionOptions::default())
        .await
        .unwrap();
    tested
        .past("ALTER ROLE forgetful PASSWORD 'the-second-word'")
        .await;
    for _ in 0..2 {
        let (reason, message) = reason(tested.query("SELECT 1").await);
        assert_eq!(reason, UnavailableReason::Authentication);
        assert!(message.contains("\"forgetful\""), "{message}");
        for password in ["the-first-word", "the-second-word", PASSWORD] {
            assert!(!message.contains(password), "{message}");
        }
    }
    // What is open goes on, lent and idle.
    query(&mut holder, "SELECT 1").await.unwrap();
    holder.commit(id).await.unwrap();
    tested.query("SELECT 1").await.unwrap();
    tested
        .past("ALTER ROLE forgetful PASSWORD 'the-first-word'")
        .await;
    tested.settled_and_working().await;
}
