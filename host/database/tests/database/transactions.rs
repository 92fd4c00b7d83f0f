//! Owns transactions: savepoints, joining, aborting, timeouts, and what is left when nobody ends them.

use std::time::Duration;

use poolhouse_database::{
    Backend, ConflictKind, Error, Isolation, TimeoutKind, TransactionOptions, Value, Within,
};
use sqlx::Row;

use crate::both::{Opened, both, eventually, everything, postgresql, sqlite, text};
use crate::server::server;

async fn with_table() -> [Opened; 2] {
    let opened = both().await;
    for opened in &opened {
        opened
            .ddl("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)")
            .await;
    }
    opened
}

async fn ids(opened: &Opened) -> Vec<i64> {
    opened
        .rows("SELECT id FROM t ORDER BY id", &[])
        .await
        .unwrap()
        .into_iter()
        .map(|row| match row[0] {
            Value::Int64(id) => id,
            ref other => panic!("{other:?}"),
        })
        .collect()
}

const INSERT: &str = "INSERT INTO t (id) VALUES ($1)";

fn read_only() -> TransactionOptions {
    TransactionOptions {
        read_only: true,
        ..TransactionOptions::default()
    }
}

#[tokio::test]
async fn savepoints_nest_and_end_one_by_one() {
    for opened in with_table().await {
        let actor = everything();
        let mut chain = opened.chain();
        let outer = chain
            .begin(&actor, TransactionOptions::default())
            .await
            .unwrap();
        chain
            .execute(
                &actor,
                Within::Transaction(outer),
                INSERT,
                &[Value::Int64(1)],
            )
            .await
            .unwrap();
        let first = chain.savepoint(&actor, outer).await.unwrap();
        chain
            .execute(
                &actor,
                Within::Transaction(first),
                INSERT,
                &[Value::Int64(2)],
            )
            .await
            .unwrap();
        let second = chain.savepoint(&actor, first).await.unwrap();
        chain
            .execute(&actor, Within::Session, INSERT, &[Value::Int64(3)])
            .await
            .unwrap();
        assert_eq!(
            (chain.depth(), chain.holds_connection(), chain.is_writing()),
            (3, true, true)
        );

        // While a savepoint is open, what is outside of it can't be used; and a refused commit changes nothing.
        for error in [
            chain
                .query(&actor, Within::Transaction(outer), "SELECT 1", &[])
                .await
                .map(|_| ())
                .unwrap_err(),
            chain.commit(outer).await.unwrap_err(),
            chain.commit(first).await.unwrap_err(),
            chain
                .savepoint(&actor, outer)
                .await
                .map(|_| ())
                .unwrap_err(),
        ] {
            assert!(
                matches!(&error, Error::Invalid(message) if message.contains("open savepoint")),
                "{error:?}"
            );
        }
        chain.rollback(second).await.unwrap();
        chain
            .execute(
                &actor,
                Within::Transaction(first),
                INSERT,
                &[Value::Int64(4)],
            )
            .await
            .unwrap();
        chain.commit(first).await.unwrap();
        assert!(matches!(chain.commit(first).await, Err(Error::Closed(_))));
        assert!(matches!(
            chain
                .query(&actor, Within::Transaction(second), "SELECT 1", &[])
                .await,
            Err(Error::Closed(_))
        ));
        chain.commit(outer).await.unwrap();
        assert_eq!(
            (
                chain.depth(),
                chain.holds_connection(),
                chain.is_open(outer)
            ),
            (0, false, false)
        );
        assert_eq!(ids(&opened).await, [1, 2, 4]);

        // Rolling back an outer level ends the inner ones.
        let outer = chain
            .begin(&actor, TransactionOptions::default())
            .await
            .unwrap();
        let inner = chain
            .begin(&actor, TransactionOptions::default())
            .await
            .unwrap();
        chain
            .execute(&actor, Within::Session, INSERT, &[Value::Int64(9)])
            .await
            .unwrap();
        chain.rollback(outer).await.unwrap();
        assert!(matches!(chain.rollback(inner).await, Err(Error::Closed(_))));
        assert_eq!(ids(&opened).await, [1, 2, 4]);
        assert_eq!(opened.database.stats().checked_out, 0);
    }
}

#[tokio::test]
async fn a_failed_statement() {
    for opened in with_table().await {
        let actor = everything();
        let mut chain = opened.chain();
        let outer = chain
            .begin(&actor, TransactionOptions::default())
            .await
            .unwrap();
        chain
            .execute(&actor, Within::Session, INSERT, &[Value::Int64(1)])
            .await
            .unwrap();
        let inner = chain.savepoint(&actor, outer).await.unwrap();
        assert!(matches!(
            chain
                .execute(&actor, Within::Session, INSERT, &[Value::Int64(1)])
                .await,
            Err(Error::Constraint { .. })
        ));
        let next = chain
            .execute(&actor, Within::Session, INSERT, &[Value::Int64(2)])
            .await;
        match opened.backend() {
            Backend::Sqlite => {
                next.unwrap();
                chain.commit(inner).await.unwrap();
            }
            Backend::Postgresql => {
                assert!(
                    matches!(next, Err(Error::Statement { code, message, .. }) if code == "25P02" && message.contains("savepoint"))
                );
                chain.rollback(inner).await.unwrap();
                chain
                    .execute(&actor, Within::Session, INSERT, &[Value::Int64(2)])
                    .await
                    .unwrap();
            }
        }
        chain.commit(outer).await.unwrap();
        assert_eq!(ids(&opened).await, [1, 2]);
    }
}

#[tokio::test]
async fn the_commit_of_an_aborted_transaction_is_an_error() {
    let [_, opened] = with_table().await;
    let actor = everything();
    let mut chain = opened.chain();
    for depth in [1, 2] {
        let outer = chain
            .begin(&actor, TransactionOptions::default())
            .await
            .unwrap();
        chain
            .execute(&actor, Within::Session, INSERT, &[Value::Int64(depth)])
            .await
            .unwrap();
        let id = if depth == 2 {
            chain.savepoint(&actor, outer).await.unwrap()
        } else {
            outer
        };
        assert!(
            matches!(chain.query(&actor, Within::Session, "SELECT 1 / 0", &[]).await, Err(Error::Statement { code, .. }) if code == "22012")
        );
        assert!(
            matches!(chain.commit(id).await, Err(Error::Statement { code, message, .. }) if code == "25P02" && message.contains("rolled back"))
        );
        assert!(!chain.is_open(id));
        if depth == 2 {
            chain.commit(outer).await.unwrap();
        }
    }
    assert_eq!(ids(&opened).await, [2]);
}

#[tokio::test]
async fn a_deferred_constraint_fails_the_commit() {
    for opened in both().await {
        opened
            .ddl("CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (p INTEGER REFERENCES p (id) DEFERRABLE INITIALLY DEFERRED)")
            .await;
        let actor = everything();
        let mut chain = opened.chain();
        let id = chain
            .begin(&actor, TransactionOptions::default())
            .await
            .unwrap();
        chain
            .execute(&actor, Within::Session, "INSERT INTO c VALUES (7)", &[])
            .await
            .unwrap();
        assert!(matches!(
            chain.commit(id).await,
            Err(Error::Constraint { .. })
        ));
        assert!(!chain.is_open(id) && !chain.holds_connection());
        assert_eq!(
            opened.value("SELECT count(*) FROM c", &[]).await.unwrap(),
            Value::Int64(0)
        );
        let id = chain
            .begin(&actor, TransactionOptions::default())
            .await
            .unwrap();
        chain.commit(id).await.unwrap();
    }
}

#[tokio::test]
async fn read_only_and_isolation() {
    for opened in with_table().await {
        let actor = everything();
        let mut chain = opened.chain();
        let id = chain.begin(&actor, read_only()).await.unwrap();
        assert!(!chain.is_writing() && chain.holds_connection());
        assert!(matches!(
            chain
                .execute(&actor, Within::Session, INSERT, &[Value::Int64(1)])
                .await,
            Err(Error::Invalid(_))
        ));
        let inner = chain.begin(&actor, read_only()).await.unwrap();
        chain
            .query(&actor, Within::Session, "SELECT * FROM t", &[])
            .await
            .unwrap();
        chain.commit(inner).await.unwrap();
        chain.commit(id).await.unwrap();
        // The next one on the same connection may write again.
        let id = chain
            .begin(&actor, TransactionOptions::default())
            .await
            .unwrap();
        assert!(matches!(
            chain.begin(&actor, read_only()).await,
            Err(Error::Invalid(_))
        ));
        chain
            .execute(&actor, Within::Session, INSERT, &[Value::Int64(1)])
            .await
            .unwrap();
        chain.commit(id).await.unwrap();
        assert_eq!(opened.execute(INSERT, &[Value::Int64(2)]).await.unwrap(), 1);

        let strong = TransactionOptions {
            isolation: Isolation::Serializable,
            ..TransactionOptions::default()
        };
        let id = chain.begin(&actor, strong).await.unwrap();
        if opened.backend() == Backend::Postgresql {
            let answer = chain
                .query(
                    &actor,
                    Within::Session,
                    "SELECT current_setting('transaction_isolation')",
                    &[],
                )
                .await
                .unwrap();
            assert_eq!(crate::both::rows(&answer), [[text("serializable")]]);
            let weak = chain
                .begin(
                    &actor,
                    TransactionOptions {
                        isolation: Isolation::ReadCommitted,
                        ..strong
                    },
                )
                .await
                .unwrap();
            chain.rollback(weak).await.unwrap();
        }
        chain.rollback(id).await.unwrap();
        let id = chain
            .begin(&actor, TransactionOptions::default())
            .await
            .unwrap();
        assert_eq!(
            chain.begin(&actor, strong).await.is_err(),
            opened.backend() == Backend::Postgresql
        );
        chain.rollback(id).await.unwrap();
    }
}

#[tokio::test]
async fn what_lives_in_a_connection_needs_a_transaction() {
    for opened in with_table().await {
        let (sql, expected) = match opened.backend() {
            Backend::Sqlite => ("SELECT last_insert_rowid()", Value::Int64(5)),
            Backend::Postgresql => ("SELECT lastval()", Value::Int64(1)),
        };
        if opened.backend() == Backend::Postgresql {
            opened.ddl("CREATE TABLE s (id bigserial, t INTEGER)").await;
        }
        let error = opened.value(sql, &[]).await.unwrap_err();
        assert!(
            matches!(&error, Error::Invalid(message) if message.contains("RETURNING")),
            "{error:?}"
        );
        let actor = everything();
        let mut chain = opened.chain();
        let id = chain
            .begin(&actor, TransactionOptions::default())
            .await
            .unwrap();
        let insert = if opened.backend() == Backend::Sqlite {
            "INSERT INTO t VALUES (5, 'x')"
        } else {
            "INSERT INTO s (t) VALUES (1)"
        };
        chain
            .execute(&actor, Within::Session, insert, &[])
            .await
            .unwrap();
        assert_eq!(
            crate::both::rows(
                &chain
                    .query(&actor, Within::Session, sql, &[])
                    .await
                    .unwrap()
            ),
            [[expected]]
        );
        chain.rollback(id).await.unwrap();
    }
}

#[tokio::test]
async fn past_its_timeout_a_transaction_is_rolled_back() {
    for opened in with_table().await {
        let actor = everything();
        let mut chain = opened.chain();
        let options = TransactionOptions {
            timeout: Some(Duration::from_millis(60)),
            ..TransactionOptions::default()
        };
        let id = chain.begin(&actor, options).await.unwrap();
        chain
            .execute(&actor, Within::Session, INSERT, &[Value::Int64(1)])
            .await
            .unwrap();
        // Passing time is what is tested here.
        tokio::time::sleep(Duration::from_millis(80)).await;
        for _ in 0..2 {
            let error = chain
                .query(&actor, Within::Session, "SELECT 1", &[])
                .await
                .unwrap_err();
            assert!(
                matches!(error, Error::Timeout { kind: TimeoutKind::Transaction, limit, .. } if limit == Duration::from_millis(60)),
                "{error:?}"
            );
        }
        // Nobody's work slips out of the transaction while its owner has not heard of the end.
        assert!(chain.is_open(id) && !chain.holds_connection());
        assert!(matches!(
            chain.begin(&actor, TransactionOptions::default()).await,
            Err(Error::Timeout { .. })
        ));
        assert!(matches!(chain.commit(id).await, Err(Error::Timeout { .. })));
        assert!(!chain.is_open(id));
        assert!(ids(&opened).await.is_empty());

        // A savepoint's own timeout ends it alone.
        let id = chain
            .begin(&actor, TransactionOptions::default())
            .await
            .unwrap();
        chain
            .execute(&actor, Within::Session, INSERT, &[Value::Int64(1)])
            .await
            .unwrap();
        let inner = chain.begin(&actor, options).await.unwrap();
        chain
            .execute(&actor, Within::Session, INSERT, &[Value::Int64(2)])
            .await
            .unwrap();
        tokio::time::sleep(Duration::from_millis(80)).await;
        assert!(matches!(
            chain
                .execute(&actor, Within::Session, INSERT, &[Value::Int64(3)])
                .await,
            Err(Error::Timeout { .. })
        ));
        chain.rollback(inner).await.unwrap();
        chain.commit(id).await.unwrap();
        assert_eq!(ids(&opened).await, [1]);
    }
}

#[tokio::test]
async fn a_statement_that_outlasts_the_transaction() {
    let opened = postgresql().await;
    let actor = everything();
    let mut chain = opened.chain();
    let id = chain
        .begin(
            &actor,
            TransactionOptions {
                timeout: Some(Duration::from_millis(100)),
                ..TransactionOptions::default()
            },
        )
        .await
        .unwrap();
    let error = chain
        .query(&actor, Within::Session, "SELECT pg_sleep(30)", &[])
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            Error::Timeout {
                kind: TimeoutKind::Transaction,
                ..
            }
        ),
        "{error:?}"
    );
    assert!(matches!(
        chain.query(&actor, Within::Session, "SELECT 1", &[]).await,
        Err(Error::Timeout { .. })
    ));
    chain.rollback(id).await.unwrap();
    chain
        .query(&actor, Within::Session, "SELECT 1", &[])
        .await
        .unwrap();
}

#[tokio::test]
async fn what_is_left_open_is_rolled_back() {
    for opened in with_table().await {
        let actor = everything();
        let mut chain = opened.chain();
        chain
            .begin(&actor, TransactionOptions::default())
            .await
            .unwrap();
        chain
            .execute(&actor, Within::Session, INSERT, &[Value::Int64(1)])
            .await
            .unwrap();
        chain
            .begin(&actor, TransactionOptions::default())
            .await
            .unwrap();
        chain
            .begin(&actor, TransactionOptions::default())
            .await
            .unwrap();
        chain.unwind_to(1).await;
        assert_eq!(chain.depth(), 1);
        chain
            .execute(&actor, Within::Session, INSERT, &[Value::Int64(2)])
            .await
            .unwrap();
        chain.finish().await;
        assert_eq!((chain.depth(), chain.holds_connection()), (0, false));
        assert!(ids(&opened).await.is_empty());

        // Dropped instead, it ends in the background, and the connection is clean.
        let mut chain = opened.chain();
        chain
            .begin(&actor, TransactionOptions::default())
            .await
            .unwrap();
        chain
            .execute(&actor, Within::Session, INSERT, &[Value::Int64(1)])
            .await
            .unwrap();
        drop(chain);
        eventually("the connection is back", async || {
            opened.database.stats().checked_in == 1
        })
        .await;
        assert!(ids(&opened).await.is_empty());
        assert_eq!(opened.execute(INSERT, &[Value::Int64(3)]).await.unwrap(), 1);
        assert_eq!(opened.database.stats().opened, 1);
    }
}

#[tokio::test]
async fn a_reset_leaves_nothing_of_the_session() {
    let opened = postgresql().await;
    let pid = opened.value("SELECT pg_backend_pid()", &[]).await.unwrap();
    for sql in [
        "SELECT set_config('search_path', 'nowhere', false)",
        "SELECT set_config('application_name', 'mine', false)",
        "SELECT pg_advisory_lock(42)",
    ] {
        opened.rows(sql, &[]).await.unwrap();
    }
    let after = opened
        .rows("SELECT pg_backend_pid(), current_setting('search_path'), current_setting('application_name'), current_setting('client_connection_check_interval'), (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid())", &[])
        .await
        .unwrap();
    assert_eq!(
        after[0],
        [
            pid,
            text("\"$user\", public"),
            text("poolhouse"),
            text("1s"),
            Value::Int64(0)
        ]
    );
}

#[tokio::test]
async fn a_killed_backend_loses_the_transaction_and_nothing_else() {
    let opened = postgresql().await;
    opened.ddl("CREATE TABLE t (id INTEGER)").await;
    let actor = everything();
    let mut admin = server().admin("postgres").await;
    for commit in [false, true] {
        let mut chain = opened.chain();
        let id = chain
            .begin(&actor, TransactionOptions::default())
            .await
            .unwrap();
        let answer = chain
            .query(&actor, Within::Session, "SELECT pg_backend_pid()", &[])
            .await
            .unwrap();
        chain
            .execute(&actor, Within::Session, INSERT, &[Value::Int64(1)])
            .await
            .unwrap();
        let Value::Int64(pid) = crate::both::rows(&answer)[0][0] else {
            panic!()
        };
        let killed = sqlx::query("SELECT pg_terminate_backend($1)")
            .bind(pid as i32)
            .fetch_one(&mut admin)
            .await
            .unwrap();
        assert!(killed.get::<bool, _>(0));
        if commit {
            let error = chain.commit(id).await.unwrap_err();
            assert!(
                matches!(
                    error,
                    Error::Unavailable {
                        outcome_unknown: true,
                        ..
                    }
                ),
                "{error:?}"
            );
            assert!(!chain.is_open(id));
        } else {
            let error = chain
                .execute(&actor, Within::Session, INSERT, &[Value::Int64(2)])
                .await
                .unwrap_err();
            assert!(
                matches!(
                    error,
                    Error::Unavailable {
                        outcome_unknown: false,
                        ..
                    }
                ),
                "{error:?}"
            );
            // Not on another connection, by itself.
            assert!(matches!(
                chain
                    .execute(&actor, Within::Session, INSERT, &[Value::Int64(3)])
                    .await,
                Err(Error::Unavailable { .. })
            ));
            assert!(matches!(
                chain.rollback(id).await,
                Err(Error::Unavailable { .. })
            ));
        }
        chain
            .execute(&actor, Within::Session, "SELECT 1", &[])
            .await
            .unwrap();
    }
    assert!(ids(&opened).await.is_empty());
}

#[tokio::test]
async fn sqlite_writers_exclude_each_other() {
    let opened = sqlite().await;
    opened.ddl("CREATE TABLE t (id INTEGER PRIMARY KEY)").await;
    let settings = poolhouse_database::Settings {
        busy_timeout: Duration::from_millis(50),
        ..crate::both::settings(&opened.url)
    };
    let impatient = poolhouse_database::Database::open(settings).unwrap();
    let actor = everything();
    let mut holder = opened.chain();
    let id = holder
        .begin(&actor, TransactionOptions::default())
        .await
        .unwrap();
    let mut other = poolhouse_database::Chain::new(impatient.clone(), 2, None);
    assert!(matches!(
        other.begin(&actor, TransactionOptions::default()).await,
        Err(Error::Conflict {
            kind: ConflictKind::Busy,
            ..
        })
    ));
    assert!(matches!(
        other
            .execute(&actor, Within::Session, INSERT, &[Value::Int64(1)])
            .await,
        Err(Error::Conflict {
            kind: ConflictKind::Busy,
            ..
        })
    ));
    other
        .query(&actor, Within::Session, "SELECT * FROM t", &[])
        .await
        .unwrap();
    // Told beforehand, it does not even wait.
    other.refuse_writes(Some(
        "the chain is writing on another connection".to_owned(),
    ));
    assert!(
        matches!(other.begin(&actor, TransactionOptions::default()).await, Err(Error::Conflict { message, .. }) if message.contains("another connection"))
    );
    assert!(matches!(
        other
            .execute(&actor, Within::Session, INSERT, &[Value::Int64(1)])
            .await,
        Err(Error::Conflict { .. })
    ));
    let reading = other.begin(&actor, read_only()).await.unwrap();
    other.rollback(reading).await.unwrap();
    other.refuse_writes(None);
    holder.commit(id).await.unwrap();
    other
        .execute(&actor, Within::Session, INSERT, &[Value::Int64(1)])
        .await
        .unwrap();
    assert_eq!(impatient.close(Duration::from_secs(5)).await, 0);
}

#[tokio::test]
async fn a_trigger_that_ends_the_transaction_is_noticed() {
    let opened = sqlite().await;
    opened.ddl("CREATE TABLE t (id INTEGER PRIMARY KEY); CREATE TRIGGER no BEFORE INSERT ON t WHEN new.id = 13 BEGIN SELECT RAISE(ROLLBACK, 'unlucky'); END").await;
    let actor = everything();
    let mut chain = opened.chain();
    let id = chain
        .begin(&actor, TransactionOptions::default())
        .await
        .unwrap();
    chain
        .execute(&actor, Within::Session, INSERT, &[Value::Int64(1)])
        .await
        .unwrap();
    assert!(
        chain
            .execute(&actor, Within::Session, INSERT, &[Value::Int64(13)])
            .await
            .is_err()
    );
    // It must not be committed by itself.
    assert!(
        chain
            .execute(&actor, Within::Session, INSERT, &[Value::Int64(2)])
            .await
            .is_err()
    );
    assert!(chain.commit(id).await.is_err());
    assert!(ids(&opened).await.is_empty());
}

#[test]
fn futures_can_move_between_threads() {
    fn sendable<T: Send>(_: impl Fn() -> T) {}
    fn chain() -> poolhouse_database::Chain {
        unreachable!()
    }
    fn database() -> poolhouse_database::Database {
        unreachable!()
    }
    sendable(|| async { chain().query(&everything(), Within::Session, "", &[]).await });
    sendable(|| async {
        chain()
            .begin(&everything(), TransactionOptions::default())
            .await
    });
    sendable(|| async {
        let mut chain = chain();
        let id = chain
            .begin(&everything(), TransactionOptions::default())
            .await
            .unwrap();
        chain.savepoint(&everything(), id).await.unwrap();
        let _ = chain.commit(id).await;
        let _ = chain.rollback(id).await;
        chain.finish().await;
    });
    sendable(|| async { database().health().await });
    sendable(|| async {
        database()
            .migrate(&"x".into(), &everything().grants, &[])
            .await
    });
}
