//! In whose name connections are asked for: a tenant, its quota, and what it asks; sharing between tenants is decided
//! in the state.

use std::fmt;
use std::sync::Arc;

use tokio::time::Instant;

use crate::acquire;
use crate::connector::Connector;
use crate::error::AcquireError;
use crate::lease::Lease;
use crate::shared::Shared;
use crate::stats::{TenantStats, Timings};

/// How many connections one tenant may hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Quota {
    /// The most at once; `None` is the pool's own maximum.
    pub max: Option<u32>,
    /// As many as this are never lent to others while this tenant holds fewer. Connections are opened when they are
    /// needed, so that this is a claim to room, not to open connections.
    pub reserved: u32,
}

/// Why a quota can't be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QuotaError {
    /// A maximum of nothing.
    #[error("a quota's max must be at least 1")]
    Zero,
    /// More reserved than allowed.
    #[error("a quota's reserved ({reserved}) must not be more than its max ({max})")]
    ReservedOverMax {
        /// What was to be reserved.
        reserved: u32,
        /// The quota's maximum.
        max: u32,
    },
    /// Every tenant's reserved connections together are more than the pool may open.
    #[error(
        "all tenants' reserved connections together ({reserved}) would be more than the pool may open ({maximum}): \
         reserve fewer, or raise pool_size or max_overflow"
    )]
    Overbooked {
        /// What all tenants together would have reserved.
        reserved: u64,
        /// `pool_size` + `max_overflow`.
        maximum: u32,
    },
}

/// What a tenant asks for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Request {
    /// The call chain that asks; 0 is none. A chain that holds a connection already never queues for a second, as the
    /// others may be waiting for its first: it is served at once, or by a connection opened for it, or refused.
    pub chain: u64,
    /// Don't wait for what others hold: an idle connection, or one opened for it if the maximum and those who wait
    /// allow it, or a refusal.
    pub at_once: bool,
    /// Wait no longer than this; at most `pool_timeout` in any case.
    pub until: Option<Instant>,
    /// Revoke the lease after this; at the latest after `lease_timeout` in any case.
    pub deadline: Option<Instant>,
    /// What the connection should be set for already, if there is a choice among idle ones: any number but 0 that the
    /// caller gives to [`Lease::set_for`].
    pub setting: u64,
}

/// One of those who share a pool, by name and within a quota. A clone is another handle to the same tenant, and so is
/// what [`Pool::tenant`](crate::Pool::tenant) gives for the same name; with the last handle and lease it is forgotten.
pub struct Tenant<C: Connector> {
    pub(crate) shared: Arc<Shared<C>>,
    pub(crate) key: usize,
    pub(crate) name: Arc<str>,
}

impl<C: Connector> Tenant<C> {
    /// Its name.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Lends a connection. A tenant's callers are served in the order of asking; between tenants, those who wait get
    /// equal shares of the connections' time.
    ///
    /// Cancel-safe: a caller that is dropped loses its place in the queue, and a connection that was on its way to it
    /// goes to the next.
    ///
    /// # Errors
    /// [`AcquireError::Exhausted`] if none became free in time, or at once where it does not wait, or if 100,000
    /// callers wait already; [`AcquireError::Connect`] if none could be opened, and none is open that could come
    /// back; [`AcquireError::Closed`] if the pool was or is being closed.
    pub async fn acquire(&self, request: &Request) -> Result<Lease<C>, AcquireError<C::Error>> {
        acquire::acquire(&self.shared, self.key, request).await
    }

    /// The tenant's counts of this instant, and since it began.
    pub fn stats(&self) -> TenantStats {
        self.shared.state.lock().tenant_stats(self.key)
    }

    /// How long the tenant's callers waited for connections and held them; `connect` is empty.
    pub fn timings(&self) -> Timings {
        let durations = self.shared.state.lock().tenant_durations(self.key);
        durations.timings()
    }
}

impl<C: Connector> Clone for Tenant<C> {
    fn clone(&self) -> Self {
        self.shared.state.lock().tenant_cloned(self.key);
        Self {
            shared: Arc::clone(&self.shared),
            key: self.key,
            name: Arc::clone(&self.name),
        }
    }
}

impl<C: Connector> Drop for Tenant<C> {
    fn drop(&mut self) {
        self.shared
            .change(Instant::now(), |state, _| state.tenant_dropped(self.key));
    }
}

impl<C: Connector> fmt::Debug for Tenant<C> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Tenant")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
