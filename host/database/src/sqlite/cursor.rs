//! Owns cursors on SQLite: in a transaction a temporary table with the rows, outside one a statement that is stepped on
//! while its rows are asked for; when either ends is the chain's to say.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::{Stream, TryStreamExt};
use sqlx::sqlite::{SqliteQueryResult, SqliteRow};
use sqlx::{AssertSqlSafe, Connection as _, Either, Executor, SqlSafeStr};
use tokio::sync::{mpsc, oneshot};

use crate::batches::{Batches, batch_limits, with_kinds};
use crate::column::{Batch, ColumnInfo};
use crate::error::{Error, UnavailableReason};
use crate::footprint::before_semicolon;
use crate::statement::{Failed, Request};
use crate::url::Backend;

use super::authorizer::Rules;
use super::collected::Collected;
use super::prepared::Prepared;
use super::{SqliteConnection, encode, errors};

/// How long a statement that was cancelled may go on before its connection is closed instead.
const SETTLE: Duration = Duration::from_secs(2);

/// What the table of a cursor is called, before its number; a guest's statements name none.
pub(crate) const TABLES: &str = "poolhouse_cursor_";

/// Somebody waits for the next batch.
pub(crate) type Demand = oneshot::Sender<Result<Option<Batch>, Failed>>;

/// Somebody waits for the columns.
pub(crate) type Opened = oneshot::Sender<Result<Vec<ColumnInfo>, Failed>>;

/// The rows of a query in a temporary table, read from its first row to its last.
///
/// The driver's thread runs one statement at a time, so that a query whose rows are awaited would keep every other
/// statement of its transaction waiting. Errors in the middle of the rows therefore arrive when it is opened.
#[derive(Debug)]
pub(crate) struct SqliteCursor {
    table: String,
    columns: String,
    infos: Vec<ColumnInfo>,
    batches: Batches<Collected>,
    /// The last row that was read.
    row: i64,
}

impl SqliteCursor {
    pub(crate) fn infos(&self) -> &[ColumnInfo] {
        &self.infos
    }

    /// Whether the next batch, the end or an error is known without asking the database.
    pub(crate) fn is_ready(&self) -> bool {
        self.batches.is_ready()
    }

    /// What is known without asking the database.
    pub(crate) fn ready(&mut self) -> Result<Option<Batch>, Error> {
        self.batches.next().transpose()
    }
}

impl SqliteConnection {
    /// Opens a cursor in the transaction that is open, and reads its first batch, which decides on kinds.
    pub(crate) async fn declare(
        &mut self,
        number: u64,
        request: &Request<'_>,
    ) -> Result<SqliteCursor, Failed> {
        let work = async |connection: &mut Self| connection.declare_busy(number, request).await;
        self.on_statement(request, work).await
    }

    async fn declare_busy(
        &mut self,
        number: u64,
        request: &Request<'_>,
    ) -> Result<SqliteCursor, Failed> {
        let prepared = self.prepare_anew(request).await?;
        let arguments = encode::arguments(request.parameters).map_err(Failed::ours)?;
        let query = before_semicolon(request.sql, Backend::Sqlite)
            .ok_or_else(|| Failed::ours(Error::invalid("the statement can't be read")))?;
        let names: Vec<String> = (0..prepared.columns.len())
            .map(|column| format!("c{column}"))
            .collect();
        let (columns, name) = (names.join(", "), format!("{TABLES}{number}"));
        // A plus takes a column's affinity away, with which a table would change values on their way in.
        let plain: Vec<String> = names
            .iter()
            .map(|name| format!("+{name} AS {name}"))
            .collect();
        let sql = format!(
            "CREATE TEMP TABLE {name} AS WITH q ({columns}) AS ({query}\n) SELECT {} FROM q",
            plain.join(", ")
        );
        self.writing_temp(async |connection| {
            let create = sqlx::query_with(AssertSqlSafe(sql).into_sql_str(), arguments);
            let done = connection
                .by_rules(Rules::Cursor, async |connection| {
                    (&mut connection.inner)
                        .execute(create.persistent(false))
                        .await
                })
                .await;
            done.map(drop)
                .map_err(|error| errors::failed(error, &connection.path))
        })
        .await?;
        let shown = prepared.columns.iter().zip(&names);
        let shown: Vec<String> = shown
            .map(|(column, name)| format!("{name} AS \"{}\"", column.name.replace('"', "\"\"")))
            .collect();
        let mut cursor = SqliteCursor {
            table: format!("temp.{name}"),
            columns: shown.join(", "),
            infos: infos(&prepared),
            batches: batches(&prepared, request),
            row: 0,
        };
        self.fetch(&mut cursor).await?;
        if let Some(first) = cursor.batches.first() {
            cursor.infos = with_kinds(cursor.infos, first);
        }
        Ok(cursor)
    }

    /// Reads until a batch is full or the rows end.
    pub(crate) async fn fetch(&mut self, cursor: &mut SqliteCursor) -> Result<(), Failed> {
        self.busy = true;
        while !cursor.is_ready() {
            let count = cursor.batches.count();
            let sql = format!(
                // Named with its table, for a column of the query may be called rowid, too.
                "SELECT {} FROM {} AS q WHERE q.rowid > {} ORDER BY q.rowid LIMIT {count}",
                cursor.columns, cursor.table, cursor.row
            );
            let mut stream = (&mut self.inner).fetch(sqlx::raw_sql(AssertSqlSafe(sql)));
            let mut read = 0_u32;
            while let Some(row) = stream
                .try_next()
                .await
                .map_err(|error| errors::failed(error, &self.path))?
            {
                read += 1;
                cursor.batches.row(&row);
            }
            cursor.row += i64::from(read);
            if read < count {
                cursor.batches.end();
            }
        }
        self.busy = false;
        Ok(())
    }

    /// Drops a cursor's table.
    pub(crate) async fn close_cursor(&mut self, cursor: &SqliteCursor) -> Result<(), Failed> {
        let sql = format!("DROP TABLE {}", cursor.table);
        self.writing_temp(async |connection| connection.batch(&sql).await)
            .await
    }

    /// Runs a query and reads it on while somebody demands it. Ok means that the connection can be used again.
    pub(crate) async fn stream(
        &mut self,
        request: Request<'_>,
        opened: Opened,
        demands: &mut mpsc::Receiver<Demand>,
    ) -> Result<(), Failed> {
        let prepared = match self.prepare_stream(&request).await {
            Ok(prepared) => prepared,
            Err(failed) => return answer(opened, Err(failed)),
        };
        self.busy = true;
        self.by_rules(request.rules(), async |connection| {
            let stopped = connection
                .stream_busy(&request, &prepared, opened, demands)
                .await;
            match stopped {
                // Until the driver's thread is done with it, its rules must stay.
                Ok(true) => connection.settle().await,
                Ok(false) => Ok(()),
                Err(failed) => Err(failed),
            }
        })
        .await?;
        let forgotten = self.forget_after(&request).await;
        self.busy = false;
        forgotten
    }

    async fn prepare_stream(&mut self, request: &Request<'_>) -> Result<Arc<Prepared>, Failed> {
        request.check(false)?;
        self.busy = true;
        let prepared = self.prepare_anew(request).await;
        self.busy = false;
        prepared
    }

    /// True where the statement may still run on the driver's thread.
    async fn stream_busy(
        &mut self,
        request: &Request<'_>,
        prepared: &Prepared,
        mut opened: Opened,
        demands: &mut mpsc::Receiver<Demand>,
    ) -> Result<bool, Failed> {
        let arguments = match encode::arguments(request.parameters) {
            Ok(arguments) => arguments,
            Err(error) => return answer(opened, Err(Failed::ours(error))).map(|()| false),
        };
        let mut rows = Rows {
            batches: batches(prepared, request),
            done: false,
        };
        let sql = AssertSqlSafe(Arc::clone(&prepared.sql)).into_sql_str();
        let mut stream = (&mut self.inner).fetch_many(sqlx::query_with(sql, arguments));
        // The first batch decides on kinds.
        let read = tokio::select! {
            biased;
            () = opened.closed() => return Ok(true),
            read = rows.read(&mut stream, &self.path) => read,
        };
        if let Err(failed) = read {
            return answer(opened, Err(failed)).map(|()| false);
        }
        let mut columns = infos(prepared);
        match rows.batches.first() {
            Some(first) => columns = with_kinds(columns, first),
            None => {
                if let Some(Err(error)) = rows.batches.next() {
                    let stopped = !rows.batches.is_ended();
                    return answer(opened, Err(Failed::ours(error))).map(|()| stopped);
                }
            }
        }
        if opened.send(Ok(columns)).is_err() {
            return Ok(!rows.batches.is_ended());
        }
        while let Some(mut demand) = demands.recv().await {
            let read = tokio::select! {
                biased;
                () = demand.closed() => break,
                read = rows.read(&mut stream, &self.path) => read,
            };
            let next = match read {
                Ok(()) => rows.batches.next().transpose().map_err(Failed::ours),
                Err(failed) => return answer(demand, Err(failed)).map(|()| false),
            };
            let over = !matches!(next, Ok(Some(_)));
            if demand.send(next).is_err() || over {
                break;
            }
        }
        Ok(!rows.batches.is_ended())
    }

    /// Ends the statement that nobody reads any more, wherever it is: between two rows the driver notices, within one
    /// the progress handler does.
    async fn settle(&mut self) -> Result<(), Failed> {
        self.cancelled.store(true, Ordering::Relaxed);
        // Not a statement, which would be cancelled as well, but the thread's answer behind the one that was.
        let answered = tokio::time::timeout(SETTLE, self.inner.ping()).await;
        self.cancelled.store(false, Ordering::Relaxed);
        match answered {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(errors::failed(error, &self.path)),
            Err(_) => Err(Failed::broken(Error::unavailable(
                UnavailableReason::Other,
                format!(
                    "a cancelled statement on {} did not end within {SETTLE:?}",
                    self.path.display()
                ),
            ))),
        }
    }

    /// Does something with temporary tables, which a read-only transaction would refuse as well.
    async fn writing_temp(
        &mut self,
        work: impl AsyncFnOnce(&mut Self) -> Result<(), Failed>,
    ) -> Result<(), Failed> {
        if !self.query_only {
            return work(self).await;
        }
        self.batch("PRAGMA query_only = 0").await?;
        self.busy = true;
        let result = work(self).await;
        let locked = self.batch("PRAGMA query_only = 1").await;
        locked.and(result)
    }
}

/// The rows of a statement that is stepped on while they are asked for.
struct Rows {
    batches: Batches<Collected>,
    /// The statement has come to its end.
    done: bool,
}

impl Rows {
    /// Reads until a batch is full, the rows end, or the database refuses, which comes after the rows before it.
    async fn read<S>(&mut self, stream: &mut S, path: &std::path::Path) -> Result<(), Failed>
    where
        S: Stream<Item = Result<Either<SqliteQueryResult, SqliteRow>, sqlx::Error>> + Unpin,
    {
        while !self.batches.is_ready() {
            match stream.try_next().await {
                Ok(Some(Either::Right(row))) => self.batches.row(&row),
                Ok(Some(Either::Left(_))) => self.done = true,
                Ok(None) if self.done => self.batches.end(),
                Ok(None) => return Err(super::thread_died(path)),
                Err(error) => {
                    let failed = errors::failed(error, path);
                    if failed.broken {
                        return Err(failed);
                    }
                    self.batches.end_with(failed.error);
                }
            }
        }
        Ok(())
    }
}

/// Hands a failure to whoever waits, and says what it means for the connection.
fn answer<T>(
    waiting: oneshot::Sender<Result<T, Failed>>,
    result: Result<T, Failed>,
) -> Result<(), Failed> {
    let broken = match &result {
        Err(failed) if failed.broken => Some(Failed::broken(failed.error.clone())),
        _ => None,
    };
    // Who has gone wants no answer.
    let _ = waiting.send(result);
    broken.map_or(Ok(()), Err)
}

fn batches(prepared: &Prepared, request: &Request<'_>) -> Batches<Collected> {
    let limits = batch_limits(request.limits);
    let first = Request {
        limits,
        ..request.clone()
    };
    Batches::new(Collected::new(prepared, &first), request.limits)
}

/// Infos without any row to decide on kinds.
fn infos(prepared: &Prepared) -> Vec<ColumnInfo> {
    let info = |column: &super::prepared::Declared| ColumnInfo {
        name: column.name.clone(),
        kind: column.kind.unwrap_or(crate::value::Kind::Text),
        database_type: column.database_type.clone(),
    };
    prepared.columns.iter().map(info).collect()
}
