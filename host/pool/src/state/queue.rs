//! Who waits, in whose name, and who is next: first in, first out within a tenant, deficit round-robin between tenants,
//! each within its quota; knows nothing of connections but how many each tenant holds.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use slab::Slab;
use tokio::time::Instant;

use crate::stats::{Durations, TenantStats, TimingRecords};
use crate::tenant::Quota;

use super::tenancy::Tenancy;
use super::{Claim, Delivery};

/// The most callers that queue at once; more are refused as if they had waited in vain.
pub(crate) const MAX_WAITERS: u32 = 100_000;

pub(super) struct Waiter<S, E> {
    pub(super) claim: Claim,
    pub(super) delivery: Arc<Delivery<S, E>>,
}

/// How many connections those who wait could use at once.
pub(super) struct Demand {
    /// Those whose chain holds one already.
    pub(super) urgent: u32,
    /// All, those included.
    pub(super) all: u32,
}

/// Waiters and tenants. Tickets grow, so a caller who asks again with its old one goes before those who came later.
pub(super) struct Queue<S, E> {
    pub(super) waiters: Slab<Waiter<S, E>>,
    tenants: Slab<Tenancy>,
    names: HashMap<Arc<str>, usize>,
    /// Tenants with waiters, the next to be served first.
    ring: VecDeque<usize>,
    /// Waiters of chains that hold a connection already: others may be waiting for that one, so these go first.
    urgent: BTreeMap<u64, usize>,
    tickets: u64,
    waiting: u32,
    /// Connections that all tenants hold.
    held: u32,
    /// What is kept for tenants that hold less than they reserved.
    kept_back: u32,
    reserved: u32,
    /// What forgotten tenants had measured.
    past: TimingRecords,
}

impl<S, E> Queue<S, E> {
    pub(super) fn new() -> Self {
        Self {
            waiters: Slab::new(),
            tenants: Slab::new(),
            names: HashMap::new(),
            ring: VecDeque::new(),
            urgent: BTreeMap::new(),
            tickets: 0,
            waiting: 0,
            held: 0,
            kept_back: 0,
            reserved: 0,
            past: TimingRecords {
                wait: Durations::new(),
                hold: Durations::new(),
                connect: Durations::new(),
            },
        }
    }

    /// Makes a tenant, or gives the one of that name another quota; counts one more handle to it.
    pub(super) fn tenant(&mut self, name: &Arc<str>, quota: Quota) -> usize {
        let key = match self.names.get(name) {
            Some(key) => *key,
            None => {
                let key = self.tenants.insert(Tenancy::new(Arc::clone(name)));
                self.names.insert(Arc::clone(name), key);
                key
            }
        };
        let tenant = &mut self.tenants[key];
        tenant.handles += 1;
        let before = tenant.kept_back();
        self.reserved = self.reserved - tenant.quota.reserved + quota.reserved;
        tenant.quota = quota;
        self.kept_back = self.kept_back - before + tenant.kept_back();
        key
    }

    /// What all tenants would have reserved if the one of this name had `reserved`.
    pub(super) fn reserved_with(&self, name: &str, reserved: u32) -> u64 {
        let now = self
            .names
            .get(name)
            .map_or(0, |key| self.tenants[*key].quota.reserved);
        u64::from(self.reserved - now) + u64::from(reserved)
    }

    pub(super) fn reserved(&self) -> u32 {
        self.reserved
    }

    pub(super) fn tenant_cloned(&mut self, key: usize) {
        self.tenants[key].handles += 1;
    }

    pub(super) fn tenant_dropped(&mut self, key: usize) {
        self.tenants[key].handles -= 1;
        self.forget(key);
    }

    /// Forgets a tenant that nobody has a handle to and that holds nothing; what it measured is kept.
    fn forget(&mut self, key: usize) {
        let tenant = &self.tenants[key];
        if tenant.handles > 0 || tenant.held > 0 || !tenant.queue.is_empty() {
            return;
        }
        let tenant = self.tenants.remove(key);
        self.names.remove(&tenant.name);
        self.kept_back -= tenant.kept_back();
        self.reserved -= tenant.quota.reserved;
        self.past.wait.add(&tenant.wait);
        self.past.hold.add(&tenant.hold);
    }

    pub(super) fn waiting(&self) -> u32 {
        self.waiting
    }

    pub(super) fn held(&self) -> u32 {
        self.held
    }

    pub(super) fn is_full(&self) -> bool {
        self.waiting >= MAX_WAITERS
    }

    pub(super) fn has_urgent(&self) -> bool {
        !self.urgent.is_empty()
    }

    /// Connections kept for tenants that hold less than they reserved.
    pub(super) fn kept_back(&self) -> u32 {
        self.kept_back
    }

    /// Whether a tenant may have one more connection, of `maximum` in all.
    pub(super) fn may_take(&self, key: usize, maximum: Option<u32>) -> bool {
        let tenant = &self.tenants[key];
        tenant.quota.max.is_none_or(|max| tenant.held < max)
            && (tenant.held < tenant.quota.reserved || self.room(maximum) > 0)
    }

    /// The tenant's `max`, if it holds that many.
    pub(super) fn at_max(&self, key: usize) -> Option<u32> {
        let tenant = &self.tenants[key];
        tenant.quota.max.filter(|max| tenant.held >= *max)
    }

    /// Connections that are not held, nor kept back for anybody.
    fn room(&self, maximum: Option<u32>) -> u32 {
        maximum.map_or(u32::MAX, |maximum| {
            maximum
                .saturating_sub(self.held)
                .saturating_sub(self.kept_back)
        })
    }

    /// How many connections those who wait could use at once.
    pub(super) fn demand(&self, maximum: Option<u32>) -> Demand {
        let mut room = self.room(maximum);
        // The tenants of those who go first, once for each connection.
        let mut first: Vec<usize> = Vec::new();
        for waiter in self.urgent.values() {
            let key = self.waiters[*waiter].claim.tenant;
            let before = count(first.iter().filter(|other| **other == key).count());
            if self.tenants[key].could_use(1, before, &mut room) > 0 {
                first.push(key);
            }
        }
        let urgent = count(first.len());
        let mut all = urgent;
        for key in &self.ring {
            let tenant = &self.tenants[*key];
            let before = count(first.iter().filter(|other| *other == key).count());
            all += tenant.could_use(count(tenant.queue.len()), before, &mut room);
        }
        Demand { urgent, all }
    }

    /// When the one who has waited longest asked.
    pub(super) fn oldest(&self) -> Option<Instant> {
        let urgent = self.urgent.values().next();
        let firsts = self
            .ring
            .iter()
            .filter_map(|key| self.tenants[*key].queue.front())
            .map(|(_, waiter)| waiter);
        firsts
            .chain(urgent)
            .map(|waiter| self.waiters[*waiter].claim.since)
            .min()
    }

    /// The place behind all others.
    pub(super) fn ticket(&mut self) -> u64 {
        self.tickets += 1;
        self.tickets
    }

    /// Puts a caller in the queue, at the place of its ticket.
    pub(super) fn enqueue(&mut self, claim: &Claim, delivery: Arc<Delivery<S, E>>) -> usize {
        let Some(ticket) = claim.ticket else {
            unreachable!("whoever asks is given a ticket first")
        };
        let key = self.waiters.insert(Waiter {
            claim: *claim,
            delivery,
        });
        self.waiting += 1;
        if claim.urgent {
            self.urgent.insert(ticket, key);
        } else {
            let tenant = &mut self.tenants[claim.tenant];
            if tenant.queue.is_empty() {
                self.ring.push_back(claim.tenant);
            }
            // At the end, but for a caller who asks again.
            let at = match tenant.queue.back() {
                Some((last, _)) if *last > ticket => {
                    tenant.queue.partition_point(|(before, _)| *before < ticket)
                }
                _ => tenant.queue.len(),
            };
            tenant.queue.insert(at, (ticket, key));
        }
        key
    }

    /// Takes a waiter that gets no connection out of the queue; it stays among the waiters until it is removed.
    pub(super) fn dequeue(&mut self, key: usize) {
        self.take_out(key, false);
    }

    fn take_out(&mut self, key: usize, served: bool) {
        let claim = self.waiters[key].claim;
        let Some(ticket) = claim.ticket else {
            unreachable!("whoever is in the queue has a ticket")
        };
        self.waiting -= 1;
        if claim.urgent {
            self.urgent.remove(&ticket);
            return;
        }
        let tenant = &mut self.tenants[claim.tenant];
        let at = match tenant.queue.front() {
            Some((first, _)) if *first == ticket => 0,
            _ => tenant.queue.partition_point(|(before, _)| *before < ticket),
        };
        tenant.queue.remove(at);
        if tenant.queue.is_empty() {
            tenant.rests(served);
            self.ring.retain(|member| *member != claim.tenant);
        }
    }

    /// Chooses who is next and takes it out of the queue; also what its tenant was charged.
    pub(super) fn next(&mut self, maximum: Option<u32>) -> Option<(usize, i64)> {
        let urgent = self
            .urgent
            .values()
            .find(|waiter| self.may_take(self.waiters[**waiter].claim.tenant, maximum));
        if let Some(waiter) = urgent {
            let waiter = *waiter;
            self.take_out(waiter, true);
            return Some((waiter, 0));
        }
        let tenant = match self.ring.len() {
            0 => return None,
            1 => self.ring[0],
            _ => self.next_tenant(maximum)?,
        };
        if !self.may_take(tenant, maximum) {
            return None;
        }
        let member = &mut self.tenants[tenant];
        let waiter = member.queue.front()?.1;
        // Alone in the ring, there is nobody to be fair to.
        let charged = if self.ring.len() > 1 { member.price } else { 0 };
        member.deficit -= charged;
        self.take_out(waiter, true);
        Some((waiter, charged))
    }

    /// One step of deficit round-robin: the first in the ring that can pay the price of its next connection, all who
    /// may take one being given the same amount as often as it takes until one can.
    fn next_tenant(&mut self, maximum: Option<u32>) -> Option<usize> {
        let able = |queue: &Self, key: usize| queue.may_take(key, maximum);
        let (mut prices, mut members) = (0, 0);
        for key in &self.ring {
            if able(self, *key) {
                prices += self.tenants[*key].price;
                members += 1;
            }
        }
        let quantum = (prices / i64::max(members, 1)).max(1);
        let (position, rounds) = self
            .ring
            .iter()
            .enumerate()
            .filter(|(_, key)| able(self, **key))
            .map(|(position, key)| (position, self.tenants[*key].rounds(quantum)))
            .min_by_key(|(_, rounds)| *rounds)?;
        if rounds > 0 {
            for at in 0..self.ring.len() {
                let key = self.ring[at];
                if able(self, key) {
                    self.tenants[key].deficit += rounds * quantum;
                }
            }
        }
        let key = self.ring[position];
        let tenant = &self.tenants[key];
        // It stays the first while it can pay for another, and else goes to the end.
        let stays = tenant.deficit >= 2 * tenant.price;
        self.ring
            .rotate_left(if stays { position } else { position + 1 });
        Some(key)
    }

    /// Counts a connection as held by a tenant, or on its way to it.
    pub(super) fn take(&mut self, key: usize) {
        let tenant = &mut self.tenants[key];
        self.held += 1;
        if tenant.held < tenant.quota.reserved {
            self.kept_back -= 1;
        }
        tenant.held += 1;
    }

    /// Counts one as held no more.
    pub(super) fn give(&mut self, key: usize) {
        let tenant = &mut self.tenants[key];
        self.held -= 1;
        tenant.held -= 1;
        if tenant.held < tenant.quota.reserved {
            self.kept_back += 1;
        }
        if tenant.handles == 0 {
            self.forget(key);
        }
    }

    pub(super) fn tenancy(&mut self, key: usize) -> &mut Tenancy {
        &mut self.tenants[key]
    }

    pub(super) fn name(&self, key: usize) -> &Arc<str> {
        &self.tenants[key].name
    }

    pub(super) fn tenants(&self) -> impl Iterator<Item = usize> {
        self.tenants.iter().map(|(key, _)| key)
    }

    pub(super) fn tenant_stats(&self, key: usize) -> TenantStats {
        let tenant = &self.tenants[key];
        let urgent = self
            .urgent
            .values()
            .filter(|waiter| self.waiters[**waiter].claim.tenant == key);
        TenantStats {
            name: Arc::clone(&tenant.name),
            max: tenant.quota.max,
            reserved: tenant.quota.reserved,
            checked_out: tenant.held,
            waiting: count(tenant.queue.len() + urgent.count()),
            acquired: tenant.acquired,
            timed_out: tenant.timed_out,
            revoked: tenant.revoked,
        }
    }

    pub(super) fn tenant_durations(&self, key: usize) -> TimingRecords {
        let tenant = &self.tenants[key];
        TimingRecords {
            wait: tenant.wait.clone(),
            hold: tenant.hold.clone(),
            connect: Durations::new(),
        }
    }

    /// Waits and holds of all tenants, forgotten ones included.
    pub(super) fn durations(&self) -> TimingRecords {
        let mut all = self.past.clone();
        for (_, tenant) in &self.tenants {
            all.wait.add(&tenant.wait);
            all.hold.add(&tenant.hold);
        }
        all
    }
}

pub(super) fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
