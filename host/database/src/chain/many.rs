//! Owns running one statement for many rows, all of them or none; leaves how they reach the database to the backends.

use tokio::time::Instant;

use crate::actor::{Actor, Within};
use crate::column::Column;
use crate::connection::Connection;
use crate::error::Error;
use crate::footprint::StatementKind;
use crate::many::Many;

use super::{Acting, Admitted, Chain, operate_as};

impl Chain {
    /// Runs one prepared statement once for each row of `columns`, one column for each parameter, in order, and answers
    /// the sum of the rows changed; rows that it returns are dropped. All of it happens or nothing: in a transaction of
    /// its own, or in the one that is open.
    ///
    /// A failure tells the row where it is known, of which the first is row 1. In a transaction nothing of the call is
    /// left then; on PostgreSQL it is aborted where the server refused a row, as by any failed statement.
    ///
    /// # Errors
    /// Every case of [`Error`]. `Invalid` for columns that are malformed, of different lengths or none, and for a
    /// statement that is a query. With columns of no rows nothing runs and the answer is 0, but the statement, its
    /// grants and the number of its parameters are looked at all the same.
    pub async fn execute_many(
        &mut self,
        actor: &Actor,
        within: Within,
        sql: &str,
        columns: &[Column],
    ) -> Result<u64, Error> {
        let rows = Many::rows(columns)?;
        let admitted = self.admit(actor, within, sql, columns.len()).await?;
        if admitted.footprint.kind != StatementKind::Write {
            return Err(Error::invalid(
                "what runs once for each row is a statement that changes rows: run a query with `query`, for example over json_each or unnest",
            ));
        }
        if rows == 0 {
            return Ok(0);
        }
        let many = Many {
            sql: &admitted.sql,
            columns,
            rows,
        };
        let started = Instant::now();
        let result = if admitted.joined {
            self.many_joined(actor, &many, &admitted).await
        } else {
            self.many_alone(actor, &many, &admitted).await
        };
        let result = result.map_err(|error| self.refused(actor, error));
        if result.is_ok() {
            self.database.answered();
        }
        self.echo_statement(&actor.plugin, sql, started.elapsed(), &result);
        result
    }

    async fn many_alone(
        &mut self,
        actor: &Actor,
        many: &Many<'_>,
        admitted: &Admitted,
    ) -> Result<u64, Error> {
        let mut lease = self.lend(actor, self.acquire).await?;
        lease.touch();
        let session = actor.session();
        let work = async |connection: &mut Connection| {
            admitted.check_added(actor, connection)?;
            connection.many_whole(many, session.read_only).await
        };
        let until = self.until_alone(actor.statement_timeout);
        let result = operate_as(&mut lease, &session, many.sql, until.at, work).await;
        self.after_alone(lease, &admitted.footprint, until, result)
            .await
    }

    async fn many_joined(
        &mut self,
        actor: &Actor,
        many: &Many<'_>,
        admitted: &Admitted,
    ) -> Result<u64, Error> {
        let footprint = &admitted.footprint;
        self.session_touched |= footprint.touches_session;
        self.wrote = true;
        let work = async |connection: &mut Connection| {
            admitted.check_added(actor, connection)?;
            let changed = connection.many_within(many).await;
            if footprint.touches_session {
                connection.doubt_session();
            }
            changed
        };
        let changed = self.joined(Acting::of(actor), many.sql, work).await?;
        self.inserted |= footprint.inserts && changed > 0;
        Ok(changed)
    }
}
