//! Owns a chain's transaction and savepoints as a stack of levels: beginning them, and finding where a statement belongs.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::actor::{Actor, Within};
use crate::connection::Connection;
use crate::error::{ConflictKind, Error, LimitKind, UnavailableReason};
use crate::grants::Refusal;
use crate::statement::Failed;
use crate::transaction::{Isolation, Level, State, TransactionId, TransactionOptions};
use crate::url::Backend;

use super::time::transaction_timeout;
use super::{Chain, held_too_long, lost_connection, taken_back, within};

/// Savepoints in savepoints.
const MAX_LEVELS: usize = 64;

/// Beyond the call's deadline, so that a ROLLBACK that comes after it still has its time.
pub(super) const GRACE: Duration = Duration::from_secs(5);

/// For the same in a call without a deadline.
pub(super) const CONTROL_LIMIT: Duration = Duration::from_secs(30);

impl Chain {
    /// Begins a transaction, or a savepoint where one is open already. Either has the time that the options say, and the
    /// actor's own limit at most.
    ///
    /// # Errors
    /// `Denied` for an actor without grants; `Invalid` for options that a savepoint can't have; `Conflict` where
    /// writes are refused or another writer held the lock too long; otherwise why no connection was to be had.
    pub async fn begin(
        &mut self,
        actor: &Actor,
        mut options: TransactionOptions,
    ) -> Result<TransactionId, Error> {
        if actor.grants.is_empty() {
            return Err(Error::Denied(Refusal::Nothing.message(&actor.plugin)));
        }
        self.check_role(actor)?;
        options.timeout = options
            .timeout
            .into_iter()
            .chain(actor.transaction_timeout)
            .min();
        if self.enter(Within::Session).await? {
            return self.nest(&actor.plugin, &options).await;
        }
        let options = TransactionOptions {
            read_only: options.read_only || actor.is_read_only() && !actor.composes,
            ..options
        };
        if !options.read_only
            && let Some(reason) = &self.refuse_writes
        {
            return Err(Error::Conflict {
                kind: ConflictKind::Busy,
                message: reason.clone(),
            });
        }
        let mut lease = self.lend(actor, self.acquire).await?;
        // Before BEGIN: wherever this is dropped, the connection is reset or closed.
        lease.touch();
        let started = Instant::now();
        let until = self.deadline.unwrap_or_else(|| {
            let limit = CONTROL_LIMIT.saturating_add(self.database.busy_timeout());
            after(started, limit)
        });
        let revocation = lease.revocation();
        let mut operation = lease
            .operation(Some(&Arc::from("BEGIN")))
            .map_err(|_| held_too_long())?;
        let before = operation.setting();
        let beginning = async {
            operation.act_as(actor.role.as_ref()).await?;
            operation.begin(&options).await
        };
        let begun = within(&revocation, Some(until), beginning).await;
        let Some(result) = begun else {
            drop(operation);
            if lease.is_revoked() {
                return Err(held_too_long());
            }
            return Err(match self.deadline {
                Some(_) => self.call_timeout(),
                None => unanswered("BEGIN", started),
            });
        };
        let setting = operation.setting();
        operation.complete();
        if setting != before {
            lease.set_for(setting);
        }
        self.echo_control(
            &actor.plugin,
            "BEGIN",
            started.elapsed(),
            result.as_ref().err().map(|failed| &failed.error),
        );
        if let Err(failed) = result {
            if lease.is_revoked() {
                return Err(held_too_long());
            }
            if failed.broken {
                lease.break_off(failed.error.clone());
            }
            lease.release().await;
            return Err(self.refused(actor, failed.error));
        }
        self.database.answered();
        self.lease = Some(lease);
        self.begun_as = actor.role.clone();
        self.session_touched = false;
        self.inserted = false;
        self.wrote = false;
        Ok(self.push(
            &actor.plugin,
            &options,
            options.read_only,
            options.isolation,
        ))
    }

    /// Makes a savepoint in `parent`, which must be the innermost open level.
    ///
    /// # Errors
    /// `Invalid` where `parent` has an open savepoint, `Closed` where it has ended, `Limit` for more than 64 levels.
    pub async fn savepoint(
        &mut self,
        actor: &Actor,
        parent: TransactionId,
    ) -> Result<TransactionId, Error> {
        self.enter(Within::Transaction(parent)).await?;
        self.nest(&actor.plugin, &TransactionOptions::default())
            .await
    }

    /// Makes a savepoint of the host's own around the work of one plugin, whatever its grants, in what is open.
    ///
    /// # Errors
    /// Those of [`Chain::savepoint`]; `Closed` where no transaction is open.
    pub async fn savepoint_around(&mut self, plugin: &Arc<str>) -> Result<TransactionId, Error> {
        self.enter(Within::Session).await?;
        self.nest(plugin, &TransactionOptions::default()).await
    }

    /// How many levels are open: the transaction and its savepoints.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.levels.len()
    }

    /// Whether the chain holds a connection now, for its transaction or for a cursor outside one.
    #[must_use]
    pub fn holds_connection(&self) -> bool {
        self.lease.is_some() || self.cursors.hold_connections()
    }

    /// Whether it is in a transaction that may write.
    #[must_use]
    pub fn is_writing(&self) -> bool {
        self.lease.is_some() && self.levels.last().is_some_and(|level| !level.read_only)
    }

    /// Whether this transaction or savepoint has not ended yet.
    #[must_use]
    pub fn is_open(&self, id: TransactionId) -> bool {
        self.levels.iter().any(|level| level.id == id)
    }

    async fn nest(
        &mut self,
        plugin: &Arc<str>,
        options: &TransactionOptions,
    ) -> Result<TransactionId, Error> {
        let Some(outer) = self.levels.last() else {
            return Err(lost_connection());
        };
        let (read_only, isolation) = (outer.read_only, outer.isolation);
        if options.read_only && !read_only {
            return Err(Error::invalid(
                "a savepoint can't be read-only in a transaction that may write",
            ));
        }
        let given = if isolation == Isolation::Default {
            Isolation::ReadCommitted
        } else {
            isolation
        };
        if options.isolation > given && self.database.backend() == Backend::Postgresql {
            return Err(Error::invalid(
                "a savepoint can't have a stronger isolation than its transaction: begin the transaction with it",
            ));
        }
        if self.levels.len() >= MAX_LEVELS {
            return Err(Error::Limit {
                kind: LimitKind::Depth,
                message: format!("more than {MAX_LEVELS} savepoints in savepoints"),
                maximum: MAX_LEVELS as u64,
            });
        }
        let sql = format!("SAVEPOINT {}", savepoint_name(self.levels.len()));
        let started = Instant::now();
        let result = self
            .on_lease(&sql, async |connection| connection.batch(&sql).await)
            .await;
        self.echo_control(
            plugin,
            &sql,
            started.elapsed(),
            result.as_ref().err().map(|failed| &failed.error),
        );
        match result {
            Ok(()) => Ok(self.push(plugin, options, read_only, isolation)),
            Err(failed) => Err(self.after_failure(failed).await),
        }
    }

    fn push(
        &mut self,
        plugin: &Arc<str>,
        options: &TransactionOptions,
        read_only: bool,
        isolation: Isolation,
    ) -> TransactionId {
        let id = TransactionId::next();
        let expires = options
            .timeout
            .and_then(|limit| Instant::now().checked_add(limit).map(|at| (at, limit)));
        self.levels.push(Level {
            id,
            plugin: Arc::clone(plugin),
            state: State::Open,
            read_only,
            isolation,
            expires,
        });
        id
    }

    /// Finds where a statement runs: true in the innermost level, false by itself. Answers what keeps it from running.
    pub(super) async fn enter(&mut self, within: Within) -> Result<bool, Error> {
        if let Within::Transaction(id) = within {
            self.position_of_innermost(id)?;
        }
        self.expire().await;
        let Some(level) = self.levels.last() else {
            return Ok(false);
        };
        match &level.state {
            State::Open => Ok(true),
            State::Aborted => Err(aborted()),
            State::Lost(error) => Err(error.clone()),
        }
    }

    pub(super) fn position(&self, id: TransactionId) -> Result<usize, Error> {
        self.levels.iter().position(|level| level.id == id).ok_or_else(|| Error::Closed("the transaction has ended: it was committed or rolled back, or its call is over".to_owned()))
    }

    pub(super) fn position_of_innermost(&self, id: TransactionId) -> Result<usize, Error> {
        let position = self.position(id)?;
        if position + 1 == self.levels.len() {
            return Ok(position);
        }
        let what = if position == 0 {
            "the transaction"
        } else {
            "the savepoint"
        };
        Err(Error::invalid(format!(
            "{what} has an open savepoint; commit or roll it back first"
        )))
    }

    /// Marks what can't go on: levels past their timeout, and all of them where the connection is of no use any more.
    /// Cancel-safe: dropped midway, the connection is found unusable the next time.
    pub(super) async fn expire(&mut self) {
        self.notice_loss();
        let now = Instant::now();
        let expired = self.levels.iter().enumerate().find_map(|(at, level)| {
            level
                .expired(now)
                .filter(|_| !matches!(level.state, State::Lost(_)))
                .map(|limit| (at, limit))
        });
        let Some((at, limit)) = expired else { return };
        let error = transaction_timeout(limit);
        if at == 0 {
            self.lose_rolled_back(&error).await;
            return;
        }
        match self.roll_back_to(at).await {
            Ok(()) => self
                .levels
                .iter_mut()
                .skip(at)
                .for_each(|level| level.state = State::Lost(error.clone())),
            Err(_) => self.lose(&error),
        }
    }

    /// Marks the levels as lost where the connection is of no use any more.
    pub(super) fn notice_loss(&mut self) {
        if let Some(lease) = self.lease.as_ref().filter(|lease| !lease.is_usable()) {
            let error = match lease.is_revoked() {
                true => held_too_long(),
                false => lost_connection(),
            };
            self.lose(&error);
        }
    }

    /// The connection is of no use any more: it is closed, and every level answers `error` from now on.
    pub(super) fn lose(&mut self, error: &Error) {
        // One with an operation left unfinished is closed as it is, and says nothing of the other connections.
        if let Some(mut lease) = self.lease.take()
            && lease.is_usable()
        {
            lease.break_off(error.clone());
        }
        self.mark_lost(error);
    }

    /// The transaction ends in the database, the connection goes back, and every level answers `error` from now on.
    pub(super) async fn lose_rolled_back(&mut self, error: &Error) {
        self.mark_lost(error);
        let rolled_back = self
            .on_lease("ROLLBACK", async |connection| connection.rollback().await)
            .await;
        self.give_back(rolled_back.is_ok()).await;
    }

    fn mark_lost(&mut self, error: &Error) {
        for level in self
            .levels
            .iter_mut()
            .filter(|level| !matches!(level.state, State::Lost(_)))
        {
            level.state = State::Lost(error.clone());
        }
    }

    /// Undoes everything since savepoint level `at`, and the savepoint itself.
    pub(super) async fn roll_back_to(&mut self, at: usize) -> Result<(), Failed> {
        let name = savepoint_name(at);
        self.on_lease("ROLLBACK TO SAVEPOINT", async |connection| {
            connection.roll_back_to(&name).await
        })
        .await
    }

    /// Does something of our own, named `what`, on the held connection: up to the call's deadline and [`GRACE`] more.
    /// Dropped midway or out of time, the connection can only be closed.
    pub(super) async fn on_lease<T>(
        &mut self,
        what: &str,
        work: impl AsyncFnOnce(&mut Connection) -> Result<T, Failed>,
    ) -> Result<T, Failed> {
        let started = Instant::now();
        let until = match self.deadline {
            Some(deadline) => after(deadline.max(started), GRACE),
            None => after(started, CONTROL_LIMIT),
        };
        let Some(lease) = self.lease.as_mut().filter(|lease| lease.is_usable()) else {
            return Err(Failed::broken(lost_connection()));
        };
        let revocation = lease.revocation();
        let statement = Arc::from(what);
        let mut operation = lease
            .operation(Some(&statement))
            .map_err(|_| Failed::broken(held_too_long()))?;
        let Some(result) = within(&revocation, Some(until), work(&mut operation)).await else {
            drop(operation);
            // It was under way: a commit may have happened.
            return Err(Failed::broken(match lease.is_revoked() {
                true => taken_back(what),
                false => unanswered(what, started),
            }));
        };
        operation.complete();
        match &result {
            Ok(_) => self.database.answered(),
            // Cancelled by who took it back: the server said so, and the transaction is no more.
            Err(failed) if lease.is_revoked() && !failed.broken => {
                return Err(Failed::broken(held_too_long()));
            }
            Err(failed) if failed.broken => lease.break_off(failed.error.clone()),
            Err(_) => {}
        }
        result
    }

    /// Gives the connection back. `clean` says that the transaction is known to have ended.
    pub(super) async fn give_back(&mut self, clean: bool) {
        if let Some(mut lease) = self.lease.take() {
            if clean && !self.session_touched {
                lease.untouch();
            }
            self.session_touched = false;
            lease.release().await;
        }
    }
}

/// The connection is closed, and what was open on it ends with it.
fn unanswered(what: &str, started: Instant) -> Error {
    Error::unavailable(
        UnavailableReason::Unreachable,
        format!(
            "the database did not answer {what} within {:.1?}: is it overloaded, or its host gone? The connection is closed",
            started.elapsed()
        ),
    )
}

pub(super) fn after(start: Instant, limit: Duration) -> Instant {
    // A limit that no clock reaches is none.
    start
        .checked_add(limit)
        .unwrap_or_else(|| start + Duration::from_secs(86_400 * 365 * 30))
}

pub(super) fn savepoint_name(level: usize) -> String {
    format!("poolhouse_{level}")
}

pub(super) fn aborted() -> Error {
    Error::Statement {
        code: "25P02".to_owned(),
        message: "a statement failed, and PostgreSQL refuses everything more in this transaction: roll back to the nearest savepoint, or the whole of it".to_owned(),
        detail: None,
        hint: Some("make a savepoint before a statement that may fail".to_owned()),
        position: None,
    }
}
