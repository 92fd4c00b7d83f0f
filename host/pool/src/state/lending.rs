//! How a connection gets to a caller and back: asking, waiting, handing over, pinging, resetting, returning.

use std::sync::Arc;
use std::task::Waker;

use tokio::time::Instant;

use crate::error::{AcquireError, Exhausted};

use super::queue::Demand;
use super::{Answer, Claim, Delivery, Handed, Outcome, Phase, State, Why, Work};

/// How many idle connections are looked at for one that is set for the caller.
const CHOICE: usize = 32;

impl<S: Clone, E> State<S, E> {
    /// Takes an idle connection or a place in the queue.
    pub(crate) fn ask(
        &mut self,
        claim: &mut Claim,
        waker: &Waker,
        now: Instant,
        work: &mut Work<S, E>,
    ) -> Answer<S, E> {
        let refused = |error| Answer::Told(Outcome::Refused(error));
        if self.closed {
            return refused(AcquireError::Closed);
        }
        let maximum = self.lendable();
        let may_take = !self.paused && self.queue.may_take(claim.tenant, maximum);
        let idle = self.idle.len();
        if may_take && let Some(key) = self.take_idle(claim, now, work) {
            let handed = self.hand(key, claim, 0, now, work);
            if handed.ping {
                // Should it prove stale, this caller keeps the place that it has now.
                self.enter(claim);
            }
            return Answer::Told(Outcome::Handed(handed));
        }
        // Whoever found idle connections too old may wait for their replacement: their places are its own.
        let promised = claim.promised || (may_take && idle > 0);
        self.enter(claim);
        // Only here, as it takes a look at every connection: an idle one is lent to whoever asks.
        claim.urgent = self.holds_one(claim.chain);
        if self.queue.is_full() {
            return refused(self.in_vain(claim, now));
        }
        let at_once = (claim.at_once || claim.urgent) && !promised;
        let before = at_once.then(|| self.queue.demand(maximum));
        let delivery = Arc::new(Delivery::new(waker.clone()));
        let key = self.queue.enqueue(claim, Arc::clone(&delivery));
        if before.is_some_and(|before| !may_take || !self.has_room(claim.urgent, &before)) {
            self.queue.dequeue(key);
            self.queue.waiters.remove(key);
            return refused(self.in_vain(claim, now));
        }
        self.due(claim.until, work);
        Answer::Queued(key, delivery)
    }

    /// Gives a caller its place among the others, once.
    fn enter(&mut self, claim: &mut Claim) {
        if claim.ticket.is_none() {
            claim.ticket = Some(self.queue.ticket());
            claim.attempts = self.growth.attempts;
        }
    }

    /// Ends a wait that its caller gave up; a connection that was on its way goes to the next.
    pub(crate) fn leave(
        &mut self,
        key: usize,
        delivery: &Arc<Delivery<S, E>>,
        now: Instant,
        work: &mut Work<S, E>,
    ) {
        let waiter = self.queue.waiters.get(key);
        if waiter.is_some_and(|waiter| Arc::ptr_eq(&waiter.delivery, delivery)) {
            self.queue.dequeue(key);
            self.queue.waiters.remove(key);
            return;
        }
        if let Some(Outcome::Handed(handed)) = delivery.take() {
            let as_it_was = self.entries.get(handed.key).map(|entry| entry.idle_since);
            self.put_back(handed.key, handed.id, None, now, work);
            // Nobody has used it.
            if let Some((entry, since)) = self.entries.get_mut(handed.key).zip(as_it_was)
                && entry.id == handed.id
            {
                entry.idle_since = since;
            }
        }
    }

    /// Moves a connection whose ping succeeded from pinging to lent; false if it must not be lent any more.
    pub(crate) fn pinged(
        &mut self,
        key: usize,
        id: u64,
        claim: &Claim,
        now: Instant,
        work: &mut Work<S, E>,
    ) -> bool {
        let entry = self.entry(key, id);
        let Some(entry) = entry.filter(|entry| entry.phase == Phase::Pinging) else {
            return false;
        };
        if self.unfit(entry, now).is_some() {
            return false;
        }
        self.pinging -= 1;
        self.lend(key, claim, now, work);
        true
    }

    /// Counts a caller who got nothing in time and answers what it is told.
    pub(crate) fn in_vain(&mut self, claim: &Claim, now: Instant) -> AcquireError<E> {
        let waited = now.saturating_duration_since(claim.since);
        let in_vain = !self.is_sound() || !self.growth.returned_within(waited, now);
        if let Some(cause) = self.growth.cause().filter(|_| in_vain) {
            self.failed += 1;
            return AcquireError::Connect(cause.clone());
        }
        self.timed_out += 1;
        self.queue.tenancy(claim.tenant).timed_out += 1;
        AcquireError::Exhausted(Box::new(Exhausted {
            tenant: self.queue.name(claim.tenant).clone(),
            waited,
            size: self.options.pool_size,
            max_overflow: self.options.max_overflow,
            overflow: self.total().saturating_sub(self.options.pool_size),
            checked_out: self.lent,
            connecting: self.connecting,
            waiting: self.queue.waiting(),
            kept_back: self.queue.kept_back(),
            pool_timeout: self.options.pool_timeout,
            at_max: self.queue.at_max(claim.tenant),
            at_once: claim.at_once || claim.urgent,
            paused: self.paused,
            cause: self.growth.cause().cloned(),
        }))
    }

    /// Moves a lent connection to resetting; false if it is to be closed anyway.
    pub(crate) fn start_reset(&mut self, key: usize, id: u64, now: Instant) -> bool {
        let Some(entry) = self.entry(key, id) else {
            return false;
        };
        if entry.phase != Phase::Lent || self.unfit(entry, now).is_some() {
            return false;
        }
        self.end_lease(key, now);
        self.entries[key].phase = Phase::Resetting;
        self.resetting += 1;
        true
    }

    /// Takes a connection out of somebody's hands: it is idle then, or to be closed. One that was revoked belongs to
    /// whoever revoked it.
    pub(crate) fn put_back(
        &mut self,
        key: usize,
        id: u64,
        fault: Option<Why>,
        now: Instant,
        work: &mut Work<S, E>,
    ) {
        let Some(entry) = self.entry(key, id) else {
            return;
        };
        // What is closed for another reason was not reset because of that.
        let fault = match fault {
            None | Some(Why::NotReset) => self.unfit(entry, now).or(fault),
            _ => fault,
        };
        let mut used = true;
        match entry.phase {
            Phase::Idle | Phase::Revoked => return,
            Phase::Lent => self.end_lease(key, now),
            Phase::Pinging => {
                self.pinging -= 1;
                used = false;
                let entry = &self.entries[key];
                self.queue.tenancy(entry.tenant).refund(entry.charged);
                self.queue.give(entry.tenant);
            }
            Phase::Resetting => self.resetting -= 1,
        }
        if let Some(why) = fault {
            self.discard(key, why, work);
            return;
        }
        let entry = &mut self.entries[key];
        entry.phase = Phase::Idle;
        if used {
            entry.idle_since = now;
            entry.fresh = false;
            self.growth.returned(now);
        }
        self.idle.push(key);
        self.watch(key, work);
    }

    /// Closes a revoked connection that its holder has let go of, or that could be taken from it.
    pub(crate) fn discard_revoked(
        &mut self,
        key: usize,
        id: u64,
        now: Instant,
        work: &mut Work<S, E>,
    ) {
        let entry = self.entry(key, id);
        if entry.is_some_and(|entry| entry.phase == Phase::Revoked) {
            self.end_lease(key, now);
            self.discard(key, Why::Revoked, work);
        }
    }

    /// Says what a lent connection is set for.
    pub(crate) fn set_for(&mut self, key: usize, id: u64, setting: u64) {
        if let Some(entry) = self.entries.get_mut(key).filter(|entry| entry.id == id) {
            entry.setting = setting;
        }
    }

    pub(crate) fn setting(&self, key: usize, id: u64) -> u64 {
        self.entry(key, id).map_or(0, |entry| entry.setting)
    }

    pub(crate) fn generation_of(&self, key: usize, id: u64) -> Option<u64> {
        Some(self.entry(key, id)?.generation)
    }

    /// Hands idle connections to those who wait and may take them.
    pub(super) fn serve(&mut self, now: Instant, work: &mut Work<S, E>) {
        if self.idle.is_empty() || self.queue.waiting() == 0 {
            return;
        }
        self.discard_old(now, work);
        while !self.idle.is_empty()
            && let Some((waiter, charged)) = self.queue.next(self.lendable())
        {
            let claim = self.queue.waiters[waiter].claim;
            let Some(at) = self.choose(&claim) else {
                unreachable!("the loop goes on only while something is idle")
            };
            let key = self.idle.remove(at);
            let handed = self.hand(key, &claim, charged, now, work);
            self.deliver(waiter, Outcome::Handed(handed), work);
        }
    }

    /// Closes what is idle and too old.
    fn discard_old(&mut self, now: Instant, work: &mut Work<S, E>) {
        for at in (0..self.idle.len()).rev() {
            let key = self.idle[at];
            if let Some(why) = self.unfit(&self.entries[key], now) {
                self.idle.remove(at);
                self.discard(key, why, work);
            }
        }
    }

    /// The idle connection that suits a caller best and was used last; those too old are closed on the way.
    fn take_idle(&mut self, claim: &Claim, now: Instant, work: &mut Work<S, E>) -> Option<usize> {
        loop {
            let at = self.choose(claim)?;
            let key = self.idle.remove(at);
            match self.unfit(&self.entries[key], now) {
                Some(why) => self.discard(key, why, work),
                None => return Some(key),
            }
        }
    }

    fn choose(&self, claim: &Claim) -> Option<usize> {
        let last = self.idle.len().checked_sub(1)?;
        let mut same_tenant = None;
        for at in (last.saturating_sub(CHOICE - 1)..=last).rev() {
            let entry = &self.entries[self.idle[at]];
            if entry.tenant == claim.tenant && entry.setting == claim.setting {
                return Some(at);
            }
            if claim.setting != 0 && entry.setting == claim.setting {
                return Some(at);
            }
            if same_tenant.is_none() && entry.tenant == claim.tenant {
                same_tenant = Some(at);
            }
        }
        same_tenant.or(Some(last))
    }

    fn hand(
        &mut self,
        key: usize,
        claim: &Claim,
        charged: i64,
        now: Instant,
        work: &mut Work<S, E>,
    ) -> Handed<S> {
        self.queue.take(claim.tenant);
        let limit = self.options.pool_pre_ping_idle;
        let entry = &mut self.entries[key];
        entry.tenant = claim.tenant;
        entry.chain = claim.chain;
        entry.charged = charged;
        let idle = now.saturating_duration_since(entry.idle_since);
        // Without a limit every one is pinged but the one that was opened just now.
        let due = idle > limit || (limit.is_zero() && !entry.fresh);
        let ping = self.options.pool_pre_ping && due;
        let handed = Handed {
            key,
            id: entry.id,
            slot: entry.slot.clone(),
            ping,
        };
        if ping {
            entry.phase = Phase::Pinging;
            // For a caller who never comes to ping it, or whose ping never ends.
            entry.deadline = claim.until.checked_add(self.options.ping_timeout);
            self.pinging += 1;
            self.watch(key, work);
        } else {
            self.lend(key, claim, now, work);
        }
        handed
    }

    fn lend(&mut self, key: usize, claim: &Claim, now: Instant, work: &mut Work<S, E>) {
        let most = self
            .options
            .lease_timeout
            .and_then(|limit| now.checked_add(limit));
        let entry = &mut self.entries[key];
        entry.phase = Phase::Lent;
        entry.lent_at = now;
        entry.deadline = claim.deadline.into_iter().chain(most).min();
        entry.warned = false;
        self.lent += 1;
        self.most_lent = self.most_lent.max(self.lent);
        self.acquired += 1;
        let waited = now.saturating_duration_since(claim.since);
        let tenant = self.queue.tenancy(claim.tenant);
        tenant.acquired += 1;
        tenant.wait.record(waited);
        self.watch(key, work);
    }

    fn end_lease(&mut self, key: usize, now: Instant) {
        let entry = &self.entries[key];
        let (tenant, charged) = (entry.tenant, entry.charged);
        let held = now.saturating_duration_since(entry.lent_at);
        self.lent -= 1;
        self.queue.tenancy(tenant).held_for(held, charged);
        self.queue.give(tenant);
    }

    /// Whether a call chain holds a connection.
    fn holds_one(&self, chain: u64) -> bool {
        let held = |phase| matches!(phase, Phase::Lent | Phase::Pinging | Phase::Revoked);
        chain != 0
            && self
                .entries
                .iter()
                .any(|(_, entry)| entry.chain == chain && held(entry.phase))
    }

    /// Whether the caller who has just joined those who wait has a connection opened or opening for it, so that it takes
    /// nothing from those before it; a chain that holds one goes before all others.
    fn has_room(&self, urgent: bool, before: &Demand) -> bool {
        let coming = self.room().saturating_add(self.connecting);
        let demand = self.queue.demand(self.lendable());
        match urgent {
            true => demand.urgent > before.urgent && demand.urgent <= coming,
            false => demand.all > before.all && demand.all <= coming,
        }
    }
}
