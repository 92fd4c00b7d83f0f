//! The pool as its owner sees it: tenants, counts, changing its size, pausing and closing; what a lent connection can do
//! is the lease's.

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::connector::Connector;
use crate::options::Options;
use crate::shared::{Shared, after};
use crate::stats::{Health, Stats, TenantStats, Timings};
use crate::tenant::{Quota, QuotaError, Tenant};

/// Lends connections to many tenants, and never has more open than [`Options::maximum`]. A clone is another handle to
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
            shared: Shared::start(connector, options),
        }
    }

    /// A handle to the tenant of this name, with this quota from now on; what it holds over a lowered `max` is its own
    /// until it comes back.
    ///
    /// # Errors
    /// A quota that can't be kept; the tenant's old one stays then.
    pub fn tenant(&self, name: impl Into<Arc<str>>, quota: Quota) -> Result<Tenant<C>, QuotaError> {
        let name = name.into();
        let now = Instant::now();
        let key = self
            .shared
            .change(now, |state, _| state.tenant(&name, quota))?;
        Ok(Tenant {
            shared: Arc::clone(&self.shared),
            key,
            name,
        })
    }

    /// What opens and closes the pool's connections.
    pub fn connector(&self) -> &C {
        &self.shared.connector
    }

    /// The settings of this instant.
    pub fn options(&self) -> Options {
        self.shared.state.lock().options().clone()
    }

    /// The counts of this instant.
    pub fn stats(&self) -> Stats {
        self.shared.state.lock().stats()
    }

    /// Every tenant's counts, in no order.
    pub fn tenants(&self) -> Vec<TenantStats> {
        self.shared.state.lock().all_tenant_stats()
    }

    /// How long waiting, holding and connecting took since the pool began, over all tenants.
    pub fn timings(&self) -> Timings {
        let durations = self.shared.state.lock().durations();
        durations.timings()
    }

    /// Whether connections can be had, by what was last seen: nothing is asked of the server.
    pub fn health(&self) -> Health<C::Error> {
        self.shared.state.lock().health()
    }

    /// Changes `pool_size` and `max_overflow`. What is idle over them is closed now, what is lent when it comes back.
    ///
    /// # Errors
    /// [`QuotaError::Overbooked`] if the tenants' reserved connections would not fit; nothing changes then.
    pub fn resize(&self, pool_size: u32, max_overflow: i32) -> Result<(), QuotaError> {
        self.shared.change(Instant::now(), |state, _| {
            state.resize(pool_size, max_overflow)
        })
    }

    /// Lends nothing more until [`resume`](Pool::resume): callers queue, within their time, and those who do not wait
    /// are refused. What is lent stays lent; what comes back stays idle.
    pub fn pause(&self) {
        self.shared
            .change(Instant::now(), |state, _| state.pause(true));
    }

    /// Ends a pause.
    pub fn resume(&self) {
        self.shared
            .change(Instant::now(), |state, _| state.pause(false));
    }

    /// Retires every connection open or opening now: idle ones are closed, others when they come back or arrive.
    pub fn retire_generation(&self) {
        self.shared
            .change(Instant::now(), |state, work| state.retire(work));
    }

    /// Refuses new leases, turns those who wait away, closes what is idle, and waits for at most `deadline` until the
    /// rest has come back and is closed. Leases still held then are revoked: their statements are cancelled and their
    /// connections closed, which takes at most `close_timeout` more. Returns how many connections were lent or
    /// closing even then; those are closed when their holders let go of them. To do it again does no harm.
    ///
    /// Cancel-safe: dropped midway, the pool goes on closing, but revokes nothing.
    pub async fn close(&self, deadline: Duration) -> u32 {
        self.shared.start_closing();
        if self.drained(after(Instant::now(), deadline)).await {
            return 0;
        }
        let now = Instant::now();
        self.shared
            .change(now, |state, work| state.revoke_all(now, work));
        let limit = self.shared.options.close_timeout;
        self.drained(after(Instant::now(), limit)).await;
        self.shared.state.lock().total()
    }

    /// Waits until no connection is left; false if `until` comes first.
    async fn drained(&self, until: Instant) -> bool {
        loop {
            let mut drained = pin!(self.shared.drained.notified());
            // Listening before looking, so that what happens in between is not missed.
            drained.as_mut().enable();
            if self.shared.state.lock().total() == 0 {
                return true;
            }
            if timeout_at(until, drained).await.is_err() {
                return false;
            }
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
            .field("options", &self.options())
            .finish_non_exhaustive()
    }
}
