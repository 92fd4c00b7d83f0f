//! The pool as its users see it: asking, waiting, counting and closing; what a lent connection can do is the lease's.

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use crate::connector::Connector;
use crate::error::AcquireError;
use crate::lease::{Holder, Lease};
use crate::loan::Loan;
use crate::options::Options;
use crate::shared::{Reply, Shared, after};
use crate::stats::Stats;
use crate::work::{Answer, Claim};

/// Lends connections to many callers, and never has more open than [`Options::maximum`]. A clone is another handle to
/// the same pool.
///
/// To say farewell to the server, [`close`](Pool::close) it: dropping the last handle only drops what is idle.
pub struct Pool<C: Connector> {
    shared: Arc<Shared<C>>,
}

impl<C: Connector> Pool<C> {
    /// Makes a pool that has opened nothing yet.
    ///
    /// # Panics
    /// Outside a tokio runtime: the pool's tasks run on the current one, which must have its timers enabled.
    pub fn new(connector: C, options: Options) -> Self {
        Self {
            shared: Arc::new(Shared::new(connector, options)),
        }
    }

    /// Lends a connection, in the order of asking, within `pool_timeout` or until `deadline`, whichever comes first.
    ///
    /// Cancel-safe: a caller that is dropped loses its place in the queue, and a connection that was on its way to it
    /// goes to the next.
    ///
    /// # Errors
    /// [`AcquireError::Exhausted`] if none became free in time or 100,000 callers wait already;
    /// [`AcquireError::Connect`] and [`AcquireError::ConnectTimeout`] if none could be opened for this caller;
    /// [`AcquireError::Closed`] if the pool was or is being closed.
    pub async fn acquire(
        &self,
        holder: &Holder,
        deadline: Option<Instant>,
    ) -> Result<Lease<C>, AcquireError<C::Error>> {
        self.lend(holder, deadline, false).await
    }

    /// Lends an idle connection, or opens one if the maximum and those who wait allow it; it does not wait for what
    /// others hold, but for connecting and pinging it does, within `pool_timeout`.
    ///
    /// Cancel-safe, as [`acquire`](Pool::acquire) is.
    ///
    /// # Errors
    /// Those of [`acquire`](Pool::acquire), [`AcquireError::Exhausted`] at once.
    pub async fn acquire_at_once(
        &self,
        holder: &Holder,
    ) -> Result<Lease<C>, AcquireError<C::Error>> {
        self.lend(holder, None, true).await
    }

    /// What opens and closes the pool's connections.
    pub fn connector(&self) -> &C {
        &self.shared.connector
    }

    /// The settings the pool was made with.
    pub fn options(&self) -> &Options {
        &self.shared.options
    }

    /// The counts of this instant, and what was measured since the pool began.
    pub fn stats(&self) -> Stats {
        let (mut stats, [wait, hold, connect]) = self.shared.state.lock().stats();
        stats.wait = wait.quantiles();
        stats.hold = hold.quantiles();
        stats.connect = connect.quantiles();
        stats
    }

    /// Retires every connection open or opening now: idle ones are closed, others when they come back or arrive.
    pub fn retire_generation(&self) {
        self.shared.change(|state, work| state.retire_current(work));
    }

    /// Refuses new leases, turns those who wait away, closes what is idle, and waits until the rest has come back
    /// and is closed, for at most `deadline`. Returns how many connections were still lent or closing then; what
    /// comes back later is closed too. To do it again waits again and does no harm.
    ///
    /// Cancel-safe: dropped midway, the pool goes on closing.
    pub async fn close(&self, deadline: Duration) -> u32 {
        let until = after(Instant::now(), deadline);
        self.shared.start_closing();
        loop {
            let mut drained = pin!(self.shared.drained.notified());
            // Listening before looking, so that what happens in between is not missed.
            drained.as_mut().enable();
            let left = self.shared.state.lock().total();
            if left == 0 {
                return 0;
            }
            if timeout_at(until, drained).await.is_err() {
                return self.shared.state.lock().total();
            }
        }
    }

    async fn lend(
        &self,
        holder: &Holder,
        deadline: Option<Instant>,
        at_once: bool,
    ) -> Result<Lease<C>, AcquireError<C::Error>> {
        let since = Instant::now();
        let limit = after(since, self.shared.options.pool_timeout);
        let deadline = deadline.map_or(limit, |deadline| deadline.min(limit));
        let mut claim = Claim {
            ticket: None,
            since,
            at_once,
        };
        loop {
            let loan = self.claim(&mut claim, deadline).await?;
            if let Some(loan) = loan.checked(since, deadline).await? {
                return Ok(Lease::new(loan, holder.clone(), since));
            }
            // A connection was promised and proved stale: its place will be free in a moment, and is this caller's.
            claim.at_once = false;
        }
    }

    async fn claim(&self, claim: &mut Claim, deadline: Instant) -> Reply<C> {
        let now = Instant::now();
        let answer = self
            .shared
            .change(|state, work| state.ask(claim, now, work, oneshot::channel));
        match answer {
            Answer::Handed(handed) => Ok(Loan::new(Arc::clone(&self.shared), handed)),
            Answer::Queued(ticket, reply) => {
                let waiting = Waiting {
                    shared: &self.shared,
                    ticket,
                    reply,
                    replied: false,
                };
                waiting.until(deadline, claim.since).await
            }
            Answer::Exhausted => Err(self.shared.exhausted(claim.since)),
            Answer::Closed => Err(AcquireError::Closed),
        }
    }
}

impl<C: Connector> Clone for Pool<C> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<C: Connector> fmt::Debug for Pool<C> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Pool")
            .field("options", self.options())
            .finish_non_exhaustive()
    }
}

/// A place in the queue, given up when this is dropped; a loan already in `reply` then goes back by its own `Drop`.
struct Waiting<'a, C: Connector> {
    shared: &'a Arc<Shared<C>>,
    ticket: u64,
    reply: oneshot::Receiver<Reply<C>>,
    replied: bool,
}

impl<C: Connector> Waiting<'_, C> {
    async fn until(mut self, deadline: Instant, since: Instant) -> Reply<C> {
        let reply = match timeout_at(deadline, &mut self.reply).await {
            Ok(reply) => reply,
            Err(_) => {
                let too_late = self.shared.change(|state, _| {
                    let left = state.leave_queue(self.ticket);
                    if left.is_some() {
                        state.count_timeout();
                    }
                    left
                });
                if too_late.is_some() {
                    self.replied = true;
                    return Err(self.shared.exhausted(since));
                }
                // Out of the queue means that the reply is on its way: its sender has only left the lock.
                (&mut self.reply).await
            }
        };
        self.replied = true;
        // A sender dropped unused is the end of the runtime.
        reply.unwrap_or(Err(AcquireError::Closed))
    }
}

impl<C: Connector> Drop for Waiting<'_, C> {
    fn drop(&mut self) {
        if !self.replied {
            self.shared
                .change(|state, _| state.leave_queue(self.ticket));
        }
    }
}
