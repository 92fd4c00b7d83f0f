//! What a caller holds: a connection lent to it, the marks it puts on it, and the ways of giving it back.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use tokio::time::Instant;
use tracing::{Level, debug, enabled};

use crate::connector::Connector;
use crate::error::{Cause, Revoked};
use crate::loan::{Borrowed, Loan};
use crate::shared::SlotOf;
use crate::state::Why;

/// A connection lent to one holder until it is released or dropped, or revoked because it was held past its deadline.
///
/// On its way back it is closed if an operation was left unfinished, if it is broken, if its generation was retired
/// or if it is too old; reset first if it was touched; and otherwise handed straight to the next waiter. Dropping a
/// lease does the same as [`release`](Lease::release), anywhere, in a task on the pool's runtime where it must wait.
pub struct Lease<C: Connector> {
    /// None only once the lease has ended.
    loan: Option<Loan<C>>,
}

/// Tells when a lease is revoked, beside an operation that borrows the lease.
pub struct Revocation<C: Connector> {
    slot: SlotOf<C>,
}

impl<C: Connector> Lease<C> {
    pub(crate) fn new(loan: Loan<C>, since: Instant) -> Self {
        if enabled!(target: "poolhouse::pool", Level::DEBUG)
            && let Some((holder, chain, lent_at)) = loan.holder()
        {
            let (id, waited) = (loan.id(), lent_at.saturating_duration_since(since));
            debug!(target: "poolhouse::pool", id, holder = &*holder, chain, ?waited, "checkout");
        }
        Self { loan: Some(loan) }
    }

    fn loan(&self) -> &Loan<C> {
        let Some(loan) = &self.loan else {
            unreachable!("only the lease's end takes it")
        };
        loan
    }

    fn loan_mut(&mut self) -> &mut Loan<C> {
        let Some(loan) = &mut self.loan else {
            unreachable!("only the lease's end takes it")
        };
        loan
    }

    /// The connection's number in this pool, from 1.
    pub fn id(&self) -> u64 {
        self.loan().id()
    }

    /// Starts an operation: the guard is the connection. Unless [`Operation::complete`] ends it, the connection
    /// counts as in flight for good, and is closed when the lease ends. `statement` is what it does, for the log of
    /// leases that are held for long: it stays until the next operation.
    ///
    /// # Errors
    /// [`Revoked`] if the lease was revoked.
    pub fn operation(&mut self, statement: Option<&Arc<str>>) -> Result<Operation<'_, C>, Revoked> {
        let loan = self.loan_mut();
        let borrowed = loan.borrow(Why::InFlight, statement).ok_or(Revoked)?;
        Ok(Operation { borrowed })
    }

    /// Tells when the lease is revoked. An operation may wait for ever on a server that went silent: whoever bounds it
    /// by no deadline of its own waits for this as well.
    pub fn revocation(&self) -> Revocation<C> {
        Revocation {
            slot: Arc::clone(&self.loan().slot),
        }
    }

    /// Says that session state may have changed: the connection is reset before it is reused.
    pub fn touch(&mut self) {
        self.loan_mut().touched = true;
    }

    /// Says that session state is known to be a new connection's again.
    pub fn untouch(&mut self) {
        self.loan_mut().touched = false;
    }

    /// Whether session state may have changed.
    pub fn is_touched(&self) -> bool {
        self.loan().touched
    }

    /// What the connection is set for, by whoever lent it last; 0 is nothing.
    pub fn setting(&self) -> u64 {
        let loan = self.loan();
        loan.shared.state.lock().setting(loan.key, loan.id())
    }

    /// Says what the connection is set for from now on, its next borrowers included; a reset must not change it.
    pub fn set_for(&mut self, setting: u64) {
        let loan = self.loan();
        let mut state = loan.shared.state.lock();
        state.set_for(loan.key, loan.id(), setting);
    }

    /// Says that the connection is broken: it is closed on return, and its generation is retired now, because what
    /// broke it has likely broken the others.
    pub fn break_off(&mut self, error: C::Error) {
        let cause = Cause::Broken(Arc::new(error));
        self.loan_mut().break_off(Why::Broken, cause);
    }

    /// Whether it was taken back because it was held past its deadline.
    pub fn is_revoked(&self) -> bool {
        self.loan().slot.is_revoked()
    }

    /// Whether another operation may follow: none is in flight, and the connection is neither broken nor revoked.
    pub fn is_usable(&self) -> bool {
        let loan = self.loan();
        loan.fault.is_none() && !loan.slot.is_revoked()
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
        let mut loan = self.loan.take()?;
        if enabled!(target: "poolhouse::pool", Level::DEBUG)
            && let Some((holder, chain, lent_at)) = loan.holder()
        {
            let (id, held) = (loan.id(), lent_at.elapsed());
            debug!(target: "poolhouse::pool", id, holder = &*holder, chain, ?held, "return");
        }
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

impl<C: Connector> Revocation<C> {
    /// Waits until the lease is revoked; for ever if it never is.
    ///
    /// Cancel-safe.
    pub async fn wait(&self) {
        self.slot.until_revoked().await;
    }
}

impl<C: Connector> fmt::Debug for Lease<C> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Lease")
            .field("id", &self.id())
            .field("touched", &self.is_touched())
            .field("usable", &self.is_usable())
            .finish_non_exhaustive()
    }
}

impl<C: Connector> fmt::Debug for Revocation<C> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Revocation")
            .field("id", &self.slot.id)
            .finish_non_exhaustive()
    }
}

/// One operation on a lent connection, which it dereferences to.
///
/// It ends well only by [`complete`](Operation::complete). Dropped without, as when the future it lives in is
/// cancelled, the connection is never reused. Forgotten (`std::mem::forget`), the connection stays open for ever, though
/// its place in the pool is free once the lease ends.
#[must_use = "dropped without `complete`, the connection is never reused"]
pub struct Operation<'a, C: Connector> {
    borrowed: Borrowed<'a, C>,
}

impl<C: Connector> Operation<'_, C> {
    /// Says that the connection has answered in full and is ready for the next operation.
    pub fn complete(self) {
        self.borrowed.complete();
    }
}

impl<C: Connector> Deref for Operation<'_, C> {
    type Target = C::Connection;

    fn deref(&self) -> &C::Connection {
        &self.borrowed
    }
}

impl<C: Connector> DerefMut for Operation<'_, C> {
    fn deref_mut(&mut self) -> &mut C::Connection {
        &mut self.borrowed
    }
}

impl<C: Connector> fmt::Debug for Operation<'_, C> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Operation").finish_non_exhaustive()
    }
}
