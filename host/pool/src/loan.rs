//! A connection in somebody's hands, from the moment it is meant for them until it goes back by `Drop`; who they are
//! is the lease's to know.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout, timeout_at};
use tracing::{debug, warn};

use crate::connector::Connector;
use crate::error::AcquireError;
use crate::shared::{Shared, after};
use crate::work::{Entry, Handed, Phase, Why};

/// Dropped as it is, the connection is reused if it is fit for it and closed if not.
pub(crate) struct Loan<C: Connector> {
    pub(crate) shared: Arc<Shared<C>>,
    /// None only in what [`take`](Loan::take) leaves behind.
    entry: Option<Entry<C::Connection>>,
    phase: Phase,
    /// How long a lease held it, once that has ended and until it is recorded.
    pub(crate) held: Option<Duration>,
    /// Why it must not be reused. Set before an operation and cleared after it, so that one that was cut short
    /// leaves it set.
    pub(crate) fault: Option<Why>,
    /// Whether it must be reset before reuse; cut short, a reset leaves this set and the connection is closed.
    pub(crate) touched: bool,
}

impl<C: Connector> Loan<C> {
    pub(crate) fn new(shared: Arc<Shared<C>>, handed: Handed<C::Connection>) -> Self {
        Self {
            shared,
            entry: Some(handed.entry),
            phase: handed.phase,
            held: None,
            fault: None,
            touched: false,
        }
    }

    /// Moves the loan out of a borrowed place, and leaves one behind whose drop does nothing.
    pub(crate) fn take(&mut self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            entry: self.entry.take(),
            phase: self.phase,
            held: self.held.take(),
            fault: self.fault.take(),
            touched: self.touched,
        }
    }

    pub(crate) fn is_taken(&self) -> bool {
        self.entry.is_none()
    }

    pub(crate) fn id(&self) -> u64 {
        self.entry().id
    }

    /// The connection and the fault of its loan, for an operation to set and clear.
    pub(crate) fn connection(&mut self) -> (&mut C::Connection, &mut Option<Why>) {
        let Some(entry) = &mut self.entry else {
            unreachable!("whatever takes a loan's connection drops what it left behind")
        };
        (&mut entry.connection, &mut self.fault)
    }

    /// Marks it broken and retires its generation, for what broke it has likely broken the others.
    pub(crate) fn break_off(&mut self, why: Why) {
        self.fault = Some(why);
        let generation = self.entry().generation;
        let retired = self
            .shared
            .change(|state, work| state.retire(generation, work));
        if retired {
            let id = self.id();
            warn!(target: "poolhouse::pool", id, why = why.as_str(), "generation retired");
        }
    }

    /// Pings the connection if it has been idle for long. `None` means that it proved stale and the caller should
    /// take another.
    ///
    /// Cancel-safe: dropped midway, the connection is closed.
    ///
    /// # Errors
    /// [`AcquireError::Exhausted`] if the caller's deadline passes first.
    pub(crate) async fn checked(
        mut self,
        since: Instant,
        deadline: Instant,
    ) -> Result<Option<Self>, AcquireError<C::Error>> {
        if self.phase != Phase::Pinging {
            return Ok(Some(self));
        }
        let id = self.id();
        let shared = Arc::clone(&self.shared);
        let limit = after(Instant::now(), shared.options.ping_timeout);
        let (connection, fault) = self.connection();
        *fault = Some(Why::PingFailed);
        match timeout_at(limit.min(deadline), shared.connector.ping(connection)).await {
            Ok(Ok(())) => {
                self.fault = None;
                let now = Instant::now();
                let entry = self.entry();
                if !shared.state.lock().pinged(entry, since, now) {
                    return Ok(None);
                }
                self.phase = Phase::Lent;
                return Ok(Some(self));
            }
            Ok(Err(error)) => warn!(target: "poolhouse::pool", id, %error, "ping failed"),
            Err(_) if deadline < limit => {
                shared.state.lock().count_timeout();
                drop(self);
                return Err(shared.exhausted(since));
            }
            Err(_) => warn!(target: "poolhouse::pool", id, "ping took longer than ping_timeout"),
        }
        self.break_off(Why::PingFailed);
        Ok(None)
    }

    /// Whether a reset is needed before reuse, and worth it: if so the connection now counts as resetting, and
    /// [`reset`](Loan::reset) is to follow.
    pub(crate) fn start_reset(&mut self) -> bool {
        if !self.touched || self.fault.is_some() {
            return false;
        }
        let held = self.held.unwrap_or_default();
        let now = Instant::now();
        let started = self
            .shared
            .state
            .lock()
            .start_reset(self.entry(), held, now);
        if started {
            self.held = None;
            self.phase = Phase::Resetting;
        }
        started
    }

    /// Brings the connection back to the state of a new one and gives it back; closes it if that fails.
    ///
    /// Cancel-safe: dropped midway, the connection is closed.
    pub(crate) async fn reset(mut self) {
        let id = self.id();
        let shared = Arc::clone(&self.shared);
        let (connection, _) = self.connection();
        let limit = shared.options.reset_timeout;
        match timeout(limit, shared.connector.reset(connection)).await {
            Ok(Ok(())) => {
                self.touched = false;
                debug!(target: "poolhouse::pool", id, "reset");
            }
            Ok(Err(error)) => warn!(target: "poolhouse::pool", id, %error, "reset failed"),
            Err(_) => {
                warn!(target: "poolhouse::pool", id, ?limit, "reset took longer than reset_timeout");
            }
        }
    }

    fn entry(&self) -> &Entry<C::Connection> {
        let Some(entry) = &self.entry else {
            unreachable!("whatever takes a loan's connection drops what it left behind")
        };
        entry
    }
}

impl<C: Connector> Drop for Loan<C> {
    fn drop(&mut self) {
        let Some(entry) = self.entry.take() else {
            return;
        };
        let fault = self.fault.or(self.touched.then_some(Why::NotReset));
        let handed = Handed {
            entry,
            phase: self.phase,
        };
        let (held, now) = (self.held, Instant::now());
        self.shared
            .change(|state, work| state.put_back(handed, fault, held, now, work));
    }
}
