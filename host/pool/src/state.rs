//! Who has which connection: the pool's connections, counts and queue, as they change under its lock; does no I/O and
//! wakes nobody, but says in [`Work`] what there is to do once the lock is free.

mod ageing;
mod delivery;
mod entry;
mod growth;
mod lending;
mod queue;
mod report;
mod tenancy;
mod work;

use std::sync::Arc;
use std::time::Duration;

use slab::Slab;
use tokio::time::Instant;

use crate::error::{AcquireError, Cause};
use crate::options::Options;
use crate::stats::{Condition, Durations};
use crate::tenant::{Quota, QuotaError};

pub(crate) use delivery::Delivery;
pub(crate) use entry::{Answer, Claim, Entry, Handed, Outcome, Phase, Why};
use growth::{Growth, Need};
use queue::{Queue, count};
pub(crate) use work::{Discarded, Overdue, Work};

/// `S` is what a connection's borrower and the pool share, `E` the connector's error.
///
/// Between changes: whoever waits may not take what is idle, and `total` is over the maximum only after that was
/// lowered, until enough has come back.
pub(crate) struct State<S, E> {
    options: Options,
    entries: Slab<Entry<S>>,
    /// Keys of idle connections, the last used last.
    idle: Vec<usize>,
    queue: Queue<S, E>,
    growth: Growth<E>,
    generation: u64,
    closed: bool,
    paused: bool,
    lent: u32,
    pinging: u32,
    resetting: u32,
    connecting: u32,
    closing: u32,
    most_lent: u32,
    most_overflow: u32,
    acquired: u64,
    timed_out: u64,
    failed: u64,
    revoked: u64,
    opened: u64,
    closed_count: u64,
    connect_failures: u64,
    connect: Durations,
    /// When the keeper will look; what is due earlier must rouse it.
    keeper: Option<Instant>,
}

impl<S: Clone, E> State<S, E> {
    pub(crate) fn new(options: Options, now: Instant) -> Self {
        Self {
            options,
            entries: Slab::new(),
            idle: Vec::new(),
            queue: Queue::new(),
            growth: Growth::new(now),
            generation: 0,
            closed: false,
            paused: false,
            lent: 0,
            pinging: 0,
            resetting: 0,
            connecting: 0,
            closing: 0,
            most_lent: 0,
            most_overflow: 0,
            acquired: 0,
            timed_out: 0,
            failed: 0,
            revoked: 0,
            opened: 0,
            closed_count: 0,
            connect_failures: 0,
            connect: Durations::new(),
            keeper: None,
        }
    }

    pub(crate) fn options(&self) -> &Options {
        &self.options
    }

    /// Makes or changes a tenant and counts one more handle to it.
    pub(crate) fn tenant(&mut self, name: &Arc<str>, quota: Quota) -> Result<usize, QuotaError> {
        if quota.max == Some(0) {
            return Err(QuotaError::Zero);
        }
        if let Some(max) = quota.max.filter(|max| quota.reserved > *max) {
            return Err(QuotaError::ReservedOverMax {
                reserved: quota.reserved,
                max,
            });
        }
        let reserved = self.queue.reserved_with(name, quota.reserved);
        overbooked(reserved, self.options.maximum())?;
        Ok(self.queue.tenant(name, quota))
    }

    pub(crate) fn tenant_cloned(&mut self, key: usize) {
        self.queue.tenant_cloned(key);
    }

    pub(crate) fn tenant_dropped(&mut self, key: usize) {
        self.queue.tenant_dropped(key);
    }

    /// Changes how many connections there may be; what is over is closed, lent ones when they come back.
    pub(crate) fn resize(&mut self, pool_size: u32, max_overflow: i32) -> Result<(), QuotaError> {
        let changed = Options {
            pool_size,
            max_overflow,
            ..self.options.clone()
        };
        overbooked(u64::from(self.queue.reserved()), changed.maximum())?;
        self.options = changed;
        Ok(())
    }

    pub(crate) fn pause(&mut self, paused: bool) {
        self.paused = paused;
    }

    /// Counts a connection that has just been opened and makes it idle; returns its number.
    pub(crate) fn connected(
        &mut self,
        slot: impl FnOnce(u64) -> S,
        generation: u64,
        took: Duration,
        now: Instant,
        work: &mut Work<S, E>,
    ) -> u64 {
        self.connecting -= 1;
        self.growth.succeeded();
        self.opened += 1;
        self.connect.record(took);
        let id = self.opened;
        // Up to 2.5 % less, so that those opened together are not replaced together.
        let age = |limit: Duration| {
            let limit = limit.min(Duration::from_secs(u64::from(u32::MAX)));
            now.checked_add(limit.mul_f64(1.0 - 0.025 * fastrand::f64()))
        };
        let key = self.entries.insert(Entry {
            slot: slot(id),
            id,
            generation,
            expires: self.options.pool_recycle.and_then(age),
            idle_since: now,
            fresh: true,
            phase: Phase::Idle,
            setting: 0,
            tenant: usize::MAX,
            chain: 0,
            lent_at: now,
            deadline: None,
            warned: false,
            charged: 0,
        });
        match self.unfit(&self.entries[key], now) {
            Some(why) => self.discard(key, why, work),
            None => {
                self.idle.push(key);
                self.watch(key, work);
            }
        }
        id
    }

    /// Counts an attempt that failed. Those who had asked before it began are told, if nothing is open that could come
    /// back, or they wait for nothing that could; the others, when they have waited for a second in which nothing did.
    pub(crate) fn connect_failed(
        &mut self,
        cause: &Cause<E>,
        attempt: u64,
        now: Instant,
        work: &mut Work<S, E>,
    ) {
        const LONG: Duration = Duration::from_secs(1);
        self.connecting -= 1;
        self.connect_failures += 1;
        self.growth.failed(cause.clone(), attempt, now);
        let down = !self.is_sound();
        let still = !self.growth.returned_within(LONG, now);
        let told: Vec<usize> = self
            .queue
            .waiters
            .iter()
            .filter(|(_, waiter)| {
                let claim = &waiter.claim;
                let long = now.saturating_duration_since(claim.since) >= LONG;
                let in_vain = down || claim.urgent || claim.at_once;
                (in_vain && (long || claim.attempts < attempt)) || (long && still)
            })
            .map(|(key, _)| key)
            .collect();
        self.failed += told.len() as u64;
        for waiter in told {
            self.tell(
                waiter,
                Outcome::Refused(AcquireError::Connect(cause.clone())),
                work,
            );
        }
    }

    /// Counts an attempt that was given up because the pool is closed.
    pub(crate) fn connect_cancelled(&mut self) {
        self.connecting -= 1;
    }

    /// Counts a connection that is now closed.
    pub(crate) fn closed_one(&mut self) {
        self.closing -= 1;
        self.closed_count += 1;
    }

    /// Notes that a connection of this generation broke, and retires it: closes what is idle, and condemns what is lent
    /// or connecting. An old one is retired already, so that many callers can meet the same failure and it counts
    /// once.
    pub(crate) fn broke(
        &mut self,
        generation: u64,
        cause: Cause<E>,
        now: Instant,
        work: &mut Work<S, E>,
    ) -> bool {
        if generation != self.generation {
            return false;
        }
        self.retire(work);
        self.growth.suspect(cause, now);
        true
    }

    /// Retires the connections of this instant.
    pub(crate) fn retire(&mut self, work: &mut Work<S, E>) {
        self.generation += 1;
        self.discard_idle(Why::Retired, work);
    }

    /// Refuses newcomers, turns waiters away, and closes what is idle. Returns whether that was new.
    pub(crate) fn close(&mut self, work: &mut Work<S, E>) -> bool {
        if self.closed {
            return false;
        }
        self.closed = true;
        let waiting: Vec<usize> = self.queue.waiters.iter().map(|(key, _)| key).collect();
        for waiter in waiting {
            self.tell(waiter, Outcome::Refused(AcquireError::Closed), work);
        }
        self.discard_idle(Why::PoolClosed, work);
        true
    }

    /// What follows from any change: connections go to those who wait, what is over is closed, more are opened.
    pub(crate) fn settle(&mut self, now: Instant, work: &mut Work<S, E>) {
        if !self.closed && !self.paused {
            self.serve(now, work);
        }
        self.trim(work);
        if !self.closed {
            self.grow(now, work);
        }
        if self.growth.has_trouble() || self.growth.condition().0 != Condition::Up {
            let sound = self.is_sound();
            if let Some(condition) = self.growth.observe(sound, now) {
                work.turned = Some((condition, self.growth.cause().cloned()));
            }
        }
        let overflow = self.total().saturating_sub(self.options.pool_size);
        if self.options.pool_size != 0 {
            self.most_overflow = self.most_overflow.max(overflow);
        }
        work.drained = self.closed && self.total() == 0;
    }

    /// Every connection that takes up a place: idle, lent, pinging, resetting, connecting, closing.
    pub(crate) fn total(&self) -> u32 {
        count(self.entries.len()) + self.connecting + self.closing
    }

    /// The most connections that can be lent: those on their way out, and those being reset, can't.
    fn lendable(&self) -> Option<u32> {
        let dead = self.closing + self.resetting;
        self.options
            .maximum()
            .map(|maximum| maximum.saturating_sub(dead))
    }

    /// Connections that may still be opened.
    fn room(&self) -> u32 {
        self.options
            .maximum()
            .map_or(u32::MAX, |maximum| maximum.saturating_sub(self.total()))
    }

    fn grow(&mut self, now: Instant, work: &mut Work<S, E>) {
        let room = self.room();
        let waiting = self.queue.waiting() > 0 && !self.paused;
        if room == 0 || !(waiting || self.growth.has_trouble()) {
            return;
        }
        let (wanted, oldest) = match waiting {
            true => (self.queue.demand(self.lendable()).all, self.queue.oldest()),
            false => (0, None),
        };
        let need = Need {
            now,
            wanted: wanted.saturating_sub(self.connecting),
            urgent: self.queue.has_urgent(),
            oldest,
            connecting: self.connecting,
            // What is being reset comes back in a moment, too.
            held: self.queue.held() + self.resetting,
        };
        let plan = self.growth.plan(&need, room);
        if plan.connects > 0 {
            self.connecting += plan.connects;
            self.growth.attempts += u64::from(plan.connects);
            work.connects = plan.connects;
            work.attempt = self.growth.attempts;
            work.generation = self.generation;
        }
        if let Some(at) = plan.again {
            self.due(at, work);
        }
    }

    /// Closes what is idle beyond `pool_size`, and beyond a maximum that was lowered; the longest idle first.
    fn trim(&mut self, work: &mut Work<S, E>) {
        if self.options.pool_size == 0 {
            return;
        }
        let over_size = count(self.idle.len()).saturating_sub(self.options.pool_size);
        let over_maximum = self.options.maximum().map_or(0, |maximum| {
            (self.total() - self.closing).saturating_sub(maximum)
        });
        let over = over_size.max(over_maximum) as usize;
        if over == 0 {
            return;
        }
        for key in self
            .idle
            .drain(..over.min(self.idle.len()))
            .collect::<Vec<_>>()
        {
            self.discard(key, Why::Overflow, work);
        }
    }

    /// Whether a connection is open that is not known to have gone bad.
    fn is_sound(&self) -> bool {
        self.entries
            .iter()
            .any(|(_, entry)| entry.generation == self.generation && entry.phase != Phase::Revoked)
    }

    /// Takes a connection out of the entries; whoever reads the work closes it.
    fn discard(&mut self, key: usize, why: Why, work: &mut Work<S, E>) {
        let entry = self.entries.remove(key);
        self.closing += 1;
        work.closing.push(Discarded {
            slot: entry.slot,
            id: entry.id,
            why,
        });
    }

    fn discard_idle(&mut self, why: Why, work: &mut Work<S, E>) {
        for key in std::mem::take(&mut self.idle) {
            self.discard(key, why, work);
        }
    }

    fn unfit(&self, entry: &Entry<S>, now: Instant) -> Option<Why> {
        if self.closed {
            Some(Why::PoolClosed)
        } else if entry.generation != self.generation {
            Some(Why::Retired)
        } else if entry.expires.is_some_and(|at| now > at) {
            Some(Why::Recycle)
        } else {
            None
        }
    }

    /// A connection, unless it is gone and its key another's.
    fn entry(&self, key: usize, id: u64) -> Option<&Entry<S>> {
        self.entries.get(key).filter(|entry| entry.id == id)
    }

    /// The keeper is to look at a connection when there is something to be done about it.
    fn watch(&mut self, key: usize, work: &mut Work<S, E>) {
        if let Some(at) = self.looks_at(key) {
            self.due(at, work);
        }
    }

    /// Something is to be looked at then.
    fn due(&mut self, at: Instant, work: &mut Work<S, E>) {
        if self.keeper.is_none_or(|keeper| at < keeper) {
            self.keeper = Some(at);
            work.rouse = true;
        }
    }

    fn tell(&mut self, key: usize, outcome: Outcome<S, E>, work: &mut Work<S, E>) {
        self.queue.dequeue(key);
        self.deliver(key, outcome, work);
    }

    /// Tells a waiter that has left the queue.
    fn deliver(&mut self, key: usize, outcome: Outcome<S, E>, work: &mut Work<S, E>) {
        let waiter = self.queue.waiters.remove(key);
        work.wakers.extend(waiter.delivery.fill(outcome));
    }
}

fn overbooked(reserved: u64, maximum: Option<u32>) -> Result<(), QuotaError> {
    // Without a maximum, what can be counted is one.
    let maximum = maximum.unwrap_or(u32::MAX);
    if reserved > u64::from(maximum) {
        return Err(QuotaError::Overbooked { reserved, maximum });
    }
    Ok(())
}
