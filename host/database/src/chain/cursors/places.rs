//! Owns opening, reading and closing a cursor where it lives: in the chain's transaction, in one of its own, in a task.

use std::sync::Arc;
use std::time::Duration;

use poolhouse_pool::Lease;
use tokio::time::{Instant, timeout_at};

use crate::actor::{Acquire, Actor, Within};
use crate::chain::levels::{CONTROL_LIMIT, GRACE, after};
use crate::chain::streaming::{Stream, Streaming};
use crate::chain::{Acting, Admitted, Chain, lost_connection, operate, operate_as, taken_back};
use crate::column::{Batch, ColumnInfo};
use crate::connection::{Connection, Cursor, DatabaseConnector};
use crate::error::Error;
use crate::footprint::StatementKind;
use crate::statement::Request;
use crate::transaction::{State, TransactionId, TransactionOptions};
use crate::url::Backend;

use super::{CursorId, Place};

impl Chain {
    pub(super) async fn open_joined(
        &mut self,
        actor: &Actor,
        id: CursorId,
        request: &Request<'_>,
        admitted: &Admitted,
    ) -> Result<(Place, Vec<ColumnInfo>), Error> {
        // A savepoint that is rolled back brings SQLite's table of a cursor back that was closed in it: the reset looks.
        let has_table = self.database.backend() == Backend::Sqlite;
        self.session_touched |= admitted.footprint.touches_session || has_table;
        let level = match self.levels.last() {
            Some(level) => level.id,
            None => return Err(lost_connection()),
        };
        let work = async |connection: &mut Connection| {
            admitted.check_added(actor, connection)?;
            connection.declare(id.0, request).await
        };
        let role = actor.role.clone();
        let cursor = self.joined(Acting::of(actor), request.sql, work).await?;
        let columns = cursor.infos().to_vec();
        let place = Place::Joined {
            level,
            role,
            cursor,
        };
        Ok((place, columns))
    }

    pub(super) async fn open_alone(
        &mut self,
        actor: &Actor,
        id: CursorId,
        request: &Request<'_>,
        admitted: &Admitted,
    ) -> Result<(Place, Vec<ColumnInfo>), Error> {
        // Whoever waits for a second connection may wait for one that waits for the first.
        let mut lease = self.lend(actor, Acquire::AtOnce).await?;
        let touches_session = admitted.footprint.touches_session;
        if self.database.backend() == Backend::Sqlite {
            let stream = Stream {
                lease,
                sql: Arc::clone(request.sql),
                parameters: request.parameters.to_vec(),
                limits: request.limits,
                touches_session,
                session: actor.session(),
            };
            let opening = Streaming::open(stream);
            let until = self.until_alone(actor.statement_timeout);
            let opened = match until.at {
                Some(deadline) => timeout_at(deadline, opening)
                    .await
                    .map_err(|_| self.out_of_time_alone(until, StatementKind::Query))?,
                None => opening.await,
            };
            let (streaming, columns) = opened?;
            return Ok((Place::Streaming(streaming), columns));
        }
        // Before BEGIN: wherever this is dropped, the connection is reset or closed.
        lease.touch();
        let options = TransactionOptions {
            read_only: true,
            ..TransactionOptions::default()
        };
        let work = async |connection: &mut Connection| {
            admitted.check_added(actor, connection)?;
            connection.begin(&options).await?;
            connection.declare(id.0, request).await
        };
        let session = actor.session();
        let until = self.until_alone(actor.statement_timeout);
        match operate_as(&mut lease, &session, request.sql, until.at, work).await {
            Some(Ok(cursor)) => {
                let columns = cursor.infos().to_vec();
                let place = Place::Own {
                    lease,
                    cursor,
                    touches_session,
                };
                Ok((place, columns))
            }
            result => {
                let result = result.map(|result| result.map(drop));
                let failed = self
                    .after_alone(lease, &admitted.footprint, until, result)
                    .await;
                Err(failed.err().unwrap_or_else(lost_connection))
            }
        }
    }

    /// The next batch, and where the cursor is if it has not ended.
    pub(super) async fn fetch_from(
        &mut self,
        place: Place,
        limit: Option<Duration>,
    ) -> (Result<Option<Batch>, Error>, Option<Place>) {
        match place {
            Place::Joined {
                level,
                role,
                cursor,
            } => self.fetch_joined(level, role, cursor, limit).await,
            Place::Own {
                lease,
                cursor,
                touches_session,
            } => self.fetch_own(lease, cursor, touches_session, limit).await,
            Place::Streaming(streaming) => self.fetch_streaming(streaming, limit).await,
        }
    }

    async fn fetch_joined(
        &mut self,
        level: TransactionId,
        role: Option<Arc<str>>,
        mut cursor: Cursor,
        limit: Option<Duration>,
    ) -> (Result<Option<Batch>, Error>, Option<Place>) {
        if !cursor.is_ready() {
            // As any statement: not in a transaction that is aborted, lost or out of time.
            if let Err(error) = self.enter(Within::Session).await {
                return (Err(error), None);
            }
            let sql = Arc::from("FETCH");
            let work = async |connection: &mut Connection| connection.fetch(&mut cursor).await;
            let acting = Acting {
                role: role.as_ref(),
                limit,
            };
            if let Err(error) = self.joined(acting, &sql, work).await {
                return (Err(error), None);
            }
            if cursor.is_failed()
                && let Some(level) = self.levels.last_mut()
            {
                level.state = State::Aborted;
            }
        }
        let result = cursor.ready();
        let place = Place::Joined {
            level,
            role,
            cursor,
        };
        if matches!(result, Ok(Some(_))) {
            return (result, Some(place));
        }
        self.close(place).await;
        (result, None)
    }

    async fn fetch_own(
        &mut self,
        mut lease: Lease<DatabaseConnector>,
        mut cursor: Cursor,
        touches_session: bool,
        limit: Option<Duration>,
    ) -> (Result<Option<Batch>, Error>, Option<Place>) {
        if !cursor.is_ready() {
            let sql = Arc::from("FETCH");
            let work = async |connection: &mut Connection| connection.fetch(&mut cursor).await;
            let until = self.until_alone(limit);
            let error = match operate(&mut lease, &sql, until.at, work).await {
                Some(Ok(())) => None,
                Some(Err(failed)) => {
                    if failed.broken {
                        lease.break_off(failed.error.clone());
                    }
                    Some(failed.error)
                }
                None if lease.is_revoked() => Some(taken_back("a cursor")),
                None => Some(self.out_of_time_alone(until, StatementKind::Query)),
            };
            if let Some(error) = error {
                lease.release().await;
                return (Err(error), None);
            }
        }
        let result = cursor.ready();
        let place = Place::Own {
            lease,
            cursor,
            touches_session,
        };
        if matches!(result, Ok(Some(_))) {
            return (result, Some(place));
        }
        self.close(place).await;
        (result, None)
    }

    async fn fetch_streaming(
        &mut self,
        mut streaming: Streaming,
        limit: Option<Duration>,
    ) -> (Result<Option<Batch>, Error>, Option<Place>) {
        let until = self.until_alone(limit);
        let next = match until.at {
            Some(deadline) => match timeout_at(deadline, streaming.next()).await {
                Ok(next) => next,
                Err(_) => Err(Some(self.out_of_time_alone(until, StatementKind::Query))),
            },
            None => streaming.next().await,
        };
        match next {
            Ok(Some(batch)) => (Ok(Some(batch)), Some(Place::Streaming(streaming))),
            Ok(None) => {
                streaming.close().await;
                (Ok(None), None)
            }
            Err(error) => (Err(streaming.after(error).await), None),
        }
    }

    /// Takes a cursor away from the database.
    pub(super) async fn close(&mut self, place: Place) {
        match place {
            Place::Joined { level, cursor, .. } => self.close_joined(level, cursor).await,
            Place::Own {
                mut lease,
                touches_session,
                ..
            } => {
                if lease.is_usable() {
                    let until = match self.deadline {
                        Some(deadline) => after(deadline.max(Instant::now()), GRACE),
                        None => after(Instant::now(), CONTROL_LIMIT),
                    };
                    let sql = Arc::from("ROLLBACK");
                    let work = async |connection: &mut Connection| connection.rollback().await;
                    match operate(&mut lease, &sql, Some(until), work).await {
                        Some(Ok(())) if !touches_session => lease.untouch(),
                        Some(Err(failed)) if failed.broken => lease.break_off(failed.error),
                        _ => {}
                    }
                }
                lease.release().await;
            }
            Place::Streaming(streaming) => streaming.close().await,
        }
    }

    async fn close_joined(&mut self, level: TransactionId, cursor: Cursor) {
        self.notice_loss();
        let innermost = self.levels.last().map(|level| &level.state);
        // What is aborted or lost takes its cursors away by itself when it is rolled back.
        if !self.is_open(level) || cursor.is_failed() || !matches!(innermost, Some(State::Open)) {
            return;
        }
        let closed = self
            .on_lease("CLOSE", async |connection| {
                connection.close_cursor(&cursor).await
            })
            .await;
        if let Err(failed) = closed {
            self.after_failure(failed).await;
        }
    }
}
