//! Owns running one SQLite statement for many rows: copies of it in one text, as the driver's thread is asked once for
//! each text and steps through its statements by itself.
//!
//! Each copy is a statement of its own, run after the one before it, so that this means exactly what one execution
//! after the other does; what it saves is the way to the thread and back.

use std::sync::Arc;

use futures_util::TryStreamExt;
use sqlx::{AssertSqlSafe, Either, Executor, SqlSafeStr};

use crate::error::Error;
use crate::footprint::{MAX_CACHED_SQL, MAX_PARAMETERS};
use crate::many::{Many, at_row};
use crate::statement::{Author, Failed};
use crate::value::Value;

use super::authorizer::{self, Rules};
use super::{SqliteConnection, encode, errors, placeholders, thread_died};

/// How many copies of a statement a text has: of each number one text is prepared and kept. With these, 10,000 rows of
/// six columns take an eighth of the time of as many executions by the driver (`examples/many_and_scan.rs`).
const COPIES: [usize; 2] = [64, 8];

impl SqliteConnection {
    /// Runs it in the transaction that is open; the caller undoes what was done before a failure.
    pub(crate) async fn many(&mut self, many: &Many<'_>) -> Result<u64, Failed> {
        let work = async |connection: &mut Self| connection.many_busy(many).await;
        self.on_statement(&many.request(&[]), work).await
    }

    async fn many_busy(&mut self, many: &Many<'_>) -> Result<u64, Failed> {
        let prepared = self.prepare(&many.request(&[])).await?;
        let (mut changed, mut row) = (0_u64, 0);
        for count in COPIES {
            let Some(text) = copies_of(many, count) else {
                continue;
            };
            while row + count <= many.rows {
                changed += self.copies(many, row, count, &text).await?;
                row += count;
            }
        }
        while row < many.rows {
            changed += self.copies(many, row, 1, &prepared.sql).await?;
            row += 1;
        }
        Ok(changed)
    }

    /// Runs a text of `count` statements with as many rows, from `start` on.
    async fn copies(
        &mut self,
        many: &Many<'_>,
        start: usize,
        count: usize,
        text: &Arc<str>,
    ) -> Result<u64, Failed> {
        let values: Vec<Value> = (start..start + count)
            .flat_map(|row| many.row(row))
            .collect();
        let arguments =
            encode::arguments(&values).map_err(|error| refused_row(many, start, count, error))?;
        let sql = AssertSqlSafe(Arc::clone(text)).into_sql_str();
        self.by_rules(Rules::Plugin, async |connection| {
            let mut stream = (&mut connection.inner).fetch_many(sqlx::query_with(sql, arguments));
            let (mut changed, mut done) = (0_u64, 0);
            loop {
                match stream.try_next().await {
                    Ok(Some(Either::Left(ran))) => {
                        changed = changed.saturating_add(ran.rows_affected());
                        done += 1;
                    }
                    Ok(Some(Either::Right(_))) => {}
                    Ok(None) if done == count => return Ok(changed),
                    Ok(None) => return Err(thread_died(&connection.path)),
                    Err(error) => {
                        let failed = errors::failed(error, &connection.path);
                        return Err(at_row(failed, start + done));
                    }
                }
            }
        })
        .await
    }
}

/// A row's parameter can't be bound; which, is told by the first row that can't.
fn refused_row(many: &Many<'_>, start: usize, count: usize, error: Error) -> Failed {
    for row in start..start + count {
        let values: Vec<Value> = many.row(row).collect();
        if let Err(error) = encode::arguments(&values) {
            return at_row(Failed::ours(error), row);
        }
    }
    Failed::ours(error)
}

/// The statement so many times in one text. None where there are fewer rows, or the text would be one that no cache
/// keeps, or a parameter stands twice or out of order, so that it needs its number, which no copy could keep.
fn copies_of(many: &Many<'_>, count: usize) -> Option<Arc<str>> {
    if many.rows < count || many.columns.len() * count > MAX_PARAMETERS {
        return None;
    }
    let text = vec![placeholders::nameless(many.sql)?; count].join("\n;\n");
    let text = authorizer::text(&text, Author::Plugin);
    (text.len() <= MAX_CACHED_SQL).then_some(text)
}
