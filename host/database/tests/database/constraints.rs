//! Owns the errors that the databases themselves give: constraints, conflicts, statements.

use poolhouse_database::{
    Backend, ConflictKind, ConstraintKind, Error, Isolation, TransactionOptions, Value, Within,
};

use crate::both::{both, everything, postgresql};

#[tokio::test]
async fn each_kind_of_constraint() {
    for opened in both().await {
        opened
            .ddl("CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (a INTEGER NOT NULL, b INTEGER, p INTEGER REFERENCES p (id), CONSTRAINT positive CHECK (a > 0), CONSTRAINT pair UNIQUE (a, b)); INSERT INTO c VALUES (1, 1, NULL)")
            .await;
        let is_postgresql = opened.backend() == Backend::Postgresql;
        for (sql, kind, name, table, columns) in [
            (
                "INSERT INTO c VALUES (1, 1, NULL)",
                ConstraintKind::Unique,
                if is_postgresql { "pair" } else { "" },
                "c",
                vec!["a", "b"],
            ),
            (
                "INSERT INTO c VALUES (NULL, 1, NULL)",
                ConstraintKind::NotNull,
                "",
                "c",
                vec!["a"],
            ),
            (
                "INSERT INTO c VALUES (-1, 1, NULL)",
                ConstraintKind::Check,
                "positive",
                if is_postgresql { "c" } else { "" },
                vec![],
            ),
            (
                "INSERT INTO c VALUES (2, 2, 7)",
                ConstraintKind::ForeignKey,
                if is_postgresql { "c_p_fkey" } else { "" },
                if is_postgresql { "c" } else { "" },
                if is_postgresql { vec!["p"] } else { vec![] },
            ),
        ] {
            let error = opened.execute(sql, &[]).await.unwrap_err();
            let Error::Constraint {
                kind: got,
                name: got_name,
                table: got_table,
                columns: got_columns,
                message,
            } = &error
            else {
                panic!("{sql}: {error:?}")
            };
            assert_eq!(
                (*got, got_name.as_str(), got_table.as_str()),
                (kind, name, table),
                "{error:?}"
            );
            assert_eq!(got_columns, &columns, "{error:?}");
            assert!(!message.is_empty());
        }
    }
}

#[tokio::test]
async fn a_statement_the_database_refuses() {
    for opened in both().await {
        let error = opened
            .rows("SELECT nothing FROM nowhere", &[])
            .await
            .unwrap_err();
        let Error::Statement { code, position, .. } = &error else {
            panic!("{error:?}")
        };
        match opened.backend() {
            Backend::Sqlite => assert_eq!(code, "1"),
            Backend::Postgresql => assert_eq!((code.as_str(), *position), ("42P01", Some(21))),
        }
        assert_eq!(
            opened.value("SELECT 1", &[]).await.unwrap(),
            Value::Int64(1)
        );
    }
}

#[tokio::test]
async fn conflicts_between_transactions() {
    let opened = postgresql().await;
    opened.ddl("CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER); INSERT INTO t VALUES (1, 0), (2, 0)").await;
    let actor = everything();
    let serializable = TransactionOptions {
        isolation: Isolation::RepeatableRead,
        ..TransactionOptions::default()
    };
    let (mut first, mut second) = (opened.chain(), opened.chain());
    let one = first.begin(&actor, serializable).await.unwrap();
    let two = second.begin(&actor, serializable).await.unwrap();
    for chain in [&mut first, &mut second] {
        chain
            .query(&actor, Within::Session, "SELECT * FROM t", &[])
            .await
            .unwrap();
    }
    first
        .execute(
            &actor,
            Within::Session,
            "UPDATE t SET n = 1 WHERE id = 1",
            &[],
        )
        .await
        .unwrap();
    first.commit(one).await.unwrap();
    let error = second
        .execute(
            &actor,
            Within::Session,
            "UPDATE t SET n = 2 WHERE id = 1",
            &[],
        )
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            Error::Conflict {
                kind: ConflictKind::Serialization,
                ..
            }
        ),
        "{error:?}"
    );
    second.rollback(two).await.unwrap();

    let one = first
        .begin(&actor, TransactionOptions::default())
        .await
        .unwrap();
    first
        .query(
            &actor,
            Within::Session,
            "SELECT * FROM t WHERE id = 1 FOR UPDATE",
            &[],
        )
        .await
        .unwrap();
    let error = second
        .query(
            &actor,
            Within::Session,
            "SELECT * FROM t WHERE id = 1 FOR UPDATE NOWAIT",
            &[],
        )
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            Error::Conflict {
                kind: ConflictKind::Busy,
                ..
            }
        ),
        "{error:?}"
    );
    let two = second
        .begin(&actor, TransactionOptions::default())
        .await
        .unwrap();
    second
        .query(
            &actor,
            Within::Session,
            "SELECT * FROM t WHERE id = 2 FOR UPDATE",
            &[],
        )
        .await
        .unwrap();
    let (a, b) = tokio::join!(
        first.query(
            &actor,
            Within::Session,
            "SELECT * FROM t WHERE id = 2 FOR UPDATE",
            &[]
        ),
        second.query(
            &actor,
            Within::Session,
            "SELECT * FROM t WHERE id = 1 FOR UPDATE",
            &[]
        ),
    );
    let victims = [&a, &b]
        .into_iter()
        .filter(|result| {
            matches!(
                result,
                Err(Error::Conflict {
                    kind: ConflictKind::Deadlock,
                    ..
                })
            )
        })
        .count();
    // The other one waits until its rival's level is rolled back, which is only below; so join! ended with both.
    assert!(victims >= 1, "{a:?} {b:?}");
    let _ = first.rollback(one).await;
    let _ = second.rollback(two).await;
}

#[tokio::test]
async fn a_changed_table_under_a_prepared_statement() {
    let opened = postgresql().await;
    opened.ddl("CREATE TABLE t (a INTEGER)").await;
    opened.rows("SELECT * FROM t", &[]).await.unwrap();
    opened.ddl("ALTER TABLE t ADD COLUMN b INTEGER").await;
    let first = opened.rows("SELECT * FROM t", &[]).await;
    assert!(matches!(&first, Err(Error::Conflict { .. })), "{first:?}");
    opened.rows("SELECT * FROM t", &[]).await.unwrap();
}
