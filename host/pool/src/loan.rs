//! A connection in somebody's hands, from the moment it is meant for them until it goes back by `Drop`; who they are
//! is the lease's to know.

use std::sync::Arc;

use tokio::time::{Instant, timeout, timeout_at};
use tracing::{debug, warn};

use crate::connector::Connector;
use crate::error::{AcquireError, Cause};
use crate::shared::{Shared, SlotOf, after};
use crate::state::{Claim, Handed, Why};

/// Dropped as it is, the connection is reused if it is fit for it and closed if not.
pub(crate) struct Loan<C: Connector> {
    pub(crate) shared: Arc<Shared<C>>,
    pub(crate) slot: SlotOf<C>,
    pub(crate) key: usize,
    /// Why it must not be reused. Set before an operation and cleared after it, so that one that was cut short
    /// leaves it set.
    pub(crate) fault: Option<Why>,
    /// Whether it has done anything, which its slot remembers.
    used: bool,
    /// Whether it must be reset before reuse; cut short, a reset leaves this set and the connection is closed.
    pub(crate) touched: bool,
}

impl<C: Connector> Loan<C> {
    pub(crate) fn new(shared: Arc<Shared<C>>, handed: Handed<SlotOf<C>>) -> Self {
        Self {
            shared,
            slot: handed.slot,
            key: handed.key,
            fault: None,
            touched: false,
            used: false,
        }
    }

    pub(crate) fn id(&self) -> u64 {
        self.slot.id
    }

    /// Who has it: tenant, call chain, and since when.
    pub(crate) fn holder(&self) -> Option<(Arc<str>, u64, Instant)> {
        self.shared.state.lock().holder(self.key, self.id())
    }

    /// Marks it broken and retires its generation, for what broke it has likely broken the others.
    pub(crate) fn break_off(&mut self, why: Why, cause: Cause<C::Error>) {
        self.fault = Some(why);
        let id = self.id();
        let now = Instant::now();
        let retired = self.shared.change(now, |state, work| {
            let generation = state.generation_of(self.key, id);
            generation.is_some_and(|generation| state.broke(generation, cause, now, work))
        });
        if retired {
            warn!(target: "poolhouse::pool", id, why = why.as_str(), "generation retired");
        }
    }

    /// Pings the connection. `None` means that it proved stale and the caller should take another.
    ///
    /// Cancel-safe: dropped midway, the connection is closed.
    ///
    /// # Errors
    /// [`AcquireError::Exhausted`] if the caller's time is over first.
    pub(crate) async fn pinged(
        mut self,
        claim: &Claim,
    ) -> Result<Option<Self>, AcquireError<C::Error>> {
        let shared = Arc::clone(&self.shared);
        let limit = after(Instant::now(), shared.options.ping_timeout);
        let cause = {
            let Some(mut borrowed) = self.borrow(Why::PingFailed, None) else {
                return Ok(None);
            };
            let ping = shared.connector.ping(&mut borrowed);
            match timeout_at(limit.min(claim.until), ping).await {
                Ok(Ok(())) => {
                    borrowed.complete();
                    let now = Instant::now();
                    let lent = shared.change(now, |state, work| {
                        state.pinged(self.key, self.slot.id, claim, now, work)
                    });
                    return Ok(lent.then_some(self));
                }
                Ok(Err(error)) => Cause::Broken(Arc::new(error)),
                Err(_) if claim.until < limit => {
                    drop(borrowed);
                    drop(self);
                    let now = Instant::now();
                    return Err(shared.change(now, |state, _| state.in_vain(claim, now)));
                }
                Err(_) => Cause::Silent(shared.options.ping_timeout),
            }
        };
        self.break_off(Why::PingFailed, cause);
        Ok(None)
    }

    /// Whether a reset is needed before reuse, and worth it: if so the connection now counts as resetting, and
    /// [`reset`](Loan::reset) is to follow.
    pub(crate) fn start_reset(&mut self) -> bool {
        if !self.touched || self.fault.is_some() {
            return false;
        }
        let now = Instant::now();
        let (key, id) = (self.key, self.id());
        self.shared
            .change(now, |state, _| state.start_reset(key, id, now))
    }

    /// Brings the connection back to the state of a new one and gives it back; closes it if that fails.
    ///
    /// Cancel-safe: dropped midway, the connection is closed.
    pub(crate) async fn reset(mut self) {
        let id = self.id();
        let shared = Arc::clone(&self.shared);
        let limit = shared.options.reset_timeout;
        let Some(mut borrowed) = self.borrow(Why::NotReset, None) else {
            return;
        };
        match timeout(limit, shared.connector.reset(&mut borrowed)).await {
            Ok(Ok(())) => {
                borrowed.complete();
                self.touched = false;
                debug!(target: "poolhouse::pool", id, "reset");
            }
            Ok(Err(error)) => warn!(target: "poolhouse::pool", id, %error, "reset failed"),
            Err(_) => {
                warn!(target: "poolhouse::pool", id, ?limit, "reset took longer than reset_timeout");
            }
        }
    }

    /// Takes the connection out of its slot for as long as the guard lives. Unless that is completed, `fault` stays.
    /// None if the lease was revoked.
    pub(crate) fn borrow(
        &mut self,
        fault: Why,
        statement: Option<&Arc<str>>,
    ) -> Option<Borrowed<'_, C>> {
        let connection = self.slot.take_for(statement)?;
        self.used = true;
        let before = self.fault;
        self.fault = before.or(Some(fault));
        Some(Borrowed {
            loan: self,
            connection: Some(connection),
            before,
        })
    }
}

impl<C: Connector> Drop for Loan<C> {
    fn drop(&mut self) {
        if self.used {
            self.slot.forget_statement();
        }
        let fault = self.fault.or(self.touched.then_some(Why::NotReset));
        let (key, id, now) = (self.key, self.id(), Instant::now());
        self.shared
            .change(now, |state, work| state.put_back(key, id, fault, now, work));
    }
}

/// A lent connection in use; goes back into its slot when this is dropped, or to be closed if its lease was revoked.
pub(crate) struct Borrowed<'a, C: Connector> {
    loan: &'a mut Loan<C>,
    connection: Option<C::Connection>,
    /// What an operation before it left: completing this one does not mend that.
    before: Option<Why>,
}

impl<C: Connector> Borrowed<'_, C> {
    pub(crate) fn complete(self) {
        self.loan.fault = self.before;
    }
}

impl<C: Connector> std::ops::Deref for Borrowed<'_, C> {
    type Target = C::Connection;

    fn deref(&self) -> &C::Connection {
        let Some(connection) = &self.connection else {
            unreachable!("only the drop takes it")
        };
        connection
    }
}

impl<C: Connector> std::ops::DerefMut for Borrowed<'_, C> {
    fn deref_mut(&mut self) -> &mut C::Connection {
        let Some(connection) = &mut self.connection else {
            unreachable!("only the drop takes it")
        };
        connection
    }
}

impl<C: Connector> Drop for Borrowed<'_, C> {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else {
            return;
        };
        if self.loan.slot.store(connection) {
            self.loan
                .shared
                .close_revoked(self.loan.key, self.loan.id());
        }
    }
}
