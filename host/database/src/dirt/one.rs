//! Owns a pool of one connection, what can be seen of its session, and making it dirty and looking at it again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::TryStreamExt;
use poolhouse_pool::{Lease, Options};
use sqlx::{Connection as _, Executor, Row};
use tokio::sync::Notify;

use crate::builder::Limits;
use crate::connection::{Connection, DatabaseConnector};
use crate::database::{Database, Settings};
use crate::error::Error;
use crate::footprint::StatementKind;
use crate::session::Session;
use crate::statement::{Author, Request};
use crate::url::DatabaseUrl;

use super::kinds::{Dirt, GivenBack, WAYS};

const READ: &str = "SELECT id FROM t";

const POSTGRESQL_TRACES: &str = "SELECT 'setting ' || name || ' ' || setting FROM pg_catalog.pg_settings WHERE source = 'session'
    UNION ALL SELECT 'user ' || current_user || ' ' || session_user
    UNION ALL SELECT 'channel ' || name FROM pg_listening_channels() AS s (name)
    UNION ALL SELECT 'lock ' || objid FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()
    UNION ALL SELECT 'table ' || relname FROM pg_class WHERE relnamespace = pg_my_temp_schema()
    UNION ALL SELECT 'function ' || proname FROM pg_proc WHERE pronamespace = pg_my_temp_schema()
    UNION ALL SELECT 'cursor ' || name FROM pg_cursors WHERE name <> ''
    UNION ALL SELECT 'prepared ' || name FROM pg_prepared_statements WHERE from_sql
    UNION ALL SELECT 'transaction' WHERE now() <> statement_timestamp()";

const SQLITE_TRACES: &[&str] = &[
    "PRAGMA foreign_keys",
    "PRAGMA query_only",
    "SELECT 'a' LIKE 'A'",
    "PRAGMA writable_schema",
    "PRAGMA ignore_check_constraints",
    "PRAGMA recursive_triggers",
    "PRAGMA cache_size",
    "PRAGMA busy_timeout",
    "PRAGMA synchronous",
    "PRAGMA max_page_count",
    "SELECT name FROM sqlite_temp_master",
    "SELECT name FROM pragma_database_list WHERE name <> 'temp'",
];

/// A pool of one connection.
pub(super) struct One {
    pub(super) database: Database,
    /// A connection past the pool.
    pub(super) admin: Option<sqlx::PgConnection>,
    /// What its connection is set for by every borrower.
    pub(super) session: Session,
    _folder: Option<tempfile::TempDir>,
}

fn open(url: &str) -> Database {
    let mut settings = Settings::new(DatabaseUrl::parse(url).unwrap());
    settings.pool = Options {
        pool_size: 1,
        max_overflow: 0,
        ..Options::default()
    };
    Database::open(settings).unwrap()
}

pub(super) async fn postgresql() -> One {
    let server = poolhouse_test_postgres::shared().unwrap();
    let url = tokio::task::spawn_blocking(move || server.database().unwrap())
        .await
        .unwrap();
    let mut admin = sqlx::PgConnection::connect(&url).await.unwrap();
    admin
        .execute("CREATE TABLE t (id INTEGER); CREATE SEQUENCE s")
        .await
        .unwrap();
    One {
        database: open(&url),
        admin: Some(admin),
        session: Session::default(),
        _folder: None,
    }
}

pub(super) async fn sqlite() -> One {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("test.db").display());
    let one = One {
        database: open(&url),
        admin: None,
        session: Session::default(),
        _folder: Some(folder),
    };
    let mut lease = one.lend().await;
    let mut operation = lease.operation(None).unwrap();
    operation
        .batch("CREATE TABLE t (id INTEGER)")
        .await
        .unwrap();
    operation.complete();
    lease.release().await;
    one
}

impl One {
    pub(super) async fn lend(&self) -> Lease<DatabaseConnector> {
        let own = self.database.own();
        let lease = own
            .acquire(&self.database, &poolhouse_pool::Request::default())
            .await;
        lease.unwrap()
    }

    /// What can be seen of a session by its own statements.
    pub(super) async fn traces(&self, connection: &mut Connection) -> Vec<String> {
        match connection {
            Connection::Postgresql(connection) => {
                let driver = connection.driver();
                let rows = driver.fetch_all(sqlx::raw_sql(POSTGRESQL_TRACES)).await;
                let mut traces: Vec<String> = rows.unwrap().iter().map(|row| row.get(0)).collect();
                let last = driver.fetch_one(sqlx::raw_sql("SELECT lastval()")).await;
                traces.extend(last.ok().map(|_| "lastval".to_owned()));
                traces
            }
            Connection::Sqlite(connection) => {
                let driver = connection.driver();
                let mut traces = Vec::new();
                for sql in SQLITE_TRACES {
                    for row in driver.fetch_all(sqlx::raw_sql(*sql)).await.unwrap() {
                        let value = row
                            .try_get::<i64, _>(0)
                            .map(|value| value.to_string())
                            .or_else(|_| row.try_get::<String, _>(0));
                        traces.push(format!("{sql}: {}", value.unwrap()));
                    }
                }
                let nested = driver.execute("BEGIN").await.is_err();
                traces.push(format!("in a transaction: {nested}"));
                if !nested {
                    driver.execute("ROLLBACK").await.unwrap();
                }
                traces
            }
        }
    }

    /// The states that the server shows of the pool's connections, whatever name they have given themselves.
    async fn states(&mut self) -> Option<Vec<String>> {
        let sql = "SELECT state FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name <> 'poolhouse-control'";
        let rows = self.admin.as_mut()?.fetch_all(sql).await.unwrap();
        Some(rows.iter().map(|row| row.get(0)).collect())
    }

    async fn states_become_idle(&mut self, what: &str) {
        let until = Instant::now() + Duration::from_secs(1);
        while let Some(states) = self.states().await
            && states != ["idle"]
        {
            assert!(Instant::now() < until, "{what}: {states:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Leaves it in a connection, and makes sure that it is there.
    async fn dirty(&mut self, connection: &mut Connection, dirt: Dirt, clean: &[String]) {
        match (dirt, &mut *connection) {
            (Dirt::Sql("DEALLOCATE ALL"), _) => {
                connection.batch("DEALLOCATE ALL").await.unwrap();
                return;
            }
            (Dirt::Sql(sql), _) => connection.batch(sql).await.unwrap(),
            (Dirt::Failing(sql), _) => {
                connection.batch(sql).await.unwrap_err();
            }
            (Dirt::HalfReadCopy, Connection::Postgresql(connection)) => {
                let copy = "COPY (SELECT generate_series(1, 1000000)) TO STDOUT";
                let mut stream = connection.driver().copy_out_raw(copy).await.unwrap();
                assert!(stream.try_next().await.unwrap().is_some());
            }
            (Dirt::HalfReadStatement, Connection::Sqlite(connection)) => {
                let many = "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n) SELECT i FROM n";
                let mut stream = connection.driver().fetch(many);
                assert!(stream.try_next().await.unwrap().is_some());
                return;
            }
            (dirt, _) => panic!("{dirt:?} is the other database's"),
        }
        let idle = self.states().await.is_none_or(|states| states == ["idle"]);
        if idle {
            assert_ne!(
                self.traces(connection).await,
                clean,
                "{dirt:?} leaves no trace"
            );
        }
    }

    async fn dirty_and_give_back(&mut self, dirt: Dirt, way: GivenBack, clean: &[String]) -> u64 {
        let mut lease = self.lend().await;
        let id = lease.id();
        let done = Notify::new();
        let work = async {
            // As a borrower does before whatever may touch the session.
            lease.touch();
            let mut operation = lease.operation(None).unwrap();
            self.dirty(&mut operation, dirt, clean).await;
            if way == GivenBack::Cancelled {
                done.notify_one();
                std::future::pending::<()>().await;
            }
            operation.complete();
            lease
        };
        tokio::select! {
            lease = work => match way {
                GivenBack::Released => lease.release().await,
                _ => drop(lease),
            },
            () = done.notified() => {}
        }
        id
    }

    /// A statement as any borrower runs it, the driver's cache and all.
    pub(super) async fn run(
        connection: &mut Connection,
        sql: &str,
        kind: StatementKind,
    ) -> Result<u32, Error> {
        let request = Request {
            sql: &Arc::from(sql),
            parameters: &[],
            kind,
            author: Author::Plugin,
            limits: Limits {
                rows: 10,
                bytes: 1_000,
            },
            rows: true,
        };
        let ran = connection.run(request).await;
        ran.map(|ran| ran.answer.batch.rows)
            .map_err(|failed| failed.error)
    }

    pub(super) async fn next_is_clean(&mut self, what: &str, clean: &[String]) -> u64 {
        let mut lease = self.lend().await;
        self.states_become_idle(what).await;
        let mut operation = lease.operation(None).unwrap();
        operation.set_for(&self.session).await.unwrap();
        assert_eq!(self.traces(&mut operation).await, clean, "{what}");
        let rows = Self::run(&mut operation, READ, StatementKind::Query).await;
        assert_eq!(rows, Ok(0), "{what}");
        operation.complete();
        let id = lease.id();
        lease.release().await;
        id
    }

    pub(super) async fn none_reaches_the_next(&mut self, dirts: &[(&str, Dirt)], reused: bool) {
        let mut lease = self.lend().await;
        let mut operation = lease.operation(None).unwrap();
        operation.set_for(&self.session).await.unwrap();
        Self::run(&mut operation, READ, StatementKind::Query)
            .await
            .unwrap();
        let clean = self.traces(&mut operation).await;
        operation.complete();
        lease.release().await;
        for (name, dirt) in dirts {
            for way in WAYS {
                let what = format!("{name}, {way:?}");
                let before = self.dirty_and_give_back(*dirt, way, &clean).await;
                let after = self.next_is_clean(&what, &clean).await;
                let expected = reused && way != GivenBack::Cancelled;
                assert_eq!(before == after, expected, "{what}");
            }
        }
        let stats = self.database.stats();
        assert_eq!((stats.checked_in, stats.total()), (1, 1), "{stats:?}");
    }
}
