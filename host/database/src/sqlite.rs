//! Owns one SQLite connection: its statements, transactions and reset; leaves opening to `connect` and values to `encode` and `decode`.

mod authorizer;
mod collected;
mod connect;
mod cursor;
mod decode;
mod encode;
mod errors;
mod many;
mod placeholders;
mod prepared;
mod session;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::TryStreamExt;
use lru::LruCache;
use sqlx::{AssertSqlSafe, Connection as _, Either, Executor, Row, SqlSafeStr};

pub(crate) use connect::SqliteConnector;
pub(crate) use cursor::{Demand, Opened, SqliteCursor, TABLES as CURSOR_TABLES};

use crate::error::{Error, UnavailableReason};
use crate::footprint::{MAX_CACHED_SQL, StatementKind};
use crate::session::Session;
use crate::statement::{Author, Failed, Ran, Request};
use crate::transaction::TransactionOptions;

use authorizer::{Authorizer, Rules};
use collected::Collected;
use prepared::Prepared;

/// Statements whose columns are known without asking the worker again; the driver keeps as many prepared.
const PREPARED: NonZeroUsize = NonZeroUsize::MIN.saturating_add(99);

/// For how long tables are taken to be as they were when last looked at. Looking costs a statement a third of its time; one
/// that says `*` is looked after each time, for its columns may change places, and in another only their kinds can.
const FRESH: Duration = Duration::from_millis(10);

/// How often a statement is begun whose tables somebody else goes on changing.
const TRIES: usize = 3;

/// An open connection to an SQLite file. SQLite runs on a thread of the driver's.
pub(crate) struct SqliteConnection {
    inner: sqlx::SqliteConnection,
    path: PathBuf,
    version: String,
    /// A statement is under way, or its future was dropped.
    busy: bool,
    /// Whether the session refuses writes now.
    query_only: bool,
    /// Whether it refuses them outside of transactions that may write, too.
    read_only: bool,
    /// What may be prepared.
    authorizer: Authorizer,
    /// The session's state when it was opened, but for whether it refuses writes.
    as_opened: String,
    /// Read by SQLite's progress handler: true ends the statement that runs.
    cancelled: Arc<AtomicBool>,
    /// As it was seen when it was asked for last.
    schema_version: Option<i64>,
    checked_at: Instant,
    prepared: LruCache<Arc<str>, Arc<Prepared>>,
    /// Declared types by table and column, both in small letters.
    declared: HashMap<String, HashMap<String, String>>,
}

impl std::fmt::Debug for SqliteConnection {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("SqliteConnection")
            .field("path", &self.path)
            .field("busy", &self.busy)
            .finish_non_exhaustive()
    }
}

impl SqliteConnection {
    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    /// Set to true, it ends the statement that runs, and every later one.
    pub(crate) fn canceller(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.cancelled)
    }

    /// The driver's own connection, past every check of ours.
    #[cfg(test)]
    pub(crate) fn driver(&mut self) -> &mut sqlx::SqliteConnection {
        &mut self.inner
    }

    /// A round trip; where somebody else changed the tables since the last, what was known of them is forgotten.
    pub(crate) async fn ping(&mut self) -> Result<(), Error> {
        self.busy = true;
        let asked = self.forget_changed().await;
        self.busy = false;
        asked.map_err(|failed| failed.error)
    }

    /// Forgets what was known of tables that somebody else has changed since.
    async fn forget_changed(&mut self) -> Result<(), Failed> {
        let version = self.number("PRAGMA schema_version").await?;
        self.checked_at = Instant::now();
        if self.schema_version.replace(version) != Some(version) {
            self.forget().await?;
            // SQLite reads the tables anew before a statement that reads one, and not before every other.
            self.number("SELECT count(*) FROM sqlite_schema").await?;
        }
        Ok(())
    }

    async fn number(&mut self, sql: &'static str) -> Result<i64, Failed> {
        let asked = sqlx::query_scalar(sql).fetch_one(&mut self.inner).await;
        asked.map_err(|error| errors::failed(error, &self.path))
    }

    /// Ends whatever a transaction left behind.
    ///
    /// # Errors
    /// Also where something else was left: a setting, a temporary table, an attached file.
    pub(crate) async fn reset(&mut self) -> Result<(), Error> {
        self.rollback().await.map_err(|failed| failed.error)?;
        self.busy = true;
        let state = session::state(&mut self.inner).await;
        self.busy = false;
        let (state, refuses_writes) =
            state.map_err(|error| errors::failed(error, &self.path).error)?;
        if state == self.as_opened && refuses_writes == self.query_only {
            return Ok(());
        }
        Err(Error::unavailable(
            UnavailableReason::Other,
            format!("the session's state was changed to {state}"),
        ))
    }

    pub(crate) async fn close(self) {
        if self.busy {
            self.cancelled.store(true, Ordering::Relaxed);
        }
        let _ = self.inner.close().await;
    }

    /// What the session is set for.
    pub(crate) fn session(&self) -> Session {
        Session {
            role: None,
            read_only: self.read_only,
        }
    }

    /// Sets the session outside of any transaction.
    pub(crate) async fn set_for(&mut self, session: &Session) -> Result<(), Failed> {
        if self.read_only == session.read_only {
            return Ok(());
        }
        self.read_only = session.read_only;
        self.refuse_writes(session.read_only).await
    }

    /// A write takes its lock at once: taken later it could fail where waiting does not help.
    pub(crate) async fn begin(&mut self, options: &TransactionOptions) -> Result<(), Failed> {
        let turns = self.query_only != options.read_only;
        let begun = match (options.read_only, self.query_only) {
            (true, true) => self.batch("BEGIN").await,
            (true, false) => self.batch("BEGIN; PRAGMA query_only = 1").await,
            (false, true) => self.batch("PRAGMA query_only = 0; BEGIN IMMEDIATE").await,
            (false, false) => self.batch("BEGIN IMMEDIATE").await,
        };
        match begun {
            Ok(()) => {
                self.query_only = options.read_only;
                Ok(())
            }
            // Which of the two was done does not matter then.
            Err(failed) if turns && !failed.broken => {
                self.refuse_writes(self.read_only).await.and(Err(failed))
            }
            Err(failed) => Err(failed),
        }
    }

    pub(crate) async fn commit(&mut self) -> Result<(), Failed> {
        match self.batch("COMMIT").await {
            Ok(()) => self.rest().await,
            Err(mut failed) => {
                if errors::is_outcome_unknown(&failed) {
                    failed.broken = true;
                    failed.error = failed.error.with_unknown_outcome();
                }
                // A commit that fails (a deferred foreign key) leaves the transaction open.
                if !failed.broken && self.rollback().await.is_err() {
                    failed.broken = true;
                }
                Err(failed)
            }
        }
    }

    pub(crate) async fn rollback(&mut self) -> Result<(), Failed> {
        match self.batch("ROLLBACK").await {
            Err(failed) if !errors::is_no_transaction(&failed.error) => return Err(failed),
            _ => {}
        }
        self.rest().await
    }

    /// Makes the session refuse writes, or not, as it does outside of transactions.
    async fn rest(&mut self) -> Result<(), Failed> {
        if self.query_only != self.read_only {
            self.refuse_writes(self.read_only).await?;
        }
        Ok(())
    }

    /// Dropped midway, the connection is closed.
    async fn refuse_writes(&mut self, refuses: bool) -> Result<(), Failed> {
        let sql = if refuses {
            "PRAGMA query_only = 1"
        } else {
            "PRAGMA query_only = 0"
        };
        self.batch(sql).await?;
        self.query_only = refuses;
        Ok(())
    }

    /// Does what prepares a text of a plugin's, by the rules for such texts. Dropped midway they stay, for the driver's
    /// thread may still have to come to it, and the connection is closed.
    async fn by_rules<T>(&mut self, rules: Rules, work: impl AsyncFnOnce(&mut Self) -> T) -> T {
        self.authorizer.apply(rules);
        let done = work(self).await;
        self.authorizer.apply(Rules::Host);
        done
    }

    /// BEGIN inside a transaction fails and changes nothing; where it does not fail there was none.
    pub(crate) async fn is_in_transaction(&mut self) -> Result<bool, Failed> {
        match self.batch("BEGIN").await {
            Err(failed) if errors::is_within_transaction(&failed.error) => Ok(true),
            Err(failed) => Err(failed),
            Ok(()) => {
                self.rollback().await?;
                Ok(false)
            }
        }
    }

    pub(crate) async fn batch(&mut self, sql: &str) -> Result<(), Failed> {
        self.busy = true;
        let result = self.inner.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await;
        self.busy = false;
        match result {
            Ok(_) => Ok(()),
            Err(error) => Err(errors::failed(error, &self.path)),
        }
    }

    /// Runs one statement. Not cancel-safe: dropped, the connection stays busy and can only be closed.
    pub(crate) async fn run(&mut self, request: Request<'_>) -> Result<Ran, Failed> {
        let work = async |connection: &mut Self| connection.run_busy(&request).await;
        self.on_statement(&request, work).await
    }

    /// Does what a statement wants done.
    async fn on_statement<T>(
        &mut self,
        request: &Request<'_>,
        work: impl AsyncFnOnce(&mut Self) -> Result<T, Failed>,
    ) -> Result<T, Failed> {
        request.check(false)?;
        self.busy = true;
        let mut result = work(self).await;
        if let Err(failed) = self.forget_after(request).await {
            result = result.and(Err(failed));
        }
        self.busy = false;
        result
    }

    /// A long text must not stay in the caches, which are bounded by count; DDL changes what columns are; and what was
    /// prepared by other rules than a plugin's must not be found by one.
    async fn forget_after(&mut self, request: &Request<'_>) -> Result<(), Failed> {
        if request.sql.len() > MAX_CACHED_SQL || request.rules() != Rules::Plugin {
            self.forget().await?;
        }
        Ok(())
    }

    /// Forgets every statement that is prepared.
    async fn forget(&mut self) -> Result<(), Failed> {
        self.prepared.clear();
        self.declared.clear();
        let cleared = self.inner.clear_cached_statements().await;
        cleared.map_err(|error| errors::failed(error, &self.path))
    }

    async fn run_busy(&mut self, request: &Request<'_>) -> Result<Ran, Failed> {
        for _ in 0..TRIES {
            if let Some(ran) = self.run_unless_changed(request).await? {
                return Ok(ran);
            }
        }
        Err(errors::stale())
    }

    /// Runs a statement; none where what was known of its columns is of tables as they were before somebody else changed
    /// them, and nothing of it stays. SQLite itself notices when it runs, and the driver does not say so.
    async fn run_unless_changed(&mut self, request: &Request<'_>) -> Result<Option<Ran>, Failed> {
        let prepared = self.prepare(request).await?;
        let arguments = encode::arguments(request.parameters).map_err(Failed::ours)?;
        let is_checked = request.rows
            && !prepared.columns.is_empty()
            && (prepared.has_star || self.checked_at.elapsed() >= FRESH);
        let sql = match is_checked {
            true => Arc::clone(&prepared.checked),
            false => Arc::clone(&prepared.sql),
        };
        let sql = AssertSqlSafe(sql).into_sql_str();
        let mut answer = Collected::new(&prepared, request);
        let (mut changed, mut ended, mut version) = (0_u64, false, None);
        self.by_rules(request.rules(), async |connection| {
            let mut stream = (&mut connection.inner).fetch_many(sqlx::query_with(sql, arguments));
            loop {
                let next = match stream.try_next().await {
                    // It was done; only whether its tables were the same is not known.
                    Err(_) if ended && is_checked => None,
                    next => next.map_err(|error| errors::failed(error, &connection.path))?,
                };
                match next {
                    Some(Either::Left(done)) if !ended => {
                        changed = done.rows_affected();
                        ended = true;
                    }
                    Some(Either::Left(_)) => {}
                    Some(Either::Right(row)) if ended => version = row.try_get(0).ok(),
                    Some(Either::Right(row)) => answer.row(&row),
                    None => return Ok(()),
                }
            }
        })
        .await?;
        if !ended {
            return Err(thread_died(&self.path));
        }
        if is_checked && version == self.schema_version {
            self.checked_at = Instant::now();
        } else if is_checked {
            // The next to be prepared looks at the tables anew.
            self.schema_version = None;
            self.prepared.clear();
            return match request.kind {
                StatementKind::Query => Ok(None),
                // It was done; its rows can't be read as they were prepared.
                _ => Err(errors::stale()),
            };
        }
        let answer = answer.finish(&prepared).map_err(Failed::ours)?;
        // SQLite's count is of the last change, so after a statement that changes nothing it is another's.
        let changed = if request.kind == StatementKind::Write {
            changed
        } else {
            0
        };
        Ok(Some(Ran { answer, changed }))
    }
}

impl Request<'_> {
    /// By which rules its text is prepared.
    fn rules(&self) -> Rules {
        match (self.author, self.kind) {
            (Author::Host, _) => Rules::Host,
            (Author::Plugin, StatementKind::Ddl) => Rules::Migration,
            (Author::Plugin, StatementKind::Query | StatementKind::Write) => Rules::Plugin,
        }
    }
}

/// What a statement answers that never came to its end: the driver's thread panics where another process added a column
/// under a prepared `SELECT *`.
fn thread_died(path: &std::path::Path) -> Failed {
    Failed::broken(Error::unavailable(
        UnavailableReason::Other,
        format!(
            "the SQLite connection to {} ended in the middle of a statement; if its tables were just changed, run it again",
            path.display()
        ),
    ))
}
