//! Owns a chain's cursors: opening, reading and ending them, in the chain's transaction or with a connection of their
//! own; leaves their rows to the backends.

mod places;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use poolhouse_pool::Lease;
use tokio::time::Instant;

use crate::actor::{Actor, Within};
use crate::column::{Batch, ColumnInfo};
use crate::connection::{Cursor, DatabaseConnector};
use crate::error::{Error, LimitKind};
use crate::footprint::StatementKind;
use crate::sqlite::CURSOR_TABLES;
use crate::statement::{Author, Failed, Request};
use crate::transaction::{Level, TransactionId};
use crate::url::Backend;
use crate::value::Value;

use super::Chain;
use super::streaming::Streaming;

/// Cursors of one chain that are open at once.
const MAX_OPEN: usize = 64;

/// Cursors that have ended and are remembered, to say why.
const MAX_ENDED: usize = 1_024;

/// The last cursor that was opened in the process.
static LAST: AtomicU64 = AtomicU64::new(0);

/// One cursor; never the same twice in a process, and larger the later it was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CursorId(u64);

/// A point in time among cursors' openings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CursorMark(u64);

/// A chain's cursors.
#[derive(Debug, Default)]
pub(super) struct Cursors {
    open: BTreeMap<CursorId, OpenCursor>,
    /// What those answer that have ended: none is the end of the rows.
    ended: BTreeMap<CursorId, Option<Error>>,
}

#[derive(Debug)]
struct OpenCursor {
    plugin: Arc<str>,
    sql: Arc<str>,
    /// Of each of its fetches.
    statement_timeout: Option<Duration>,
    place: Place,
}

/// Where a cursor lives.
#[derive(Debug)]
enum Place {
    /// In the chain's transaction, and ends with this level of it.
    Joined {
        level: TransactionId,
        /// Whose rights its functions have.
        role: Option<Arc<str>>,
        cursor: Cursor,
    },
    /// In a read-only transaction of its own.
    Own {
        lease: Lease<DatabaseConnector>,
        cursor: Cursor,
        touches_session: bool,
    },
    /// In a task of its own.
    Streaming(Streaming),
}

/// How the level ended in which a cursor was open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CursorEnd {
    Committed,
    RolledBack,
}

impl Chain {
    /// Opens a cursor over the rows of a query, and answers what its columns are.
    ///
    /// In a transaction, also where a session's statement joins one, the cursor lives in it and ends with it, and the
    /// chain's other statements go on while it is open. Outside one it holds a connection of its own until it ends,
    /// taken at once or not at all: on PostgreSQL in a transaction that only reads, so that a function that writes is
    /// refused there.
    ///
    /// On SQLite a column without a declared type has the kind that its first batch shows, and a later value that
    /// contradicts is `Invalid`; and in a transaction the whole query runs when it is opened, so that its errors come
    /// then.
    ///
    /// # Errors
    /// Every case of [`Error`]. `Invalid` for what is not a query, `PoolExhausted` where no connection is free, `Limit`
    /// (handles) for more than 64 open cursors.
    pub async fn open_cursor(
        &mut self,
        actor: &Actor,
        within: Within,
        sql: &str,
        params: &[Value],
    ) -> Result<(CursorId, Vec<ColumnInfo>), Error> {
        let admitted = self.admit(actor, within, sql, params.len()).await?;
        if admitted.footprint.kind != StatementKind::Query {
            return Err(Error::invalid(
                "a cursor is opened over a query that only reads: run what writes or locks rows with `query` or `execute`",
            ));
        }
        self.cursors
            .end_outside(&self.levels, CursorEnd::RolledBack);
        if self.cursors.open.len() >= MAX_OPEN {
            return Err(Error::Limit {
                kind: LimitKind::Handles,
                message: format!(
                    "{MAX_OPEN} cursors are open in this call, the limit: read one to its end, or drop it, before the next"
                ),
                maximum: MAX_OPEN as u64,
            });
        }
        let id = CursorId(LAST.fetch_add(1, Ordering::Relaxed) + 1);
        let request = Request {
            sql: &admitted.sql,
            parameters: params,
            kind: StatementKind::Query,
            author: Author::Plugin,
            limits: actor.limits(),
            rows: true,
        };
        request.check_cursor(self.database.backend())?;
        let started = Instant::now();
        let result = if admitted.joined {
            self.open_joined(actor, id, &request, &admitted).await
        } else {
            self.open_alone(actor, id, &request, &admitted).await
        };
        let result = result.map_err(|error| self.refused(actor, error));
        if result.is_ok() {
            self.database.answered();
        }
        let outcome = result.as_ref().map(|_| 0).map_err(Error::clone);
        self.echo_statement(&actor.plugin, sql, started.elapsed(), &outcome);
        let (place, columns) = result?;
        let cursor = OpenCursor {
            plugin: Arc::clone(&actor.plugin),
            sql: admitted.sql,
            statement_timeout: actor.statement_timeout,
            place,
        };
        self.cursors.open.insert(id, cursor);
        Ok((id, columns))
    }

    /// The next rows, at most 8,192 and about a megabyte, or fewer by the limits of who opened it; none at the end, and
    /// again none after it.
    ///
    /// A future that is dropped ends the cursor, and the transaction that it is in.
    ///
    /// # Errors
    /// Every case of [`Error`], after the rows before it, but for up to 1,024 on PostgreSQL; the cursor has ended then, and
    /// on PostgreSQL a transaction that it is in is aborted, as by any failed statement. `Closed` for one that has ended before.
    pub async fn fetch(&mut self, cursor: CursorId) -> Result<Option<Batch>, Error> {
        self.cursors
            .end_outside(&self.levels, CursorEnd::RolledBack);
        let Some(OpenCursor {
            plugin,
            sql,
            statement_timeout,
            place,
        }) = self.cursors.open.remove(&cursor)
        else {
            return self.cursors.answer(cursor);
        };
        // What this answers if the future is dropped here.
        let cancelled = "the cursor has ended: reading from it was cancelled before it was done";
        self.cursors
            .end(cursor, Some(Error::Closed(cancelled.to_owned())));
        let started = Instant::now();
        let (result, place) = self.fetch_from(place, statement_timeout).await;
        let rows = |batch: &Option<Batch>| batch.as_ref().map_or(0, |batch| batch.rows.into());
        let outcome = result.as_ref().map(rows).map_err(Error::clone);
        self.echo_statement(
            &plugin,
            &format!("FETCH: {sql}"),
            started.elapsed(),
            &outcome,
        );
        match (&result, place) {
            (Ok(Some(_)), Some(place)) => {
                self.database.answered();
                self.cursors.ended.remove(&cursor);
                let open = OpenCursor {
                    plugin,
                    sql,
                    statement_timeout,
                    place,
                };
                self.cursors.open.insert(cursor, open);
            }
            (Ok(_), _) => self.cursors.end(cursor, None),
            (Err(error), _) => {
                let why = format!("the cursor has ended, because reading from it failed: {error}");
                self.cursors.end(cursor, Some(Error::Closed(why)));
            }
        }
        result
    }

    /// Ends a cursor; what it would still have read is cancelled at once. Nothing happens to one that has ended.
    ///
    /// A future that is dropped leaves the rest to be done in the background.
    pub async fn close_cursor(&mut self, cursor: CursorId) {
        self.cursors.ended.remove(&cursor);
        if let Some(open) = self.cursors.open.remove(&cursor) {
            self.close(open.place).await;
        }
    }

    /// The point in time now, for [`Self::close_cursors_since`].
    #[must_use]
    pub fn cursor_mark(&self) -> CursorMark {
        CursorMark(LAST.load(Ordering::Relaxed))
    }

    /// Ends every cursor of this chain that was opened after the mark.
    pub async fn close_cursors_since(&mut self, mark: CursorMark) {
        let after = CursorId(mark.0.saturating_add(1));
        self.cursors.ended.split_off(&after);
        while let Some((&id, _)) = self.cursors.open.range(after..).next() {
            self.close_cursor(id).await;
        }
    }

    pub(super) async fn close_all_cursors(&mut self) {
        self.close_cursors_since(CursorMark(0)).await;
    }

    /// Ends what lives in levels from `position` on, before these are committed.
    pub(super) async fn close_cursors_of(&mut self, position: usize) -> Result<(), Failed> {
        // PostgreSQL's end with the transaction, but not with a savepoint that is released.
        if position == 0 && self.database.backend() == Backend::Postgresql {
            return Ok(());
        }
        loop {
            let within = self.levels.get(position..).unwrap_or_default();
            let found = self
                .cursors
                .open
                .iter()
                .find_map(|(id, open)| match &open.place {
                    Place::Joined { level, .. }
                        if within.iter().any(|inner| inner.id == *level) =>
                    {
                        Some(*id)
                    }
                    _ => None,
                });
            let Some(id) = found else { return Ok(()) };
            if let Some(OpenCursor {
                place: Place::Joined { cursor, .. },
                ..
            }) = self.cursors.open.remove(&id)
            {
                self.cursors.end(id, Some(CursorEnd::Committed.error()));
                self.on_lease("CLOSE", async |connection| {
                    connection.close_cursor(&cursor).await
                })
                .await?;
            }
        }
    }
}

impl Cursors {
    /// Whether one of them holds a connection of its own.
    pub(super) fn hold_connections(&self) -> bool {
        let joined = |open: &OpenCursor| matches!(open.place, Place::Joined { .. });
        !self.open.values().all(joined)
    }

    /// Ends those that lived in a level that is no more.
    pub(super) fn end_outside(&mut self, levels: &[Level], how: CursorEnd) {
        let gone: Vec<CursorId> = self
            .open
            .extract_if(.., |_, open| match &open.place {
                Place::Joined { level, .. } => !levels.iter().any(|open| open.id == *level),
                Place::Own { .. } | Place::Streaming(_) => false,
            })
            .map(|(id, _)| id)
            .collect();
        for id in gone {
            self.end(id, Some(how.error()));
        }
    }

    fn end(&mut self, cursor: CursorId, answer: Option<Error>) {
        self.ended.insert(cursor, answer);
        if self.ended.len() > MAX_ENDED {
            self.ended.pop_first();
        }
    }

    /// What a cursor answers that is not open.
    fn answer(&self, cursor: CursorId) -> Result<Option<Batch>, Error> {
        match self.ended.get(&cursor) {
            Some(None) => Ok(None),
            Some(Some(error)) => Err(error.clone()),
            None => Err(Error::Closed(
                "the cursor has ended: it was closed, or its call is over".to_owned(),
            )),
        }
    }
}

impl CursorEnd {
    fn error(self) -> Error {
        let how = match self {
            Self::Committed => "committed",
            Self::RolledBack => "rolled back",
        };
        Error::Closed(format!(
            "the cursor has ended with the transaction or savepoint that it was opened in, which was {how}"
        ))
    }
}

/// Whether a statement names what only the host's cursors do.
pub(super) fn names_cursor<'a>(mut tables: impl Iterator<Item = &'a String>) -> bool {
    tables.any(|table| {
        let name = table.rsplit('.').next().unwrap_or_default();
        name.starts_with(CURSOR_TABLES)
    })
}

impl std::fmt::Display for CursorId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(formatter)
    }
}
