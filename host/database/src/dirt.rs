//! Owns, below the statement check, what a borrower can leave in its connection: none of it reaches the next one,
//! however the connection was given back.

mod kinds;
mod one;

use sqlx::{Executor, Row};

use crate::actor::{Actor, Within};
use crate::chain::Chain;
use crate::column::{Answer, Values};
use crate::connection::Connection;
use crate::error::Error;
use crate::footprint::StatementKind;
use crate::grants::{Grants, Tables};
use crate::session::Session;
use crate::transaction::TransactionOptions;
use crate::url::Backend;

use kinds::{Dirt, POSTGRESQL, POSTGRESQL_CLOSED, SQLITE, SQLITE_CLOSED};
use one::{One, postgresql, sqlite};

#[tokio::test]
async fn what_a_reset_takes_away_on_postgresql() {
    let mut one = postgresql().await;
    let role = "CREATE ROLE somebody; GRANT ALL ON ALL TABLES IN SCHEMA public TO somebody";
    one.admin.as_mut().unwrap().execute(role).await.unwrap();
    one.none_reaches_the_next(POSTGRESQL, true).await;
}

/// What a session is known to be set for it is, whatever a borrower did to it.
#[tokio::test]
async fn what_a_session_is_set_for_outlives_a_reset_on_postgresql() {
    // What a session that only reads refuses, and what such a session is in any case.
    let writes = ["write", "failed", "temporary", "sequence", "mode"];
    for read_only in [false, true] {
        let mut one = postgresql().await;
        let role: String = format!("setting_{read_only}_{}", std::process::id());
        let sql = format!(
            "CREATE ROLE somebody_else; CREATE ROLE {role}; GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}; GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {role}"
        );
        let sql = match read_only {
            false => sql,
            true => sql.replace("CREATE ROLE somebody_else; ", ""),
        };
        let admin = one.admin.as_mut().unwrap();
        admin
            .execute(sqlx::raw_sql(sqlx::AssertSqlSafe(sql)))
            .await
            .unwrap();
        one.session = Session {
            role: Some(role.into()),
            read_only,
        };
        let dirts: Vec<(&str, Dirt)> = POSTGRESQL
            .iter()
            .filter(|(name, _)| !read_only || !writes.iter().any(|word| name.contains(word)))
            .map(|(name, dirt)| match dirt {
                Dirt::Sql("SET ROLE somebody") => (*name, Dirt::Sql("SET ROLE NONE")),
                Dirt::Sql("SET SESSION AUTHORIZATION somebody") => {
                    (*name, Dirt::Sql("SET SESSION AUTHORIZATION somebody_else"))
                }
                dirt => (*name, *dirt),
            })
            .collect();
        one.none_reaches_the_next(&dirts, true).await;
    }
}

#[tokio::test]
async fn what_is_closed_instead_on_postgresql() {
    postgresql()
        .await
        .none_reaches_the_next(POSTGRESQL_CLOSED, false)
        .await;
}

#[tokio::test]
async fn what_a_reset_takes_away_on_sqlite() {
    sqlite().await.none_reaches_the_next(SQLITE, true).await;
}

#[tokio::test]
async fn what_is_closed_instead_on_sqlite() {
    sqlite()
        .await
        .none_reaches_the_next(SQLITE_CLOSED, false)
        .await;
}

/// The statement check may be wrong about a statement; then it is run as a harmless one, and its connection not reset.
#[tokio::test]
async fn what_slips_past_the_check_is_refused_below_it() {
    for mut one in [postgresql().await, sqlite().await] {
        let mut lease = one.lend().await;
        let mut operation = lease.operation(None).unwrap();
        let clean = one.traces(&mut operation).await;
        let (kept, closed) = match one.database.backend() {
            Backend::Postgresql => (POSTGRESQL, POSTGRESQL_CLOSED),
            Backend::Sqlite => (SQLITE, SQLITE_CLOSED),
        };
        for (name, dirt) in kept.iter().chain(closed) {
            let (Dirt::Sql(sql) | Dirt::Failing(sql)) = dirt else {
                continue;
            };
            // A function is the list of functions' to know.
            if sql.starts_with("SELECT") {
                continue;
            }
            let first = sql.split(';').next().unwrap();
            for before in ["", " ", "-- a remark\n", "/* a /* nested */ one */ ", "("] {
                for kind in [StatementKind::Query, StatementKind::Write] {
                    let sql = format!("{before}{first}");
                    let result = One::run(&mut operation, &sql, kind).await;
                    assert!(
                        matches!(result, Err(Error::Invalid(_))),
                        "{name}: {sql}: {result:?}"
                    );
                }
            }
        }
        operation.complete();
        lease.release().await;
        one.next_is_clean("slipped past", &clean).await;
    }
}

#[tokio::test]
async fn random_numbers_are_nobody_elses_to_foresee() {
    let mut one = postgresql().await;
    let mut lease = one.lend().await;
    lease.touch();
    let mut operation = lease.operation(None).unwrap();
    operation.batch("SELECT setseed(0.5)").await.unwrap();
    operation.complete();
    lease.release().await;
    let admin = one.admin.as_mut().unwrap();
    admin.execute("SELECT setseed(0.5)").await.unwrap();
    let foreseen: f64 = admin.fetch_one("SELECT random()").await.unwrap().get(0);
    let mut lease = one.lend().await;
    let mut operation = lease.operation(None).unwrap();
    let Connection::Postgresql(connection) = &mut *operation else {
        unreachable!()
    };
    let row = connection.driver().fetch_one("SELECT random()").await;
    assert_ne!(row.unwrap().get::<f64, _>(0), foreseen);
    operation.complete();
    lease.release().await;
}

/// One inserts row 1, by itself; the next asks, in a transaction, for the last number that was given.
async fn last_number(one: &One, ask: &str) -> Result<i64, Error> {
    let actor = Actor::new(
        "tester",
        Grants {
            read: Tables::All,
            write: Tables::All,
            migrate: false,
            ..Grants::default()
        },
    );
    let mut chain = Chain::new(one.database.clone(), 1, None);
    let insert = "INSERT INTO numbered (note) VALUES ('mine')";
    chain
        .execute(&actor, Within::Session, insert, &[])
        .await
        .unwrap();
    let mut chain = Chain::new(one.database.clone(), 2, None);
    let id = chain
        .begin(&actor, TransactionOptions::default())
        .await
        .unwrap();
    let number = |answer: Answer| match &answer.batch.columns[0].values {
        Values::Int64(values) => values[0],
        other => panic!("{other:?}"),
    };
    let others = chain.query(&actor, Within::Session, ask, &[]).await;
    chain.rollback(id).await.unwrap();
    // One's own is told.
    let id = chain
        .begin(&actor, TransactionOptions::default())
        .await
        .unwrap();
    chain
        .execute(&actor, Within::Session, insert, &[])
        .await
        .unwrap();
    let own = chain.query(&actor, Within::Session, ask, &[]).await;
    assert_eq!(own.map(number), Ok(2));
    chain.commit(id).await.unwrap();
    others.map(number)
}

#[tokio::test]
async fn the_last_number_of_a_sequence_is_told_to_nobody_else() {
    let mut one = postgresql().await;
    let table = "CREATE TABLE numbered (id SERIAL, note TEXT)";
    one.admin.as_mut().unwrap().execute(table).await.unwrap();
    let answer = last_number(&one, "SELECT lastval()").await;
    assert!(
        matches!(&answer, Err(Error::Statement { code, .. }) if code == "55000"),
        "{answer:?}"
    );
}

#[tokio::test]
async fn the_last_row_is_told_to_nobody_else() {
    let one = sqlite().await;
    let mut lease = one.lend().await;
    let mut operation = lease.operation(None).unwrap();
    let table = "CREATE TABLE numbered (id INTEGER PRIMARY KEY, note TEXT)";
    operation.batch(table).await.unwrap();
    operation.complete();
    lease.release().await;
    let answer = last_number(&one, "SELECT last_insert_rowid()").await;
    assert!(matches!(answer, Err(Error::Invalid(_))), "{answer:?}");
}
