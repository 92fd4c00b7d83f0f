//! Owns the proof that a fault left nothing behind: the pool's counts add up, the server agrees with them, and work goes on.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use poolhouse_database::{
    Backend, Chain, Database, Error, Settings, TransactionId, TransactionOptions, Value, Within,
};
use poolhouse_test_postgres::proxy::Proxy;
use sqlx::{Connection, Executor, Row};
use tempfile::TempDir;

use crate::both::{eventually, everything, rows, settings};
use crate::server::server;

/// What a transaction that writes begins with.
pub(crate) const INSERT: &str = "INSERT INTO t (id) VALUES (1)";

/// How long the server may take to agree with the pool's counts.
const AGREE: Duration = Duration::from_secs(1);

/// How long after a fault the first work may fail.
const RECOVER: Duration = Duration::from_secs(5);

/// Longer than anything here may take.
const FOR_EVER: Duration = Duration::from_secs(30);

/// A database under test, with another way to it past the host's pool and past any proxy.
pub(crate) struct Tested {
    pub(crate) database: Database,
    /// A URL that no fault touches.
    pub(crate) direct: String,
    backend: Backend,
    watch: Watch,
    folder: Option<TempDir>,
}

/// The pool's counts, under names of our own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) idle: u32,
    pub(crate) lent: u32,
    pub(crate) waiting: u32,
    pub(crate) connecting: u32,
    pub(crate) opened: u64,
    /// Being pinged, reset or closed.
    moving: u32,
    total: u32,
    maximum: u32,
}

pub(crate) fn counts(database: &Database) -> Counts {
    let stats = database.stats();
    Counts {
        idle: stats.checked_in,
        lent: stats.checked_out,
        waiting: stats.waiting,
        connecting: stats.connecting,
        opened: stats.opened,
        moving: stats.pinging + stats.resetting + stats.closing,
        total: stats.total(),
        maximum: database.maximum_connections().unwrap(),
    }
}

impl Counts {
    fn check(self) -> Result<(), String> {
        let sum = self.idle + self.lent + self.connecting + self.moving;
        if sum == self.total && self.total <= self.maximum {
            Ok(())
        } else {
            Err(format!("the counts do not add up: {self:?}"))
        }
    }

    /// Nothing is lent or waited for, and nothing is being opened, reset or closed.
    pub(crate) fn is_settled(self) -> bool {
        self.idle == self.total && self.waiting == 0
    }
}

/// Looks at the counts all the time, and keeps the first that were wrong.
struct Watch {
    wrong: Arc<Mutex<Option<String>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Watch {
    fn start(database: Database) -> Self {
        let wrong = Arc::new(Mutex::new(None));
        let found = Arc::clone(&wrong);
        let task = tokio::spawn(async move {
            loop {
                if let Err(message) = counts(&database).check() {
                    found.lock().unwrap().get_or_insert(message);
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        });
        Self { wrong, task }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A pool of two connections and one more under load, that pings whatever was idle.
pub(crate) fn small(url: &str) -> Settings {
    let mut settings = settings(url);
    settings.pool.pool_size = 2;
    settings.pool.max_overflow = 1;
    settings.pool.pool_pre_ping_idle = Duration::ZERO;
    settings
}

/// A database of the run's server, by way of a proxy.
pub(crate) async fn proxied(change: impl FnOnce(&mut Settings)) -> (Proxy, Tested) {
    let (proxy, url) = server().proxied().await;
    let direct = server().url(name(&url));
    let mut settings = small(&url);
    change(&mut settings);
    (proxy, Tested::open(settings, direct, None).await)
}

/// The database's name at the end of a URL.
pub(crate) fn name(url: &str) -> &str {
    let path = url.split('?').next().unwrap();
    path.rsplit('/').next().unwrap()
}

impl Tested {
    /// Opens a database and makes the tables that the tests use.
    pub(crate) async fn open(settings: Settings, direct: String, folder: Option<TempDir>) -> Self {
        let tested = Self::open_as_it_is(settings, direct, folder);
        tested.past("CREATE TABLE work (id INTEGER)").await;
        tested.past("CREATE TABLE t (id INTEGER, note TEXT)").await;
        tested
    }

    pub(crate) fn open_as_it_is(
        settings: Settings,
        direct: String,
        folder: Option<TempDir>,
    ) -> Self {
        let database = Database::open(settings).unwrap();
        Self {
            backend: database.backend(),
            watch: Watch::start(database.clone()),
            database,
            direct,
            folder,
        }
    }

    /// A call chain of its own.
    pub(crate) fn chain(&self) -> Chain {
        self.chain_until(None)
    }

    /// A call chain in a transaction that has inserted a row.
    pub(crate) async fn writing(&self) -> (Chain, TransactionId) {
        let (actor, mut chain) = (everything(), self.chain());
        let options = TransactionOptions::default();
        let id = chain.begin(&actor, options).await.unwrap();
        let insert = chain.execute(&actor, Within::Session, INSERT, &[]);
        assert_eq!(insert.await, Ok(1));
        (chain, id)
    }

    /// A call chain of its own, with a deadline.
    pub(crate) fn chain_until(&self, deadline: Option<tokio::time::Instant>) -> Chain {
        static NUMBERS: AtomicU64 = AtomicU64::new(1);
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        Chain::new(self.database.clone(), number, deadline)
    }

    /// Where an SQLite file and what belongs to it lives.
    pub(crate) fn folder(&self) -> &std::path::Path {
        self.folder.as_ref().unwrap().path()
    }

    pub(crate) async fn query(&self, sql: &str) -> Result<Vec<Vec<Value>>, Error> {
        query(&mut self.chain(), sql).await
    }

    /// Runs something past the host.
    pub(crate) async fn past(&self, sql: &str) {
        let sql = sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned()));
        match self.backend {
            Backend::Sqlite => {
                let mut connection = self.sqlite().await;
                connection.execute(sql).await.unwrap();
                connection.close().await.unwrap();
            }
            Backend::Postgresql => {
                let mut connection = self.postgresql().await;
                connection.execute(sql).await.unwrap();
                connection.close().await.unwrap();
            }
        }
    }

    /// A number, asked for past the host.
    pub(crate) async fn number_past(&self, sql: &str) -> i64 {
        let sql = sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned()));
        match self.backend {
            Backend::Sqlite => self.sqlite().await.fetch_one(sql).await.unwrap().get(0),
            Backend::Postgresql => self.postgresql().await.fetch_one(sql).await.unwrap().get(0),
        }
    }

    pub(crate) async fn sqlite(&self) -> sqlx::SqliteConnection {
        let options = sqlx::sqlite::SqliteConnectOptions::new()
            .filename(self.direct.trim_start_matches("sqlite://"))
            .create_if_missing(true)
            .journal_mode(sqlx::sqlite::SqliteJournalMode::Wal)
            .busy_timeout(Duration::ZERO);
        sqlx::SqliteConnection::connect_with(&options)
            .await
            .unwrap()
    }

    async fn postgresql(&self) -> sqlx::PgConnection {
        sqlx::PgConnection::connect(&self.direct).await.unwrap()
    }

    /// Waits until the server runs a statement of the host's that looks like this.
    pub(crate) async fn until_runs(&self, like: &str) {
        let sql = format!(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'poolhouse' AND state = 'active' AND wait_event = 'PgSleep' AND query LIKE '{like}'"
        );
        eventually(like, async || self.number_past(&sql).await > 0).await;
    }

    /// Opens as many connections as the pool keeps, and leaves them idle.
    pub(crate) async fn fill(&self) {
        let wanted = self.database.stats().size;
        let mut chains = Vec::new();
        let options = TransactionOptions {
            read_only: true,
            ..TransactionOptions::default()
        };
        for _ in 0..wanted {
            let mut chain = self.chain();
            chain.begin(&everything(), options).await.unwrap();
            chains.push(chain);
        }
        for mut chain in chains {
            chain.finish().await;
        }
        assert_eq!(counts(&self.database).idle, wanted);
    }

    /// What must be so after every fault.
    pub(crate) async fn settled_and_working(&self) {
        // A connection that broke unnoticed may cost its next borrower a statement, and no more than that.
        let until = Instant::now() + RECOVER;
        while let Err(error) = work(self.chain()).await {
            assert!(Instant::now() < until, "no work: {error}");
            assert!(
                matches!(error, Error::Unavailable { .. } | Error::Timeout { .. }),
                "{error:?}"
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let maximum = counts(&self.database).maximum;
        let tasks: Vec<_> = (0..maximum * 3)
            .map(|_| tokio::spawn(work(self.chain())))
            .collect();
        for task in tasks {
            task.await.unwrap().unwrap();
        }
        eventually("the pool is settled", async || {
            counts(&self.database).is_settled()
        })
        .await;
        match self.backend {
            Backend::Sqlite => self.nothing_locked().await,
            Backend::Postgresql => self.server_agrees().await,
        }
        assert_eq!(*self.watch.wrong.lock().unwrap(), None);
    }

    async fn server_agrees(&self) {
        let mut admin = self.postgresql().await;
        let until = Instant::now() + AGREE;
        loop {
            let sql = "SELECT count(*), count(*) FILTER (WHERE state = 'idle') FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'poolhouse'";
            let row = admin.fetch_one(sql).await.unwrap();
            let (open, idle): (i64, i64) = (row.get(0), row.get(1));
            let ours = counts(&self.database);
            if open == i64::from(ours.total) && idle == i64::from(ours.idle) {
                return;
            }
            assert!(
                Instant::now() < until,
                "the server has {open}, {idle} of them idle, and the pool {ours:?}"
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// No transaction is open: another connection may write at once, and empty the log of writes.
    async fn nothing_locked(&self) {
        let mut connection = self.sqlite().await;
        connection
            .execute("BEGIN IMMEDIATE; ROLLBACK")
            .await
            .unwrap();
        let row = connection
            .fetch_one("PRAGMA wal_checkpoint(TRUNCATE)")
            .await
            .unwrap();
        assert_eq!(row.get::<i64, _>(0), 0, "somebody still reads");
    }
}

/// One transaction and one statement by itself, with their results looked at.
async fn work(mut chain: Chain) -> Result<(), Error> {
    let actor = everything();
    let id = chain.begin(&actor, TransactionOptions::default()).await?;
    let insert = "INSERT INTO work VALUES (1)";
    let changed = chain.execute(&actor, Within::Session, insert, &[]).await?;
    assert_eq!(changed, 1);
    chain.commit(id).await?;
    let sql = "SELECT count(*) > 0 AS found, 41 + 1 AS sum FROM work";
    let found = query(&mut chain, sql).await?;
    assert_eq!(found[0][1], Value::Int64(42));
    assert!(matches!(
        found[0][0],
        Value::Boolean(true) | Value::Int64(1)
    ));
    Ok(())
}

pub(crate) async fn query(chain: &mut Chain, sql: &str) -> Result<Vec<Vec<Value>>, Error> {
    let actor = everything();
    let work = chain.query(&actor, Within::Session, sql, &[]);
    let answer = tokio::time::timeout(FOR_EVER, work).await;
    Ok(rows(&answer.expect("the statement never ends")?))
}

/// The message of an error that says the database is not to be had, and whether a commit's outcome is unknown.
#[track_caller]
pub(crate) fn unavailable<T: std::fmt::Debug>(result: Result<T, Error>) -> (String, bool) {
    match result {
        Err(Error::Unavailable {
            message,
            outcome_unknown,
            ..
        }) => (message, outcome_unknown),
        other => panic!("not `unavailable` but {other:?}"),
    }
}
