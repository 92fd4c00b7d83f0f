//! What time does to connections, leases and waits: looked at by the pool's keeper when the earliest of it is due.

use tokio::time::Instant;

use super::{Outcome, Overdue, Phase, State, Why, Work};

impl<S: Clone, E> State<S, E> {
    /// Does what is due: turns away those who have waited long enough, closes what is old or long idle, warns of long
    /// leases and revokes those past their deadline. Growing and probing follow in [`settle`](State::settle).
    pub(crate) fn tick(&mut self, now: Instant, work: &mut Work<S, E>) {
        let late: Vec<usize> = self
            .queue
            .waiters
            .iter()
            .filter(|(_, waiter)| waiter.claim.until <= now)
            .map(|(key, _)| key)
            .collect();
        for key in late {
            let claim = self.queue.waiters[key].claim;
            self.queue.dequeue(key);
            let error = self.in_vain(&claim, now);
            self.deliver(key, Outcome::Refused(error), work);
        }
        let keys: Vec<usize> = self.entries.iter().map(|(key, _)| key).collect();
        for key in keys {
            match self.entries[key].phase {
                Phase::Idle => self.age_idle(key, now, work),
                Phase::Lent => self.age_lent(key, now, work),
                Phase::Pinging => self.age_pinging(key, now, work),
                Phase::Revoked | Phase::Resetting => {}
            }
        }
        let waits = self
            .queue
            .waiters
            .iter()
            .map(|(_, waiter)| waiter.claim.until);
        let entries = self
            .entries
            .iter()
            .filter_map(|(key, _)| self.looks_at(key));
        self.keeper = waits.chain(entries).min();
    }

    /// When the keeper is to look again.
    pub(crate) fn next_look(&self) -> Option<Instant> {
        self.keeper
    }

    /// When there is something to be done about a connection.
    pub(super) fn looks_at(&self, key: usize) -> Option<Instant> {
        let entry = &self.entries[key];
        match entry.phase {
            Phase::Idle => {
                let idle = self.options.pool_idle_timeout;
                let idle = idle.and_then(|limit| entry.idle_since.checked_add(limit));
                entry.expires.into_iter().chain(idle).min()
            }
            Phase::Lent => {
                let warning = self.options.long_lease_warning.filter(|_| !entry.warned);
                let warning = warning.and_then(|limit| entry.lent_at.checked_add(limit));
                entry.deadline.into_iter().chain(warning).min()
            }
            Phase::Pinging => entry.deadline,
            Phase::Revoked | Phase::Resetting => None,
        }
    }

    /// Revokes every lease, as all are past the deadline of closing.
    pub(crate) fn revoke_all(&mut self, now: Instant, work: &mut Work<S, E>) {
        let keys: Vec<usize> = self.entries.iter().map(|(key, _)| key).collect();
        for key in keys {
            if self.entries[key].phase == Phase::Lent {
                self.revoke(key, now, work);
            }
        }
    }

    fn age_idle(&mut self, key: usize, now: Instant, work: &mut Work<S, E>) {
        let entry = &self.entries[key];
        let idle = now.saturating_duration_since(entry.idle_since);
        let why = if entry.expires.is_some_and(|at| now >= at) {
            Why::Recycle
        } else if self
            .options
            .pool_idle_timeout
            .is_some_and(|limit| idle >= limit)
        {
            Why::IdleTimeout
        } else {
            return;
        };
        self.idle.retain(|idle| *idle != key);
        self.discard(key, why, work);
    }

    fn age_pinging(&mut self, key: usize, now: Instant, work: &mut Work<S, E>) {
        let entry = &mut self.entries[key];
        if entry.deadline.is_some_and(|at| now >= at) {
            entry.lent_at = now;
            self.pinging -= 1;
            self.lent += 1;
            self.revoke(key, now, work);
        }
    }

    fn age_lent(&mut self, key: usize, now: Instant, work: &mut Work<S, E>) {
        let entry = &self.entries[key];
        let held = now.saturating_duration_since(entry.lent_at);
        if entry.deadline.is_some_and(|at| now >= at) {
            self.revoke(key, now, work);
        } else if !entry.warned
            && self
                .options
                .long_lease_warning
                .is_some_and(|limit| held >= limit)
        {
            self.entries[key].warned = true;
            self.report(key, now, work);
        }
    }

    fn revoke(&mut self, key: usize, now: Instant, work: &mut Work<S, E>) {
        let entry = &mut self.entries[key];
        entry.phase = Phase::Revoked;
        let tenant = entry.tenant;
        self.revoked += 1;
        self.queue.tenancy(tenant).revoked += 1;
        self.report(key, now, work);
    }

    fn report(&self, key: usize, now: Instant, work: &mut Work<S, E>) {
        let entry = &self.entries[key];
        work.overdue.push(Overdue {
            slot: entry.slot.clone(),
            key,
            id: entry.id,
            tenant: self.queue.name(entry.tenant).clone(),
            chain: entry.chain,
            held: now.saturating_duration_since(entry.lent_at),
            left: entry
                .deadline
                .map(|deadline| deadline.saturating_duration_since(now)),
            revoked: entry.phase == Phase::Revoked,
        });
    }
}
