//! Owns the names, options and states of transactions and savepoints; leaves the statements that make them to `chain`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::error::Error;

/// One open transaction or savepoint; never the same twice in a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TransactionId(u64);

/// How a transaction begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TransactionOptions {
    /// How far it sees others' work.
    pub isolation: Isolation,
    /// Writes are refused. Ignored for a savepoint in a read-only transaction; `invalid` for one in a transaction
    /// that may write.
    pub read_only: bool,
    /// From begin to commit; past it every statement answers `timeout` and the transaction is rolled back. None =
    /// as long as who begins it may have one open, and until the call's own deadline.
    pub timeout: Option<Duration>,
}

/// How far a transaction sees others' work; rising.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Isolation {
    /// The database's own default.
    #[default]
    Default,
    /// Each statement sees what was committed before it.
    ReadCommitted,
    /// One snapshot for the whole transaction.
    RepeatableRead,
    /// As if transactions ran one after another; what SQLite always gives.
    Serializable,
}

/// One level of a chain's transaction: the transaction itself, or a savepoint in it.
#[derive(Debug)]
pub(crate) struct Level {
    pub(crate) id: TransactionId,
    /// Who began it, for the log.
    pub(crate) plugin: Arc<str>,
    pub(crate) state: State,
    /// Of the whole transaction, so the same on every level.
    pub(crate) read_only: bool,
    pub(crate) isolation: Isolation,
    /// When its own timeout passes, and how long that was.
    pub(crate) expires: Option<(Instant, Duration)>,
}

/// What can still be done in a level. `Open` becomes `Aborted` by a failed statement (PostgreSQL) and `Lost` by a
/// broken connection, a timeout or a conflict; only its rollback or commit ends an aborted or lost level.
#[derive(Debug)]
pub(crate) enum State {
    /// Statements run.
    Open,
    /// The server refuses everything until its rollback.
    Aborted,
    /// It is rolled back in the database already; everything answers this.
    Lost(Error),
}

impl TransactionId {
    pub(crate) fn next() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self(LAST.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

impl std::fmt::Display for TransactionId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(formatter)
    }
}

impl Level {
    pub(crate) fn expired(&self, now: Instant) -> Option<Duration> {
        self.expires
            .filter(|(at, _)| *at <= now)
            .map(|(_, limit)| limit)
    }
}
