//! What a caller holds: a connection lent to it by name, the marks it puts on it, and the ways of giving it back.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use tokio::time::Instant;
use tracing::debug;

use crate::connector::Connector;
use crate::loan::Loan;
use crate::work::Why;

/// Who holds a lease, for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Its name.
    pub name: Arc<str>,
    /// The number of the call chain it acts in.
    pub chain: u64,
}

/// A connection lent to one holder until it is released or dropped.
///
/// On its way back it is closed if an operation was left unfinished, if it is broken, if its generation was retired
/// or if it is too old; reset first if it was touched; and otherwise handed straight to the next waiter. Dropping a
/// lease does the same as [`release`](Lease::release), anywhere, in a task on the pool's runtime where it must wait.
pub struct Lease<C: Connector> {
    loan: Loan<C>,
    holder: Holder,
    lent_at: Instant,
}

impl<C: Connector> Lease<C> {
    pub(crate) fn new(loan: Loan<C>, holder: Holder, waited_since: Instant) -> Self {
        let lent_at = Instant::now();
        debug!(
            target: "poolhouse::pool",
            id = loan.id(),
            holder = %holder.name,
            chain = holder.chain,
            waited = ?lent_at.saturating_duration_since(waited_since),
            "checkout"
        );
        Self {
            loan,
            holder,
            lent_at,
        }
    }

    /// The connection's number in this pool, from 1.
    pub fn id(&self) -> u64 {
        self.loan.id()
    }

    /// Who holds it.
    pub fn holder(&self) -> &Holder {
        &self.holder
    }

    /// Starts an operation: the guard is the connection. Unless [`Operation::complete`] ends it, the connection
    /// counts as in flight for good, and is closed when the lease ends.
    pub fn operation(&mut self) -> Operation<'_, C> {
        let (connection, fault) = self.loan.connection();
        let before = *fault;
        *fault = before.or(Some(Why::InFlight));
        Operation {
            connection,
            fault,
            before,
        }
    }

    /// Says that session state may have changed: the connection is reset before it is reused.
    pub fn touch(&mut self) {
        self.loan.touched = true;
    }

    /// Says that session state is known to be a new connection's again.
    pub fn untouch(&mut self) {
        self.loan.touched = false;
    }

    /// Whether session state may have changed.
    pub fn is_touched(&self) -> bool {
        self.loan.touched
    }

    /// Says that the connection is broken: it is closed on return, and its generation is retired now, because what
    /// broke it has likely broken the others.
    pub fn break_off(&mut self) {
        self.loan.break_off(Why::Broken);
    }

    /// Whether another operation may follow: none is in flight, and the connection is not broken.
    pub fn is_usable(&self) -> bool {
        self.loan.fault.is_none()
    }

    /// Gives the connection back, waiting for at most `reset_timeout` where it must be reset, so that the caller
    /// knows the server's side to be clean.
    ///
    /// Cancel-safe: dropped midway, the connection is closed. Dropped before it is first polled, it is as if the
    /// lease had been dropped.
    pub async fn release(mut self) {
        if let Some(loan) = self.end() {
            loan.reset().await;
        }
    }

    /// Ends the lease; returns the loan if it must be reset before it goes back.
    fn end(&mut self) -> Option<Loan<C>> {
        if self.loan.is_taken() {
            return None;
        }
        let mut loan = self.loan.take();
        let held = self.lent_at.elapsed();
        loan.held = Some(held);
        debug!(
            target: "poolhouse::pool",
            id = loan.id(),
            holder = %self.holder.name,
            chain = self.holder.chain,
            ?held,
            "return"
        );
        loan.start_reset().then_some(loan)
    }
}

impl<C: Connector> Drop for Lease<C> {
    fn drop(&mut self) {
        if let Some(loan) = self.end() {
            let runtime = loan.shared.runtime.clone();
            runtime.spawn(loan.reset());
        }
    }
}

impl<C: Connector> fmt::Debug for Lease<C> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Lease")
            .field("id", &self.id())
            .field("holder", &self.holder)
            .field("touched", &self.is_touched())
            .field("usable", &self.is_usable())
            .finish_non_exhaustive()
    }
}

/// One operation on a lent connection, which it dereferences to.
///
/// It ends well only by [`complete`](Operation::complete). Dropped or forgotten without, as when the future it lives
/// in is cancelled, the connection is never reused.
#[must_use = "dropped without `complete`, the connection is never reused"]
pub struct Operation<'a, C: Connector> {
    connection: &'a mut C::Connection,
    fault: &'a mut Option<Why>,
    /// What an operation before it left: completing this one does not mend that.
    before: Option<Why>,
}

impl<C: Connector> Operation<'_, C> {
    /// Says that the connection has answered in full and is ready for the next operation.
    pub fn complete(self) {
        *self.fault = self.before;
    }
}

impl<C: Connector> Deref for Operation<'_, C> {
    type Target = C::Connection;

    fn deref(&self) -> &C::Connection {
        self.connection
    }
}

impl<C: Connector> DerefMut for Operation<'_, C> {
    fn deref_mut(&mut self) -> &mut C::Connection {
        self.connection
    }
}

impl<C: Connector> fmt::Debug for Operation<'_, C> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Operation").finish_non_exhaustive()
    }
}
