//! Owns cursors on the server: declaring, fetching and closing one; when it ends is the chain's to say.

use futures_util::TryStreamExt;
use sqlx::{AssertSqlSafe, Either, Executor, SqlSafeStr};

use crate::batches::{Batches, batch_limits};
use crate::column::{Batch, ColumnInfo};
use crate::error::Error;
use crate::statement::{Failed, Request};

use super::collected::Collected;
use super::{PostgresConnection, encode, errors};

/// A cursor that is open on the server, in the transaction in which it was declared.
#[derive(Debug)]
pub(crate) struct PostgresCursor {
    name: String,
    infos: Vec<ColumnInfo>,
    batches: Batches<Collected>,
    /// The server refused to go on, and with that the transaction.
    failed: bool,
}

impl PostgresCursor {
    pub(crate) fn infos(&self) -> &[ColumnInfo] {
        &self.infos
    }

    /// Whether the next batch, the end or an error is known without asking the server.
    pub(crate) fn is_ready(&self) -> bool {
        self.batches.is_ready()
    }

    pub(crate) fn is_failed(&self) -> bool {
        self.failed
    }

    /// What is known without asking the server.
    pub(crate) fn ready(&mut self) -> Result<Option<Batch>, Error> {
        self.batches.next().transpose()
    }
}

impl PostgresConnection {
    /// Opens a cursor in the transaction that is open. Its binary rows are what `run` reads, too.
    pub(crate) async fn declare(
        &mut self,
        number: u64,
        request: &Request<'_>,
    ) -> Result<PostgresCursor, Failed> {
        let work = async |connection: &mut Self| connection.declare_busy(number, request).await;
        self.on_statement(request, work).await
    }

    async fn declare_busy(
        &mut self,
        number: u64,
        request: &Request<'_>,
    ) -> Result<PostgresCursor, Failed> {
        // By itself, for the types of its parameters and columns, which a DECLARE does not tell.
        let prepared = self.prepare(request.sql, true).await?;
        let arguments =
            encode::arguments(request.parameters, &prepared.types).map_err(Failed::ours)?;
        let collected = Collected::new(
            &prepared,
            &Request {
                limits: batch_limits(request.limits),
                ..request.clone()
            },
        );
        let name = format!("poolhouse_cursor_{number}");
        let before = format!("DECLARE {name} BINARY NO SCROLL CURSOR FOR ");
        let sql = AssertSqlSafe(format!("{before}{}", prepared.sql)).into_sql_str();
        // No other will have the same text, so that it has no place among the prepared ones.
        let declare = sqlx::query_with(sql, arguments).persistent(false);
        (&mut self.inner).execute(declare).await.map_err(|error| {
            let mut failed = errors::failed(error, &self.place);
            if let Error::Statement { position, .. } = &mut failed.error {
                let shift = u32::try_from(before.len()).unwrap_or_default();
                *position = position.and_then(|position| position.checked_sub(shift));
            }
            failed
        })?;
        Ok(PostgresCursor {
            name,
            infos: prepared.infos.clone(),
            batches: Batches::new(collected, request.limits),
            failed: false,
        })
    }

    /// Fetches until a batch is full, the rows end, or the server refuses. What it refuses comes after the rows of the
    /// FETCHes before, as a FETCH that fails gives none, and is `Err` here only where the connection is of no use any
    /// more.
    pub(crate) async fn fetch(&mut self, cursor: &mut PostgresCursor) -> Result<(), Failed> {
        self.busy = true;
        while !cursor.is_ready() {
            let count = cursor.batches.count();
            // A simple query takes one round trip, and of a binary cursor it has binary rows.
            let sql = AssertSqlSafe(format!("FETCH FORWARD {count} FROM {}", cursor.name));
            let mut stream = (&mut self.inner).fetch_many(sqlx::raw_sql(sql));
            let mut fetched = 0_u32;
            loop {
                match stream.try_next().await {
                    Ok(Some(Either::Right(row))) => {
                        fetched += 1;
                        cursor.batches.row(&row);
                    }
                    Ok(Some(Either::Left(_))) => {}
                    Ok(None) => break,
                    Err(error) => {
                        let failed = errors::failed(error, &self.place);
                        if failed.broken {
                            return Err(failed);
                        }
                        cursor.failed = true;
                        cursor.batches.end_with(failed.error);
                        break;
                    }
                }
            }
            if fetched < count && !cursor.failed {
                cursor.batches.end();
            }
        }
        // What is known of the statement is of a table that was changed since.
        if !cursor.failed && matches!(cursor.batches.trouble(), Some(Error::Conflict { .. })) {
            self.forget().await?;
        }
        self.busy = false;
        Ok(())
    }

    /// Takes a cursor away; what it would still have read is never read.
    pub(crate) async fn close_cursor(&mut self, cursor: &PostgresCursor) -> Result<(), Failed> {
        self.batch(&format!("CLOSE {}", cursor.name)).await
    }
}
