//! Owns one PostgreSQL connection: its statements, transactions and reset; leaves opening to `connect` and bytes to `encode` and `decode`.

mod added;
mod array;
mod collected;
mod connect;
mod control;
mod cursor;
mod decode;
mod encode;
mod errors;
mod many;
mod numeric;
mod prepared;
mod session;
mod wrapped;

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::TryStreamExt;
use lru::LruCache;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Either, Executor, Row, SqlSafeStr};

pub(crate) use connect::PostgresConnector;
pub(crate) use cursor::PostgresCursor;
pub(crate) use session::quoted;

use crate::error::{Error, UnavailableReason};
use crate::footprint::{MAX_CACHED_SQL, StatementKind};
use crate::statement::{Failed, Ran, Request};
use crate::transaction::{Isolation, TransactionOptions};

use collected::Collected;
use prepared::Known;
use session::Remembered;

/// An open connection to a PostgreSQL server.
pub(crate) struct PostgresConnection {
    inner: PgConnection,
    /// A statement is under way, or its future was dropped.
    busy: bool,
    /// The server's process, to cancel by.
    pid: i32,
    version: String,
    /// Batches that reset the session, with the server's own abilities in mind.
    reset: String,
    session: Remembered,
    place: String,
    added: BTreeSet<String>,
    /// Cleared together with the driver's own.
    prepared: LruCache<Arc<str>, Known>,
}

impl std::fmt::Debug for PostgresConnection {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("PostgresConnection")
            .field("place", &self.place)
            .field("pid", &self.pid)
            .field("busy", &self.busy)
            .finish_non_exhaustive()
    }
}

impl PostgresConnection {
    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    /// The names of functions that somebody had added to the database when the connection was opened.
    pub(crate) fn added_functions(&self) -> &BTreeSet<String> {
        &self.added
    }

    /// The server's process, by which a statement is cancelled; 0 where it is not known.
    pub(crate) fn pid(&self) -> i32 {
        self.pid
    }

    /// The driver's own connection, past every check of ours.
    #[cfg(test)]
    pub(crate) fn driver(&mut self) -> &mut PgConnection {
        &mut self.inner
    }

    pub(crate) async fn ping(&mut self) -> Result<(), Error> {
        // An empty query is answered in an aborted transaction too, and does nothing to any.
        self.batch("").await.map_err(|failed| failed.error)
    }

    /// Makes the session as it was after connecting, but for what it is remembered to be set for; the driver's prepared
    /// statements stay.
    pub(crate) async fn reset(&mut self) -> Result<(), Error> {
        self.busy = true;
        let kept = self.session.kept();
        let reset = format!("{}{}", self.reset, kept.after_reset());
        let result = self
            .inner
            .fetch_all(sqlx::raw_sql(AssertSqlSafe(reset)))
            .await;
        self.busy = false;
        let rows = result.map_err(|error| errors::failed(error, &self.place).error)?;
        self.session = kept;
        let count = |at: usize| {
            let value = rows.last()?.try_get_raw(at).ok()?;
            value.as_str().ok()?.parse::<usize>().ok()
        };
        let known = sqlx::Connection::cached_statements_size(&self.inner);
        match (count(0), count(1)) {
            (Some(0), Some(prepared)) if prepared >= known => Ok(()),
            _ => Err(Error::unavailable(
                UnavailableReason::Other,
                "somebody prepared statements in the session, or took the driver's away",
            )),
        }
    }

    pub(crate) async fn begin(&mut self, options: &TransactionOptions) -> Result<(), Failed> {
        let isolation = match options.isolation {
            Isolation::Default => "",
            Isolation::ReadCommitted => " ISOLATION LEVEL READ COMMITTED",
            Isolation::RepeatableRead => " ISOLATION LEVEL REPEATABLE READ",
            Isolation::Serializable => " ISOLATION LEVEL SERIALIZABLE",
        };
        let mode = if options.read_only {
            " READ ONLY"
        } else {
            " READ WRITE"
        };
        // Only in a transaction can lastval() be asked for, and there it tells nothing of who had the connection before.
        self.batch(&format!("BEGIN{isolation}{mode}; DISCARD SEQUENCES"))
            .await?;
        self.session.begun();
        Ok(())
    }

    pub(crate) async fn commit(&mut self) -> Result<(), Failed> {
        // The server answers ROLLBACK, without an error, to the COMMIT of an aborted transaction, and the driver does
        // not show which it was. In an aborted one the SELECT fails, and the COMMIT is not reached.
        let committed = self.batch("SELECT 1; COMMIT").await;
        self.session.committed(committed.is_ok());
        committed.map_err(|mut failed| {
            failed.broken |= !failed.refused;
            if failed.broken {
                failed.error = failed.error.with_unknown_outcome();
            }
            failed
        })
    }

    pub(crate) async fn rollback(&mut self) -> Result<(), Failed> {
        self.batch("ROLLBACK").await?;
        self.session.rolled_back();
        Ok(())
    }

    /// Undoes everything since a savepoint, and the savepoint itself.
    pub(crate) async fn roll_back_to(&mut self, savepoint: &str) -> Result<(), Failed> {
        self.session.rolled_back_to();
        let sql = format!("ROLLBACK TO SAVEPOINT {savepoint}; RELEASE SAVEPOINT {savepoint}");
        self.batch(&sql).await
    }

    pub(crate) async fn batch(&mut self, sql: &str) -> Result<(), Failed> {
        self.busy = true;
        let result = self.inner.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await;
        self.busy = false;
        match result {
            Ok(_) => Ok(()),
            Err(error) => Err(errors::failed(error, &self.place)),
        }
    }

    /// Runs one statement. Not cancel-safe: dropped, the connection stays busy and can only be closed.
    pub(crate) async fn run(&mut self, request: Request<'_>) -> Result<Ran, Failed> {
        let work = async |connection: &mut Self| connection.run_busy(&request).await;
        self.on_statement(&request, work).await
    }

    /// Does what a statement wants done. A long text does not stay prepared after it: the caches are bounded by count.
    async fn on_statement<T>(
        &mut self,
        request: &Request<'_>,
        work: impl AsyncFnOnce(&mut Self) -> Result<T, Failed>,
    ) -> Result<T, Failed> {
        request.check(true)?;
        self.busy = true;
        let mut result = work(self).await;
        let is_broken = matches!(&result, Err(failed) if failed.broken);
        if request.sql.len() > MAX_CACHED_SQL
            && !is_broken
            && let Err(failed) = self.forget().await
        {
            result = result.and(Err(failed));
        }
        self.busy = false;
        result
    }

    /// Forgets every statement that is prepared.
    async fn forget(&mut self) -> Result<(), Failed> {
        self.prepared.clear();
        let cleared = sqlx::Connection::clear_cached_statements(&mut self.inner).await;
        cleared.map_err(|error| {
            let mut failed = errors::failed(error, &self.place);
            failed.broken = true;
            failed
        })
    }

    async fn run_busy(&mut self, request: &Request<'_>) -> Result<Ran, Failed> {
        let prepared = self.prepare(request.sql, request.rows).await?;
        let failed = |error| errors::failed(error, &self.place);
        let arguments =
            encode::arguments(request.parameters, &prepared.types).map_err(Failed::ours)?;
        let mut answer = Collected::new(&prepared, request);
        let sql = AssertSqlSafe(Arc::clone(&prepared.sql)).into_sql_str();
        let mut stream = (&mut self.inner).fetch_many(sqlx::query_with(sql, arguments));
        let mut changed = 0_u64;
        loop {
            match stream.try_next().await.map_err(failed)? {
                Some(Either::Left(done)) => changed = changed.saturating_add(done.rows_affected()),
                Some(Either::Right(row)) => answer.row(&row),
                None => break,
            }
        }
        let answer = answer.finish()?;
        let changed = if request.kind == StatementKind::Write {
            changed
        } else {
            0
        };
        Ok(Ran { answer, changed })
    }
}
