//! Owns in whose name connections are asked for, and what is told of it; leaves sharing them out to the pool.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use poolhouse_pool::{Condition, Lease, Quota, Request, TenantStats, Timings};
use tokio::time::Instant;

use crate::connection::DatabaseConnector;
use crate::database::Database;
use crate::error::{Error, LimitKind};

/// One of those who share a database's pool, within a quota. Clones are the same tenant, and so is what
/// [`Database::tenant`] gives for the same name; with the last one it is forgotten.
#[derive(Clone, Debug)]
pub struct Tenant(poolhouse_pool::Tenant<DatabaseConnector>);

impl Tenant {
    pub(crate) fn new(tenant: poolhouse_pool::Tenant<DatabaseConnector>) -> Self {
        Self(tenant)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        self.0.name()
    }

    /// Its counts now.
    #[must_use]
    pub fn stats(&self) -> TenantStats {
        self.0.stats()
    }

    /// How long it waited for connections and held them.
    #[must_use]
    pub fn timings(&self) -> Timings {
        self.0.timings()
    }

    pub(crate) async fn acquire(
        &self,
        database: &Database,
        request: &Request,
    ) -> Result<Lease<DatabaseConnector>, Error> {
        self.0
            .acquire(request)
            .await
            .map_err(|error| database.refused(error))
    }
}

/// Whether connections can be had, by what the pool saw last: nothing is asked of the database.
#[derive(Clone, Debug)]
pub struct PoolHealth {
    /// Whether they can be had.
    pub condition: Condition,
    /// Since when that is so.
    pub since: SystemTime,
    /// Why they can't all be had; empty when up.
    pub message: String,
}

impl Database {
    /// A tenant of the pool, with this quota from now on.
    ///
    /// # Errors
    /// `Limit` for a quota that the pool can't keep.
    pub fn tenant(&self, name: &str, quota: Quota) -> Result<Tenant, Error> {
        let others =
            |tenant: &TenantStats| u64::from(tenant.reserved) * u64::from(&*tenant.name != name);
        let reserved = self.tenants().iter().map(others).sum::<u64>() + u64::from(quota.reserved);
        if let Some(maximum) = self.maximum()
            && reserved >= u64::from(maximum)
            && quota.reserved > 0
        {
            return Err(Error::Limit {
                kind: LimitKind::Connections,
                message: format!(
                    "the connections of \"{name}\": with its {} all plugins together would have {reserved} reserved of {maximum} (pool_size + max_overflow), and one at least must be left for the host itself: reserve fewer, or raise pool_size or max_overflow in [database]",
                    quota.reserved
                ),
                maximum: u64::from(maximum) - 1,
            });
        }
        let tenant = self.pool().tenant(name, quota);
        tenant.map(Tenant::new).map_err(|error| Error::Limit {
            kind: LimitKind::Connections,
            message: format!("the connections of \"{name}\": {error}"),
            maximum: self.maximum().map_or(u64::MAX, u64::from),
        })
    }

    /// Every tenant's counts now, in no order.
    #[must_use]
    pub fn tenants(&self) -> Vec<TenantStats> {
        self.pool().tenants()
    }

    /// How long waiting, holding and connecting took, over all tenants.
    #[must_use]
    pub fn timings(&self) -> Timings {
        self.pool().timings()
    }

    /// Whether connections can be had, since when, and why not.
    #[must_use]
    pub fn pool_health(&self) -> PoolHealth {
        let health = self.pool().health();
        let cause = health.cause.map(|cause| self.trouble(&cause).to_string());
        PoolHealth {
            condition: health.condition,
            since: clock(health.since),
            message: cause.unwrap_or_default(),
        }
    }
}

/// The wall clock's time at an instant that has passed.
pub(crate) fn clock(at: Instant) -> SystemTime {
    let ago: Duration = at.elapsed();
    SystemTime::now()
        .checked_sub(ago)
        .unwrap_or(SystemTime::UNIX_EPOCH)
}
