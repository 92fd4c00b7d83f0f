//! One tenant: its quota, what it holds, who of its waits, and its account in the round-robin between tenants.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::stats::Durations;
use crate::tenant::Quota;

/// The least that a connection's use is expected to take, in nanoseconds.
const LEAST_HOLD: i64 = 1_000;

/// The most that one counts for, in nanoseconds: a tenant that held one for minutes is not kept waiting for minutes.
const LONGEST_HOLD: i64 = 2_000_000_000;

/// One tenant.
pub(super) struct Tenancy {
    pub(super) name: Arc<str>,
    pub(super) quota: Quota,
    pub(super) handles: usize,
    /// Connections it holds, or that are on their way to it.
    pub(super) held: u32,
    /// Its waiters: ticket and key, the lowest ticket first.
    pub(super) queue: VecDeque<(u64, usize)>,
    /// What it may still use before others are served, in nanoseconds of connections' time.
    pub(super) deficit: i64,
    /// How long it has been holding connections of late, in nanoseconds: the price of its next one.
    pub(super) price: i64,
    pub(super) acquired: u64,
    pub(super) timed_out: u64,
    pub(super) revoked: u64,
    pub(super) wait: Durations,
    pub(super) hold: Durations,
}

impl Tenancy {
    pub(super) fn new(name: Arc<str>) -> Self {
        Self {
            name,
            quota: Quota::default(),
            handles: 0,
            held: 0,
            queue: VecDeque::new(),
            deficit: 0,
            price: LEAST_HOLD,
            acquired: 0,
            timed_out: 0,
            revoked: 0,
            wait: Durations::new(),
            hold: Durations::new(),
        }
    }

    /// How many of `wanted` more connections it may have, `before` others being as good as its own: those it reserved,
    /// and of the rest no more than there is `room`, which is less by these then.
    pub(super) fn could_use(&self, wanted: u32, before: u32, room: &mut u32) -> u32 {
        let free = |limit: u32| limit.saturating_sub(self.held).saturating_sub(before);
        let wanted = wanted.min(self.quota.max.map_or(u32::MAX, free));
        let own = wanted.min(free(self.quota.reserved));
        let shared = (wanted - own).min(*room);
        *room -= shared;
        own + shared
    }

    pub(super) fn kept_back(&self) -> u32 {
        self.quota.reserved.saturating_sub(self.held)
    }

    /// Gives back what it was charged for a connection that proved stale.
    pub(super) fn refund(&mut self, charged: i64) {
        self.deficit = self.deficit.saturating_add(charged);
    }

    /// Records how long it held a connection that it was charged for beforehand.
    pub(super) fn held_for(&mut self, held: Duration, charged: i64) {
        self.hold.record(held);
        let held = i64::try_from(held.as_nanos())
            .unwrap_or(i64::MAX)
            .clamp(LEAST_HOLD, LONGEST_HOLD);
        if charged > 0 {
            self.deficit = self.deficit.saturating_add(charged - held);
        }
        // An eighth of the new value: a price follows within some ten connections, and one long hold does not set it.
        self.price = (self.price - self.price / 8 + held / 8).max(LEAST_HOLD);
    }

    /// How many rounds of `quantum` each it lacks to pay for its next connection.
    pub(super) fn rounds(&self, quantum: i64) -> i64 {
        let missing = (self.price - self.deficit).max(0);
        missing / quantum + i64::from(missing % quantum > 0)
    }

    /// Nobody of its waits any more: what it did not use is not saved up beyond its next connection.
    pub(super) fn rests(&mut self, served: bool) {
        let most = if served { 0 } else { self.price };
        self.deficit = self.deficit.min(most);
    }
}
