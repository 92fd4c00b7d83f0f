//! Owns one call chain's work on at most one connection: running its statements where they belong; leaves transactions' levels to `levels`.

mod admission;
mod cursors;
mod ending;
mod health;
mod levels;
mod log;
mod many;
mod refused;
mod streaming;
mod time;

use std::sync::Arc;
use std::time::Duration;

use poolhouse_pool::{Lease, Request as LeaseRequest, Revocation};
use tokio::time::Instant;

use crate::actor::{Acquire, Actor, Within};
use crate::column::Answer;
use crate::connection::{Connection, DatabaseConnector};
use crate::database::Database;
use crate::error::{Error, UnavailableReason};
use crate::footprint::{Footprint, StatementKind};
use crate::session::Session;
use crate::statement::{Author, Failed, Ran, Request};
use crate::tenant::Tenant;
use crate::transaction::{Level, State};
use crate::url::Backend;
use crate::value::Value;

pub use cursors::{CursorId, CursorMark};

use admission::Admitted;
use cursors::Cursors;
use time::Until;

/// How long after a chain's deadline the pool takes its connection back, should the chain not have done so itself.
const OVERTIME: Duration = Duration::from_secs(10);

/// One call chain's work on at most one connection. Outside a transaction each statement takes a connection and gives
/// it back; an open transaction keeps one, and all work of the chain joins it.
///
/// Every future of its methods may be dropped: the connection of a statement that was under way is then cancelled and
/// closed, and a transaction that it was in is lost. Dropping the chain rolls everything back in the background.
#[derive(Debug)]
pub struct Chain {
    database: Database,
    chain: u64,
    started: Instant,
    deadline: Option<Instant>,
    acquire: Acquire,
    refuse_writes: Option<String>,
    /// Held while a level is open and its connection sound.
    lease: Option<Lease<DatabaseConnector>>,
    /// A function of a statement in the transaction may have left something in the session.
    session_touched: bool,
    /// A statement of the transaction has inserted a row.
    inserted: bool,
    /// A statement of the transaction was a write.
    wrote: bool,
    /// The role of whoever began the transaction, in which it is committed, too.
    begun_as: Option<Arc<str>>,
    /// From the transaction inwards.
    levels: Vec<Level>,
    cursors: Cursors,
}

impl Chain {
    /// A chain that holds no connection yet. `chain` is its number in logs; past `deadline` nothing waits any more.
    #[must_use]
    pub fn new(database: Database, chain: u64, deadline: Option<Instant>) -> Self {
        Self {
            database,
            chain,
            started: Instant::now(),
            deadline,
            acquire: Acquire::Queue,
            refuse_writes: None,
            lease: None,
            session_touched: false,
            inserted: false,
            wrote: false,
            begun_as: None,
            levels: Vec::new(),
            cursors: Cursors::default(),
        }
    }

    /// How the next connection is taken.
    pub fn set_acquire(&mut self, acquire: Acquire) {
        self.acquire = acquire;
    }

    /// With a reason, every write and every transaction that may write answers `conflict` (busy) at once: another
    /// connection of the same call chain is writing, and on SQLite waiting for it would never end.
    pub fn refuse_writes(&mut self, reason: Option<String>) {
        self.refuse_writes = reason;
    }

    /// Runs a statement and answers all its rows.
    ///
    /// # Errors
    /// Every case of [`Error`]. More rows or bytes than the actor's limit are `Limit`, never a part of the rows.
    pub async fn query(
        &mut self,
        actor: &Actor,
        within: Within,
        sql: &str,
        params: &[Value],
    ) -> Result<Answer, Error> {
        self.run(actor, within, sql, params, true)
            .await
            .map(|ran| ran.answer)
    }

    /// Runs a statement and answers the number of rows it changed. Rows that it returns are dropped.
    ///
    /// # Errors
    /// Every case of [`Error`].
    pub async fn execute(
        &mut self,
        actor: &Actor,
        within: Within,
        sql: &str,
        params: &[Value],
    ) -> Result<u64, Error> {
        self.run(actor, within, sql, params, false)
            .await
            .map(|ran| ran.changed)
    }

    async fn run(
        &mut self,
        actor: &Actor,
        within: Within,
        sql: &str,
        parameters: &[Value],
        rows: bool,
    ) -> Result<Ran, Error> {
        let admitted = self.admit(actor, within, sql, parameters.len()).await?;
        let request = Request {
            sql: &admitted.sql,
            parameters,
            kind: admitted.footprint.kind,
            author: Author::Plugin,
            limits: actor.limits(),
            rows,
        };
        let started = Instant::now();
        let result = if admitted.joined {
            self.run_joined(actor, &request, &admitted).await
        } else {
            self.run_alone(actor, &request, &admitted).await
        };
        let result = result.map_err(|error| self.refused(actor, error));
        if result.is_ok() {
            self.database.answered();
        }
        let rows = |ran: &Ran| u64::from(ran.answer.batch.rows).max(ran.changed);
        let outcome = result.as_ref().map(rows).map_err(Error::clone);
        self.echo_statement(&actor.plugin, &admitted.sql, started.elapsed(), &outcome);
        result
    }

    /// One statement with a connection of its own, which it gives back. The lease is a local: dropped with this
    /// future, it cancels the statement.
    async fn run_alone(
        &mut self,
        actor: &Actor,
        request: &Request<'_>,
        admitted: &Admitted,
    ) -> Result<Ran, Error> {
        let footprint = &*admitted.footprint;
        let mut lease = self.lend(actor, self.acquire).await?;
        // Rows of a write may turn out to be too many, or unreadable, when it is done; then it must be undone.
        let whole = request.rows && footprint.kind == StatementKind::Write;
        if footprint.touches_session || whole {
            lease.touch();
        }
        let session = actor.session();
        let work = async |connection: &mut Connection| {
            admitted.check_added(actor, connection)?;
            if whole {
                connection
                    .run_whole(request.clone(), session.read_only)
                    .await
            } else {
                connection.run(request.clone()).await
            }
        };
        let until = self.until_alone(actor.statement_timeout);
        let result = operate_as(&mut lease, &session, request.sql, until.at, work).await;
        self.after_alone(lease, footprint, until, result).await
    }

    /// What came of a statement by itself, whose connection goes back.
    async fn after_alone<T>(
        &self,
        mut lease: Lease<DatabaseConnector>,
        footprint: &Footprint,
        until: Until,
        result: Option<Result<T, Failed>>,
    ) -> Result<T, Error> {
        if matches!(result, Some(Ok(_))) && !footprint.touches_session {
            lease.untouch();
        }
        let result = match result {
            Some(Ok(ran)) => Ok(ran),
            Some(Err(failed)) => {
                if failed.broken {
                    lease.break_off(failed.error.clone());
                }
                let lost =
                    failed.broken && !failed.refused && footprint.kind != StatementKind::Query;
                Err(if lost {
                    failed.error.with_unknown_outcome()
                } else {
                    failed.error
                })
            }
            None if lease.is_revoked() => Err(match footprint.kind {
                StatementKind::Query => held_too_long(),
                _ => taken_back("the statement").with_unknown_outcome(),
            }),
            None => Err(self.out_of_time_alone(until, footprint.kind)),
        };
        lease.release().await;
        result
    }

    /// One statement on the transaction's connection.
    async fn run_joined(
        &mut self,
        actor: &Actor,
        request: &Request<'_>,
        admitted: &Admitted,
    ) -> Result<Ran, Error> {
        let footprint = &*admitted.footprint;
        self.session_touched |= footprint.touches_session;
        self.wrote |= footprint.kind == StatementKind::Write;
        let work = async |connection: &mut Connection| {
            admitted.check_added(actor, connection)?;
            let ran = connection.run(request.clone()).await;
            if footprint.touches_session {
                connection.doubt_session();
            }
            ran
        };
        let ran = self.joined(Acting::of(actor), request.sql, work).await?;
        self.inserted |= footprint.inserts && ran.changed > 0;
        Ok(ran)
    }

    /// Does something of a plugin's, in its role, on the transaction's connection, in the time that it, the transaction and
    /// the call have.
    async fn joined<T>(
        &mut self,
        Acting { role, limit }: Acting<'_>,
        sql: &Arc<str>,
        work: impl AsyncFnOnce(&mut Connection) -> Result<T, Failed>,
    ) -> Result<T, Error> {
        let until = self.until_joined(limit);
        let Some(lease) = self.lease.as_mut() else {
            return Err(lost_connection());
        };
        let work = async |connection: &mut Connection| {
            connection.act_as(role).await?;
            work(connection).await
        };
        let result = operate(lease, sql, until.at, work).await;
        if lease.is_revoked() {
            let error = held_too_long();
            self.lose(&error);
            return Err(error);
        }
        match result {
            Some(Ok(done)) => Ok(done),
            Some(Err(failed)) => Err(self.after_failure(failed).await),
            None => {
                let error = self.out_of_time(until);
                self.lose(&error);
                Err(error)
            }
        }
    }

    /// What a failed statement means for the transaction it was in.
    async fn after_failure(&mut self, failed: Failed) -> Error {
        let error = failed.error;
        if failed.broken {
            self.lose(&error);
            return error;
        }
        if !failed.refused {
            return error;
        }
        match self.database.backend() {
            Backend::Postgresql => {
                if let Some(level) = self.levels.last_mut() {
                    level.state = State::Aborted;
                }
            }
            Backend::Sqlite => {
                // Somebody else's lock: the contract's conflict means that the transaction is gone.
                let conflict = matches!(error, Error::Conflict { .. });
                match self
                    .on_lease("ROLLBACK", async |connection| {
                        if conflict {
                            connection.rollback().await.map(|()| false)
                        } else {
                            connection.is_in_transaction().await
                        }
                    })
                    .await
                {
                    Ok(true) => {}
                    Ok(false) => {
                        let lost = if conflict {
                            error.clone()
                        } else {
                            Error::Closed(format!(
                                "the transaction was rolled back by the database: {error}"
                            ))
                        };
                        self.lose_rolled_back(&lost).await;
                    }
                    Err(_) => self.lose(&error),
                }
            }
        }
        error
    }

    async fn lend(
        &self,
        actor: &Actor,
        acquire: Acquire,
    ) -> Result<Lease<DatabaseConnector>, Error> {
        if self
            .deadline
            .is_some_and(|deadline| deadline <= Instant::now())
        {
            return Err(self.call_timeout());
        }
        let mut request = self.request();
        request.setting = actor.session().setting();
        request.at_once |= acquire == Acquire::AtOnce;
        let taken = self.tenant(actor).acquire(&self.database, &request).await;
        match taken {
            // Not waiting for what others hold, it waited for a connection to be opened, to the end of its time.
            Err(Error::PoolExhausted { .. })
                if request.at_once && self.deadline.is_some_and(|at| at <= Instant::now()) =>
            {
                Err(self.call_timeout())
            }
            taken => taken,
        }
    }

    /// How it asks for a connection.
    fn request(&self) -> LeaseRequest {
        LeaseRequest {
            chain: self.chain,
            at_once: self.acquire == Acquire::AtOnce,
            until: self.deadline,
            // The chain ends its own work by its deadline; this is for one that no longer runs.
            deadline: self.deadline.and_then(|at| at.checked_add(OVERTIME)),
            setting: 0,
        }
    }

    /// In whose name it asks for one.
    fn tenant<'a>(&'a self, actor: &'a Actor) -> &'a Tenant {
        actor.tenant.as_ref().unwrap_or(self.database.own())
    }
}

/// As whom something is done in a transaction, and how long it may take.
#[derive(Clone, Copy)]
struct Acting<'a> {
    role: Option<&'a Arc<str>>,
    limit: Option<Duration>,
}

impl<'a> Acting<'a> {
    fn of(actor: &'a Actor) -> Self {
        Self {
            role: actor.role.as_ref(),
            limit: actor.statement_timeout,
        }
    }
}

/// Works on a connection up to a deadline; none where the deadline passed or the lease was revoked, and then the lease
/// is of no use but to be dropped.
///
/// Who takes a lease back cancels the statement, and the error of that may be here before its reason is looked at.
async fn operate<T>(
    lease: &mut Lease<DatabaseConnector>,
    sql: &Arc<str>,
    deadline: Option<Instant>,
    work: impl AsyncFnOnce(&mut Connection) -> Result<T, Failed>,
) -> Option<Result<T, Failed>> {
    let revocation = lease.revocation();
    let mut operation = lease.operation(Some(sql)).ok()?;
    let result = within(&revocation, deadline, work(&mut operation)).await?;
    operation.complete();
    Some(result).filter(|result| result.is_ok() || !lease.is_revoked())
}

/// [`operate`] outside of any transaction, on a connection that is first set for whoever it is done for.
async fn operate_as<T>(
    lease: &mut Lease<DatabaseConnector>,
    session: &Session,
    sql: &Arc<str>,
    deadline: Option<Instant>,
    work: impl AsyncFnOnce(&mut Connection) -> Result<T, Failed>,
) -> Option<Result<T, Failed>> {
    let mut set = None;
    let work = async |connection: &mut Connection| {
        let before = connection.setting();
        connection.set_for(session).await?;
        set = Some(connection.setting()).filter(|after| *after != before);
        work(connection).await
    };
    let result = operate(lease, sql, deadline, work).await;
    if let Some(setting) = set {
        lease.set_for(setting);
    }
    result
}

/// What work on a lease gives; none where the deadline passed or the lease was revoked before it was done.
async fn within<T>(
    revocation: &Revocation<DatabaseConnector>,
    deadline: Option<Instant>,
    work: impl Future<Output = T>,
) -> Option<T> {
    let work = async {
        match deadline {
            Some(deadline) => tokio::time::timeout_at(deadline, work).await.ok(),
            None => Some(work.await),
        }
    };
    tokio::select! {
        biased;
        result = work => result,
        () = revocation.wait() => None,
    }
}

fn lost_connection() -> Error {
    Error::Closed(
        "the transaction was rolled back: one of its statements was cancelled before it ended"
            .to_owned(),
    )
}

/// What a transaction answers whose connection was taken back between its statements, or under one that was no commit.
fn held_too_long() -> Error {
    Error::unavailable(
        UnavailableReason::Other,
        "the connection was held past its deadline (the call's, or lease_timeout in [database]), or the host is stopping, so it was taken back: the transaction is rolled back",
    )
}

/// What a statement answers whose connection was taken back under it.
fn taken_back(what: &str) -> Error {
    Error::unavailable(
        UnavailableReason::Other,
        format!(
            "the connection was taken back while {what} was under way: it was held past its deadline (the call's, or lease_timeout in [database]), or the host is stopping"
        ),
    )
}
