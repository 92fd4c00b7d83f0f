//! Owns the second lock on PostgreSQL, with the statement check out of its way: roles and sessions that only read, for
//! whom they hold, and that they cost nothing while nobody else comes between.

use std::sync::Arc;

use poolhouse_database::{
    Actor, Chain, Database, Error, Grants, MigrationError, Tables, TransactionId,
    TransactionOptions, Value, Within,
};
use sqlx::Executor;

use crate::both::{Opened, both, everything, open, postgresql, rows, settings, sqlite, text};
use crate::server::server;

/// A role of this test's alone: roles are the whole server's.
fn role(opened: &Opened, name: &str) -> Arc<str> {
    let database = opened.url.rsplit('/').next().unwrap();
    format!("{name}_{}", database.split('?').next().unwrap()).into()
}

/// May do everything by its grants, and only what the role may by PostgreSQL.
fn acting(plugin: &str, role: &Arc<str>) -> Actor {
    Actor {
        plugin: plugin.into(),
        role: Some(Arc::clone(role)),
        ..everything()
    }
}

fn reader() -> Actor {
    Actor::new(
        "reader",
        Grants {
            read: Tables::All,
            ..Grants::default()
        },
    )
}

/// A pool of one connection.
fn one(opened: &Opened) -> Database {
    let mut settings = settings(&opened.url);
    (settings.pool.pool_size, settings.pool.max_overflow) = (1, 0);
    settings.pool.pool_pre_ping = false;
    Database::open(settings).unwrap()
}

fn chain(database: &Database) -> Chain {
    Chain::new(database.clone(), 1, None)
}

async fn first(chain: &mut Chain, actor: &Actor, sql: &str) -> Result<Value, Error> {
    let answer = chain.query(actor, Within::Session, sql, &[]).await?;
    Ok(rows(&answer)[0][0].clone())
}

#[track_caller]
fn is_denied<T: std::fmt::Debug>(result: Result<T, Error>, words: &[&str]) {
    let Err(Error::Denied(said)) = &result else {
        panic!("{result:?}")
    };
    for word in words {
        assert!(said.contains(word), "{word}: {said}");
    }
}

#[tokio::test]
async fn a_role_without_rights_is_refused_everything_by_postgresql() {
    let opened = postgresql().await;
    let weak = role(&opened, "weak");
    opened
        .ddl(&format!(
            "CREATE TABLE t (id INTEGER); INSERT INTO t VALUES (1); CREATE ROLE \"{weak}\""
        ))
        .await;
    let database = one(&opened);
    let (weak, login) = (acting("weak", &weak), everything());
    let words = ["\"weak\"", "weak_", "permission denied for table t"];
    for _ in 0..2 {
        let mut chain = chain(&database);
        is_denied(first(&mut chain, &weak, "SELECT id FROM t").await, &words);
        let insert = "INSERT INTO t VALUES ($1)";
        let value = [Value::Int64(2)];
        for sql in [
            insert,
            "UPDATE t SET id = $1",
            "DELETE FROM t WHERE id = $1",
        ] {
            is_denied(
                chain.execute(&weak, Within::Session, sql, &value).await,
                &words,
            );
        }
        is_denied(
            chain
                .query(&weak, Within::Session, "DELETE FROM t RETURNING id", &[])
                .await,
            &words,
        );
        let column = poolhouse_database::Column {
            validity: Vec::new(),
            values: poolhouse_database::Values::Int64((0..9).collect()),
        };
        is_denied(
            chain
                .execute_many(
                    &weak,
                    Within::Session,
                    insert,
                    std::slice::from_ref(&column),
                )
                .await,
            &words,
        );
        is_denied(
            chain
                .open_cursor(&weak, Within::Session, "SELECT id FROM t", &[])
                .await,
            &words,
        );
        let id = chain
            .begin(&weak, TransactionOptions::default())
            .await
            .unwrap();
        is_denied(first(&mut chain, &weak, "SELECT id FROM t").await, &words);
        chain.rollback(id).await.unwrap();
        // The next one has the login's rights on the same connection.
        assert_eq!(
            first(&mut chain, &login, "SELECT sum(id)::int8 FROM t").await,
            Ok(Value::Int64(1))
        );
        assert_eq!(
            first(&mut chain, &weak, "SELECT current_user").await,
            Ok(text(weak.role.as_deref().unwrap()))
        );
    }
}

#[tokio::test]
async fn a_role_that_can_not_be_taken_is_said_with_what_to_do() {
    let opened = postgresql().await;
    let (strange, login) = (role(&opened, "Strange \"One\""), role(&opened, "login"));
    let nobody: Arc<str> = "nobody at all".into();
    opened
        .ddl(&format!(
            "CREATE ROLE {} ; CREATE ROLE \"{login}\" LOGIN PASSWORD 'p'",
            format_args!("\"{}\"", strange.replace('"', "\"\""))
        ))
        .await;
    let name = opened
        .url
        .rsplit('/')
        .next()
        .unwrap()
        .split('?')
        .next()
        .unwrap();
    let database = open(&server().tcp_url(&login, "p", name));
    for role in [&strange, &nobody] {
        let actor = acting("p", role);
        let words = ["\"p\"", "GRANT", "CREATE ROLE"];
        let mut chain = chain(&database);
        is_denied(first(&mut chain, &actor, "SELECT 1").await, &words);
        is_denied(
            chain.begin(&actor, TransactionOptions::default()).await,
            &words,
        );
        let loaded = database.grant_role(&actor).await;
        assert!(
            matches!(&loaded, Err(MigrationError::Denied(said)) if words.iter().all(|word| said.contains(word)) && said.contains("[plugins.p]")),
            "{loaded:?}"
        );
        // In a transaction of somebody else's it takes nothing with it but that transaction.
        let other = everything();
        let id = chain
            .begin(&other, TransactionOptions::default())
            .await
            .unwrap();
        is_denied(first(&mut chain, &actor, "SELECT 1").await, &words);
        chain.rollback(id).await.unwrap();
        assert_eq!(
            first(&mut chain, &other, "SELECT current_user").await,
            Ok(text(&login))
        );
    }
    let taken = format!("GRANT \"{}\" TO \"{login}\"", strange.replace('"', "\"\""));
    opened.ddl(&taken).await;
    let actor = acting("p", &strange);
    database.grant_role(&actor).await.unwrap();
    assert_eq!(
        first(&mut chain(&database), &actor, "SELECT current_user").await,
        Ok(text(&strange))
    );
}

#[tokio::test]
async fn sqlite_has_no_roles_and_says_so() {
    let opened = sqlite().await;
    let actor = acting("p", &"somebody".into());
    let words = ["\"p\"", "SQLite has no roles", "[plugins.p]"];
    let mut chain = opened.chain();
    is_denied(first(&mut chain, &actor, "SELECT 1").await, &words);
    is_denied(
        chain
            .open_cursor(&actor, Within::Session, "SELECT 1", &[])
            .await,
        &words,
    );
    is_denied(
        chain.begin(&actor, TransactionOptions::default()).await,
        &words,
    );
    let loaded = opened.database.grant_role(&actor).await;
    assert!(
        matches!(loaded, Err(MigrationError::Denied(_))),
        "{loaded:?}"
    );
}

/// Random work of three actors on one connection: each statement has its actor's own role, whatever came before it.
#[tokio::test]
async fn every_statement_has_its_own_actors_role() {
    let opened = postgresql().await;
    let (a, b) = (role(&opened, "a"), role(&opened, "b"));
    opened
        .ddl(&format!("CREATE ROLE \"{a}\"; CREATE ROLE \"{b}\""))
        .await;
    let database = one(&opened);
    let reading = Actor {
        role: Some(Arc::clone(&b)),
        composes: true,
        ..reader()
    };
    let actors = [acting("a", &a), acting("b", &b), everything(), reading];
    let mut random = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = move |below: u64| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random % below
    };
    for _ in 0..40 {
        let mut chain = chain(&database);
        let mut open: Vec<TransactionId> = Vec::new();
        let mut cursors = Vec::new();
        for _ in 0..25 {
            let actor = &actors[next(4) as usize];
            let user = actor.role.as_deref().unwrap_or("postgres");
            match next(10) {
                0 if open.is_empty() => {
                    let begun = chain.begin(actor, TransactionOptions::default()).await;
                    open.push(begun.unwrap());
                }
                1 | 2 if !open.is_empty() => {
                    open.push(chain.savepoint_around(&actor.plugin).await.unwrap());
                }
                3 if !open.is_empty() => {
                    chain.commit(open.pop().unwrap()).await.unwrap();
                }
                4 if !open.is_empty() => {
                    let at = next(open.len() as u64) as usize;
                    chain.rollback(open[at]).await.unwrap();
                    open.truncate(at);
                }
                5 if open.len() > 1 => {
                    let failed = first(&mut chain, actor, "SELECT 1/0").await;
                    assert!(matches!(failed, Err(Error::Statement { .. })), "{failed:?}");
                    chain.rollback(open.pop().unwrap()).await.unwrap();
                }
                6 if !open.is_empty() => {
                    // Its function is run when it is fetched, whoever acted meanwhile.
                    let sql = "SELECT current_user FROM generate_series(1, 3)";
                    let (cursor, _) = chain
                        .open_cursor(actor, Within::Session, sql, &[])
                        .await
                        .unwrap();
                    cursors.push((cursor, user));
                }
                7 if !cursors.is_empty() => {
                    let (cursor, user) = cursors.swap_remove(next(cursors.len() as u64) as usize);
                    // Else its level has ended.
                    if let Ok(Some(batch)) = chain.fetch(cursor).await {
                        let poolhouse_database::Values::Text(packed) = &batch.columns[0].values
                        else {
                            panic!("{batch:?}")
                        };
                        assert_eq!(packed.get(0), Some(user.as_bytes()));
                    }
                }
                8 => {
                    // It may have changed the session, so that nothing is taken for known.
                    let touched = first(&mut chain, actor, "SELECT setseed(0.5)::text");
                    touched.await.unwrap();
                }
                _ => {
                    let now = first(&mut chain, actor, "SELECT current_user").await;
                    assert_eq!(now, Ok(text(user)));
                }
            }
        }
        chain.finish().await;
    }
    let stats = database.stats();
    assert_eq!((stats.checked_out, stats.checked_in), (0, 1), "{stats:?}");
}

#[tokio::test]
async fn what_is_put_off_to_the_commit_runs_as_whoever_began() {
    let opened = postgresql().await;
    let (a, b) = (role(&opened, "a"), role(&opened, "b"));
    opened
        .ddl(&format!(
            "CREATE ROLE \"{a}\"; CREATE ROLE \"{b}\"; CREATE TABLE t (id INTEGER); CREATE TABLE who (name TEXT);
             GRANT ALL ON t, who TO \"{a}\", \"{b}\";
             CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO who VALUES (current_user); RETURN NULL; END';
             CREATE CONSTRAINT TRIGGER late AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note()"
        ))
        .await;
    let (database, caller, callee) = (one(&opened), acting("a", &a), acting("b", &b));
    let mut chain = chain(&database);
    let id = chain
        .begin(&caller, TransactionOptions::default())
        .await
        .unwrap();
    let around = chain.savepoint_around(&callee.plugin).await.unwrap();
    chain
        .execute(&callee, Within::Session, "INSERT INTO t VALUES (1)", &[])
        .await
        .unwrap();
    chain.commit(around).await.unwrap();
    chain.commit(id).await.unwrap();
    assert_eq!(
        first(&mut chain, &everything(), "SELECT name FROM who").await,
        Ok(text(&a))
    );
}

#[tokio::test]
async fn who_has_no_write_grant_writes_nothing_through_what_it_reads() {
    let opened = postgresql().await;
    opened
        .ddl(
            "CREATE TABLE t (id INTEGER);
             CREATE FUNCTION sneak() RETURNS int LANGUAGE sql VOLATILE AS 'INSERT INTO t VALUES (1) RETURNING id';
             CREATE VIEW v AS SELECT sneak() AS id",
        )
        .await;
    let database = one(&opened);
    let (mut reader, writer) = (reader(), everything());
    reader.grants.functions = ["sneak".to_owned()].into();
    let words = ["\"reader\"", "write = [", "read-only transaction"];
    for _ in 0..2 {
        let mut chain = chain(&database);
        for sql in ["SELECT id FROM v", "SELECT sneak()"] {
            is_denied(first(&mut chain, &reader, sql).await, &words);
            // A cursor's rows are made when they are asked for.
            let (cursor, _) = chain
                .open_cursor(&reader, Within::Session, sql, &[])
                .await
                .unwrap();
            let fetched = chain.fetch(cursor).await;
            assert!(
                matches!(&fetched, Err(Error::Statement { code, .. }) if code == "25006"),
                "{fetched:?}"
            );
            let id = chain
                .begin(&reader, TransactionOptions::default())
                .await
                .unwrap();
            is_denied(first(&mut chain, &reader, sql).await, &words);
            chain.rollback(id).await.unwrap();
        }
        assert_eq!(
            first(&mut chain, &writer, "SELECT id FROM v").await,
            Ok(Value::Int64(1))
        );
    }
    // By a plugin that calls others: they write in its transaction, and it does by itself only there.
    let caller = Actor {
        composes: true,
        ..reader
    };
    let mut chain = chain(&database);
    is_denied(first(&mut chain, &caller, "SELECT id FROM v").await, &words);
    let id = chain
        .begin(&caller, TransactionOptions::default())
        .await
        .unwrap();
    chain
        .execute(&writer, Within::Session, "INSERT INTO t VALUES (7)", &[])
        .await
        .unwrap();
    chain.commit(id).await.unwrap();
    is_denied(first(&mut chain, &caller, "SELECT id FROM v").await, &words);
    assert_eq!(
        first(&mut chain, &writer, "SELECT max(id) FROM t").await,
        Ok(Value::Int64(7))
    );
}

#[tokio::test]
async fn a_reader_that_calls_nobody_begins_transactions_that_only_read() {
    for opened in both().await {
        opened.ddl("CREATE TABLE t (id INTEGER)").await;
        let database = one(&opened);
        let writer = everything();
        for composes in [false, true] {
            let mut chain = chain(&database);
            let caller = Actor {
                composes,
                ..reader()
            };
            let id = chain
                .begin(&caller, TransactionOptions::default())
                .await
                .unwrap();
            assert_eq!(chain.is_writing(), composes);
            let insert = "INSERT INTO t VALUES (1)";
            let wrote = chain.execute(&writer, Within::Session, insert, &[]).await;
            assert_eq!(wrote.is_ok(), composes, "{wrote:?}");
            chain.commit(id).await.unwrap();
            assert_eq!(
                first(&mut chain, &caller, "SELECT count(*) FROM t").await,
                Ok(Value::Int64(i64::from(composes)))
            );
        }
        let mut chain = chain(&database);
        let wrote = chain
            .execute(&writer, Within::Session, "DELETE FROM t", &[])
            .await;
        assert_eq!(wrote, Ok(1));
    }
}

/// Round trips of so many statements by an actor, after the first.
async fn round_trips(
    proxied: &(poolhouse_test_postgres::proxy::Proxy, Database),
    actor: &Actor,
    sql: &str,
) -> u64 {
    let (proxy, database) = proxied;
    let mut chain = chain(database);
    for _ in 0..2 {
        chain.query(actor, Within::Session, sql, &[]).await.unwrap();
    }
    let before = proxy.asked();
    for _ in 0..20 {
        chain.query(actor, Within::Session, sql, &[]).await.unwrap();
    }
    proxy.asked() - before
}

#[tokio::test]
async fn alone_on_a_connection_a_plugin_pays_for_its_locks_once() {
    let (proxy, url) = server().proxied().await;
    let mut settings = settings(&url);
    (settings.pool.pool_size, settings.pool.max_overflow) = (2, 0);
    settings.pool.pool_pre_ping = false;
    let proxied = (proxy, Database::open(settings).unwrap());
    let plain = everything();
    let by_role = Actor {
        role: Some("postgres".into()),
        ..reader()
    };
    let select = "SELECT 1";
    assert_eq!(round_trips(&proxied, &plain, select).await, 20);
    assert_eq!(round_trips(&proxied, &by_role, select).await, 20);
    // A reset, which keeps what the session is set for, and no more.
    let touching = "SELECT setseed(0.5)::text";
    assert_eq!(round_trips(&proxied, &by_role, touching).await, 40);
    // BEGIN and COMMIT, and nothing for the role.
    let (proxy, database) = &proxied;
    let mut chain = chain(database);
    let before = proxy.asked();
    for ends in [true, false, true] {
        let id = chain
            .begin(&by_role, TransactionOptions::default())
            .await
            .unwrap();
        chain
            .query(&by_role, Within::Session, select, &[])
            .await
            .unwrap();
        let around = chain.savepoint_around(&by_role.plugin).await.unwrap();
        chain.rollback(around).await.unwrap();
        chain
            .query(&by_role, Within::Session, select, &[])
            .await
            .unwrap();
        match ends {
            true => chain.commit(id).await.unwrap(),
            false => chain.rollback(id).await.unwrap(),
        }
    }
    assert_eq!(proxy.asked() - before, 3 * 6);
    // Two that take turns have a connection each once both are open.
    let mut other = self::chain(database);
    let held = other
        .begin(&plain, TransactionOptions::default())
        .await
        .unwrap();
    first(&mut chain, &by_role, select).await.unwrap();
    other.rollback(held).await.unwrap();
    for actor in [&plain, &by_role] {
        first(&mut chain, actor, select).await.unwrap();
    }
    let before = proxy.asked();
    for _ in 0..10 {
        for actor in [&plain, &by_role] {
            first(&mut chain, actor, select).await.unwrap();
        }
    }
    assert_eq!(proxy.asked() - before, 20);
}

#[tokio::test]
async fn a_role_is_given_what_the_grants_name_and_no_more() {
    let opened = postgresql().await;
    let (login, own) = (role(&opened, "login"), role(&opened, "own"));
    let name = opened
        .url
        .rsplit('/')
        .next()
        .unwrap()
        .split('?')
        .next()
        .unwrap()
        .to_owned();
    opened
        .ddl(&format!(
            "CREATE ROLE \"{login}\" LOGIN PASSWORD 'p'; CREATE ROLE \"{own}\"; GRANT \"{own}\" TO \"{login}\";
             CREATE TABLE theirs (id INTEGER); CREATE SCHEMA more AUTHORIZATION \"{login}\"; GRANT CREATE ON SCHEMA public TO \"{login}\"; SET ROLE \"{login}\";
             CREATE TABLE t (id SERIAL, name TEXT); CREATE TABLE u (id INTEGER); CREATE TABLE more.w (id INTEGER);
             CREATE VIEW v AS SELECT id FROM u; CREATE TABLE poolhouse_migrations (plugin TEXT)"
        ))
        .await;
    let database = open(&server().tcp_url(&login, "p", &name));
    let granted = |read: Tables, write: Tables| Actor {
        grants: Grants {
            read,
            write,
            ..Grants::default()
        },
        ..acting("p", &own)
    };
    let actor = granted(
        Tables::from_iter(["v", "not there", "more.w"]),
        Tables::from_iter(["t"]),
    );
    let rights = async || {
        let sql = format!(
            "SELECT string_agg(c.relname || ' ' || p, ',' ORDER BY c.relname, p) FROM pg_class c, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) AS p \
             WHERE c.relname IN ('t', 'u', 'v', 'w', 'theirs', 'poolhouse_migrations') AND has_table_privilege('{own}', c.oid, p)"
        );
        let mut admin = server().admin(&name).await;
        let row = admin
            .fetch_one(sqlx::raw_sql(sqlx::AssertSqlSafe(sql)))
            .await
            .unwrap();
        sqlx::Row::get::<Option<String>, _>(&row, 0).unwrap_or_default()
    };
    assert_eq!(rights().await, "");
    let expected = "t DELETE,t INSERT,t SELECT,t UPDATE,v SELECT,w SELECT";
    for _ in 0..2 {
        database.grant_role(&actor).await.unwrap();
        assert_eq!(rights().await, expected);
    }
    // By the role itself: rows with serial numbers, the view whose table it may not read, another schema.
    let every = acting("p", &own);
    let mut chain = chain(&database);
    let insert = "INSERT INTO t (name) VALUES ('a')";
    assert_eq!(
        chain.execute(&every, Within::Session, insert, &[]).await,
        Ok(1)
    );
    for (sql, works) in [
        ("SELECT * FROM v", true),
        ("SELECT * FROM more.w", true),
        ("SELECT * FROM u", false),
        ("DELETE FROM more.w", false),
    ] {
        let ran = chain.query(&every, Within::Session, sql, &[]).await;
        assert_eq!(ran.is_ok(), works, "{sql}: {ran:?}");
    }
    // What the login can't give is an error where it is named.
    let of_others = granted(Tables::from_iter(["theirs"]), Tables::None);
    let error = database
        .grant_role(&of_others)
        .await
        .unwrap_err()
        .to_string();
    for word in ["\"p\"", "theirs", "GRANT SELECT ON TABLE"] {
        assert!(error.contains(word), "{word}: {error}");
    }
    database
        .grant_role(&granted(Tables::All, Tables::None))
        .await
        .unwrap();
    assert_eq!(
        rights().await,
        "t DELETE,t INSERT,t SELECT,t UPDATE,u SELECT,v SELECT,w SELECT"
    );
    assert_eq!(database.stats().checked_out, 0);
}
