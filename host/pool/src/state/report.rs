//! What the state tells of itself; changes nothing.

use std::sync::Arc;

use tokio::time::Instant;

use crate::stats::{Health, Stats, TenantStats, TimingRecords};

use super::{State, count};

impl<S: Clone, E> State<S, E> {
    pub(crate) fn stats(&self) -> Stats {
        let overflow = i64::from(self.total()) - i64::from(self.options.pool_size);
        let (condition, since) = self.growth.condition();
        Stats {
            size: self.options.pool_size,
            checked_in: count(self.idle.len()),
            checked_out: self.lent,
            overflow: i32::try_from(overflow.max(i64::from(i32::MIN))).unwrap_or(i32::MAX),
            waiting: self.queue.waiting(),
            connecting: self.connecting,
            pinging: self.pinging,
            resetting: self.resetting,
            closing: self.closing,
            paused: self.paused,
            condition,
            since,
            most_checked_out: self.most_lent,
            most_overflow: self.most_overflow,
            acquired: self.acquired,
            timed_out: self.timed_out,
            failed: self.failed,
            revoked: self.revoked,
            opened: self.opened,
            closed: self.closed_count,
            connect_failures: self.connect_failures,
        }
    }

    /// Who has a lent connection: tenant, call chain, and since when.
    pub(crate) fn holder(&self, key: usize, id: u64) -> Option<(Arc<str>, u64, Instant)> {
        let entry = self.entry(key, id)?;
        let name = Arc::clone(self.queue.name(entry.tenant));
        Some((name, entry.chain, entry.lent_at))
    }

    pub(crate) fn health(&self) -> Health<E> {
        let (condition, since) = self.growth.condition();
        Health {
            condition,
            since,
            cause: self.growth.cause().cloned(),
        }
    }

    pub(crate) fn durations(&self) -> TimingRecords {
        TimingRecords {
            connect: self.connect.clone(),
            ..self.queue.durations()
        }
    }

    pub(crate) fn tenant_stats(&self, key: usize) -> TenantStats {
        self.queue.tenant_stats(key)
    }

    pub(crate) fn tenant_durations(&self, key: usize) -> TimingRecords {
        self.queue.tenant_durations(key)
    }

    pub(crate) fn all_tenant_stats(&self) -> Vec<TenantStats> {
        self.queue
            .tenants()
            .map(|key| self.queue.tenant_stats(key))
            .collect()
    }
}
