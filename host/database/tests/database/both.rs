//! Owns what all tests need: a database of either kind, an actor, and answers as rows.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use poolhouse_database::{
    Actor, Answer, Backend, Chain, Column, Database, DatabaseUrl, Error, Grants, Settings, Tables,
    Value, Values, Within,
};
use tempfile::TempDir;

use crate::server::server;

/// A database, and the folder that it lives in.
pub(crate) struct Opened {
    pub(crate) database: Database,
    pub(crate) url: String,
    _folder: Option<TempDir>,
}

pub(crate) async fn sqlite() -> Opened {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("test.db").display());
    Opened {
        database: open(&url),
        url,
        _folder: Some(folder),
    }
}

pub(crate) async fn postgresql() -> Opened {
    let url = server().database().await;
    Opened {
        database: open(&url),
        url,
        _folder: None,
    }
}

pub(crate) async fn both() -> [Opened; 2] {
    [sqlite().await, postgresql().await]
}

pub(crate) fn settings(url: &str) -> Settings {
    Settings::new(DatabaseUrl::parse(url).unwrap())
}

pub(crate) fn open(url: &str) -> Database {
    Database::open(settings(url)).unwrap()
}

/// What tests look at.
const CATALOGS: [&str; 9] = [
    "pg_attribute",
    "pg_class",
    "pg_cursors",
    "pg_locks",
    "pg_prepared_statements",
    "pg_proc",
    "pg_stat_activity",
    "sqlite_master",
    "sqlite_temp_master",
];
const FUNCTIONS: [&str; 5] = [
    "current_setting",
    "pg_advisory_lock",
    "pg_terminate_backend",
    "query_to_xml",
    "set_config",
];

pub(crate) fn everything() -> Actor {
    Actor::new(
        "tester",
        Grants {
            read: Tables::AllAnd(CATALOGS.map(str::to_owned).into()),
            write: Tables::All,
            migrate: true,
            functions: FUNCTIONS.map(str::to_owned).into(),
            ..Grants::default()
        },
    )
}

impl Opened {
    /// A call chain of its own.
    pub(crate) fn chain(&self) -> Chain {
        static NUMBERS: AtomicU64 = AtomicU64::new(1);
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        Chain::new(self.database.clone(), number, None)
    }

    pub(crate) fn backend(&self) -> Backend {
        self.database.backend()
    }

    /// Runs DDL past the crate, as a person would.
    pub(crate) async fn ddl(&self, sql: &str) {
        use sqlx::{Connection, Executor};
        let sql = sqlx::AssertSqlSafe(sql.to_owned());
        match self.backend() {
            Backend::Sqlite => {
                let options = sqlx::sqlite::SqliteConnectOptions::new()
                    .filename(self.url.trim_start_matches("sqlite://"))
                    .create_if_missing(true)
                    .journal_mode(sqlx::sqlite::SqliteJournalMode::Wal);
                let mut connection = sqlx::SqliteConnection::connect_with(&options)
                    .await
                    .unwrap();
                connection.execute(sqlx::raw_sql(sql)).await.unwrap();
                connection.close().await.unwrap();
            }
            Backend::Postgresql => {
                let mut connection = sqlx::PgConnection::connect(&self.url).await.unwrap();
                connection.execute(sqlx::raw_sql(sql)).await.unwrap();
                connection.close().await.unwrap();
            }
        }
    }

    /// One query by itself, as rows.
    pub(crate) async fn rows(&self, sql: &str, params: &[Value]) -> Result<Vec<Vec<Value>>, Error> {
        self.chain()
            .query(&everything(), Within::Session, sql, params)
            .await
            .map(|answer| rows(&answer))
    }

    /// One statement by itself.
    pub(crate) async fn execute(&self, sql: &str, params: &[Value]) -> Result<u64, Error> {
        self.chain()
            .execute(&everything(), Within::Session, sql, params)
            .await
    }

    /// One query by itself, as its first value.
    pub(crate) async fn value(&self, sql: &str, params: &[Value]) -> Result<Value, Error> {
        self.rows(sql, params).await.map(|rows| rows[0][0].clone())
    }
}

/// The rows of an answer, having checked that its columns agree with each other.
pub(crate) fn rows(answer: &Answer) -> Vec<Vec<Value>> {
    let count = answer.batch.rows as usize;
    assert_eq!(answer.columns.len(), answer.batch.columns.len());
    for (info, column) in answer.columns.iter().zip(&answer.batch.columns) {
        assert_eq!(column.values.len(), count);
        assert_eq!(column.values.kind(), info.kind);
        assert!(column.validity.is_empty() || column.validity.len() == count.div_ceil(8));
    }
    (0..count)
        .map(|row| {
            answer
                .batch
                .columns
                .iter()
                .map(|column| cell(column, row))
                .collect()
        })
        .collect()
}

fn cell(column: &Column, row: usize) -> Value {
    if column.is_null(row) {
        return Value::Null;
    }
    let text = |packed: &poolhouse_database::Packed| {
        String::from_utf8(packed.get(row).unwrap().to_vec()).unwrap()
    };
    match &column.values {
        Values::Boolean(values) => Value::Boolean(values[row]),
        Values::Int64(values) => Value::Int64(values[row]),
        Values::Float64(values) => Value::Float64(values[row]),
        Values::Decimal(packed) => Value::Decimal(text(packed)),
        Values::Text(packed) => Value::Text(text(packed)),
        Values::Bytes(packed) => Value::Bytes(packed.get(row).unwrap().to_vec()),
        Values::Uuid(values) => Value::Uuid(values[row]),
        Values::Date(values) => Value::Date(values[row]),
        Values::Time(values) => Value::Time(values[row]),
        Values::Timestamp(values) => Value::Timestamp(values[row]),
        Values::Json(packed) => Value::Json(text(packed)),
    }
}

/// Waits until something is so, at most ten seconds.
pub(crate) async fn eventually(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(10);
    while !is_so().await {
        assert!(Instant::now() < until, "not so within 10 s: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

pub(crate) fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}
