//! Who has which connection: the pool's counts, idle list and queue, as they change under its lock; does no I/O and
//! wakes nobody, but says in [`Work`] what there is to do once the lock is free.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::options::Options;
use crate::stats::{Durations, Stats};
use crate::work::{Answer, Claim, Entry, Handed, Phase, Why, Work};

/// The most callers that queue at once; more are refused as if they had waited in vain.
pub(crate) const MAX_WAITERS: usize = 100_000;

struct Waiter<W> {
    since: Instant,
    reply: W,
}

/// `K` is a connection, `W` the means to reply to a waiter.
///
/// Between changes: callers wait only while nothing is idle, and `total` is never over the maximum.
pub(crate) struct State<K, W> {
    options: Options,
    idle: Vec<Entry<K>>,
    waiters: BTreeMap<u64, Waiter<W>>,
    tickets: u64,
    generation: u64,
    closed: bool,
    /// The last attempt to connect failed: until one succeeds, one attempt runs at a time.
    failing: bool,
    /// It failed by a panic: the next one pauses first.
    panicked: bool,
    lent: u32,
    pinging: u32,
    resetting: u32,
    connecting: u32,
    closing: u32,
    most_lent: u32,
    most_overflow: u32,
    acquired: u64,
    timed_out: u64,
    opened: u64,
    closed_count: u64,
    connect_failures: u64,
    wait: Durations,
    hold: Durations,
    connect: Durations,
}

impl<K, W> State<K, W> {
    pub(crate) fn new(options: Options) -> Self {
        Self {
            options,
            idle: Vec::new(),
            waiters: BTreeMap::new(),
            tickets: 0,
            generation: 0,
            closed: false,
            failing: false,
            panicked: false,
            lent: 0,
            pinging: 0,
            resetting: 0,
            connecting: 0,
            closing: 0,
            most_lent: 0,
            most_overflow: 0,
            acquired: 0,
            timed_out: 0,
            opened: 0,
            closed_count: 0,
            connect_failures: 0,
            wait: Durations::new(),
            hold: Durations::new(),
            connect: Durations::new(),
        }
    }

    /// Takes an idle connection or a place in the queue; `reply` makes the two ends of the reply if there is to be one.
    pub(crate) fn ask<R>(
        &mut self,
        claim: &mut Claim,
        now: Instant,
        work: &mut Work<K, W>,
        reply: impl FnOnce() -> (W, R),
    ) -> Answer<K, R> {
        if self.closed {
            return Answer::Closed;
        }
        let ticket = *claim.ticket.get_or_insert_with(|| {
            self.tickets += 1;
            self.tickets
        });
        let mut recycled = false;
        while let Some(entry) = self.idle.pop() {
            if self.is_expired(&entry, now) {
                self.discard(entry, Why::Recycle, work);
                recycled = true;
                continue;
            }
            let ping = self.needs_ping(now.saturating_duration_since(entry.idle_since));
            return Answer::Handed(self.hand(entry, ping, claim.since, now));
        }
        // Whoever found idle connections too old may wait for their replacement: their places are its own.
        let refused = claim.at_once && !recycled && !self.has_one_to_spare();
        if refused || self.waiters.len() >= MAX_WAITERS {
            self.timed_out += 1;
            return Answer::Exhausted;
        }
        let (reply, receiver) = reply();
        let since = claim.since;
        self.waiters.insert(ticket, Waiter { since, reply });
        Answer::Queued(ticket, receiver)
    }

    /// Takes a waiter out of the queue; `None` if it has been replied to already.
    pub(crate) fn leave_queue(&mut self, ticket: u64) -> Option<W> {
        Some(self.waiters.remove(&ticket)?.reply)
    }

    pub(crate) fn count_timeout(&mut self) {
        self.timed_out += 1;
    }

    /// Moves a connection whose ping succeeded from pinging to lent; false if it must not be lent any more.
    pub(crate) fn pinged(&mut self, entry: &Entry<K>, since: Instant, now: Instant) -> bool {
        if self.unfit(entry, now).is_some() {
            return false;
        }
        self.pinging -= 1;
        self.lend(since, now);
        true
    }

    /// Moves a lent connection to resetting; false if it is to be closed anyway.
    pub(crate) fn start_reset(&mut self, entry: &Entry<K>, held: Duration, now: Instant) -> bool {
        if self.unfit(entry, now).is_some() {
            return false;
        }
        self.lent -= 1;
        self.resetting += 1;
        self.hold.record(held);
        true
    }

    /// Takes a connection out of somebody's hands: to the next waiter, to the idle ones, or to be closed.
    pub(crate) fn put_back(
        &mut self,
        handed: Handed<K>,
        fault: Option<Why>,
        held: Option<Duration>,
        now: Instant,
        work: &mut Work<K, W>,
    ) {
        match handed.phase {
            Phase::Lent => self.lent -= 1,
            Phase::Pinging => self.pinging -= 1,
            Phase::Resetting => self.resetting -= 1,
        }
        if let Some(held) = held {
            self.hold.record(held);
        }
        match fault {
            Some(why) => self.discard(handed.entry, why, work),
            None => self.place(handed.entry, false, now, work),
        }
    }

    /// Counts a connection that has just been opened and gives it its place; returns its number.
    pub(crate) fn connected(
        &mut self,
        connection: K,
        generation: u64,
        took: Duration,
        now: Instant,
        work: &mut Work<K, W>,
    ) -> u64 {
        self.connecting -= 1;
        self.failing = false;
        self.panicked = false;
        self.opened += 1;
        self.connect.record(took);
        let id = self.opened;
        let entry = Entry {
            id,
            generation,
            opened_at: now,
            idle_since: now,
            connection,
        };
        self.place(entry, true, now, work);
        id
    }

    /// Counts an attempt that failed; returns the first waiter, who is to be told.
    pub(crate) fn connect_failed(&mut self) -> Option<W> {
        self.count_connect_failure();
        Some(self.waiters.pop_first()?.1.reply)
    }

    /// Counts an attempt that left no error to tell anybody: the waiters go on waiting, and the next attempts pause.
    pub(crate) fn connect_panicked(&mut self) {
        self.count_connect_failure();
        self.panicked = true;
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

    /// Retires a generation: closes what is idle, and condemns what is lent or connecting. An old one is retired
    /// already, so that many callers can meet the same failure and it counts once.
    pub(crate) fn retire(&mut self, generation: u64, work: &mut Work<K, W>) -> bool {
        if generation != self.generation {
            return false;
        }
        self.generation += 1;
        self.discard_idle(Why::Retired, work);
        true
    }

    pub(crate) fn retire_current(&mut self, work: &mut Work<K, W>) {
        self.retire(self.generation, work);
    }

    /// Refuses all that is to come, turns the waiters away, and closes what is idle. True the first time.
    pub(crate) fn close(&mut self, work: &mut Work<K, W>) -> bool {
        let first = !self.closed;
        self.closed = true;
        let waiters = std::mem::take(&mut self.waiters).into_values();
        work.turned_away.extend(waiters.map(|waiter| waiter.reply));
        self.discard_idle(Why::PoolClosed, work);
        first
    }

    /// Starts as many connects as the waiters need and the maximum allows. To be called after every change.
    pub(crate) fn settle(&mut self, work: &mut Work<K, W>) {
        work.generation = self.generation;
        work.pause = self.panicked;
        while (self.connecting as usize) < self.waiters.len() && self.may_connect() {
            self.connecting += 1;
            work.connects += 1;
            let overflow = self.total().saturating_sub(self.options.pool_size);
            self.most_overflow = self.most_overflow.max(overflow);
        }
        work.drained = self.closed && self.total() == 0;
    }

    /// Every connection that takes up a place: idle, lent, pinging, resetting, connecting, closing.
    pub(crate) fn total(&self) -> u32 {
        self.kept() + self.connecting + self.closing
    }

    /// The counts, and the three distributions to be summed up once the lock is free.
    pub(crate) fn stats(&self) -> (Stats, [Durations; 3]) {
        let total = i64::from(self.total());
        let overflow = (total - i64::from(self.options.pool_size)).max(i64::from(i32::MIN));
        let stats = Stats {
            size: self.options.pool_size,
            checked_in: count(self.idle.len()),
            checked_out: self.lent,
            overflow: i32::try_from(overflow).unwrap_or(i32::MAX),
            waiting: count(self.waiters.len()),
            connecting: self.connecting,
            pinging: self.pinging,
            resetting: self.resetting,
            closing: self.closing,
            most_checked_out: self.most_lent,
            most_overflow: self.most_overflow,
            acquired: self.acquired,
            timed_out: self.timed_out,
            opened: self.opened,
            closed: self.closed_count,
            connect_failures: self.connect_failures,
            wait: Default::default(),
            hold: Default::default(),
            connect: Default::default(),
        };
        let durations = [self.wait.clone(), self.hold.clone(), self.connect.clone()];
        (stats, durations)
    }

    /// What an exhausted caller is told: connections beyond `pool_size`, lent ones, and waiters.
    pub(crate) fn pressure(&self) -> (u32, u32, u32) {
        let overflow = self.total().saturating_sub(self.options.pool_size);
        (overflow, self.lent, count(self.waiters.len()))
    }

    fn count_connect_failure(&mut self) {
        self.connecting -= 1;
        self.connect_failures += 1;
        self.failing = true;
        self.panicked = false;
    }

    fn place(&mut self, mut entry: Entry<K>, fresh: bool, now: Instant, work: &mut Work<K, W>) {
        if let Some(why) = self.unfit(&entry, now) {
            self.discard(entry, why, work);
        } else if let Some((_, waiter)) = self.waiters.pop_first() {
            let ping = !fresh && self.needs_ping(Duration::ZERO);
            work.handed = Some((waiter.reply, self.hand(entry, ping, waiter.since, now)));
        } else if self.options.pool_size != 0 && self.kept() >= self.options.pool_size {
            self.discard(entry, Why::Overflow, work);
        } else {
            entry.idle_since = now;
            self.idle.push(entry);
        }
    }

    fn hand(&mut self, entry: Entry<K>, ping: bool, since: Instant, now: Instant) -> Handed<K> {
        let phase = if ping {
            self.pinging += 1;
            Phase::Pinging
        } else {
            self.lend(since, now);
            Phase::Lent
        };
        Handed { entry, phase }
    }

    fn lend(&mut self, since: Instant, now: Instant) {
        self.lent += 1;
        self.most_lent = self.most_lent.max(self.lent);
        self.acquired += 1;
        self.wait.record(now.saturating_duration_since(since));
    }

    fn discard(&mut self, entry: Entry<K>, why: Why, work: &mut Work<K, W>) {
        self.closing += 1;
        work.closing.push((entry, why));
    }

    fn discard_idle(&mut self, why: Why, work: &mut Work<K, W>) {
        for entry in std::mem::take(&mut self.idle) {
            self.discard(entry, why, work);
        }
    }

    fn unfit(&self, entry: &Entry<K>, now: Instant) -> Option<Why> {
        if self.closed {
            Some(Why::PoolClosed)
        } else if entry.generation != self.generation {
            Some(Why::Retired)
        } else if self.is_expired(entry, now) {
            Some(Why::Recycle)
        } else {
            None
        }
    }

    fn is_expired(&self, entry: &Entry<K>, now: Instant) -> bool {
        let age = now.saturating_duration_since(entry.opened_at);
        self.options.pool_recycle.is_some_and(|limit| age > limit)
    }

    fn needs_ping(&self, idle: Duration) -> bool {
        let limit = self.options.pool_pre_ping_idle;
        self.options.pool_pre_ping && (limit.is_zero() || idle > limit)
    }

    /// Whether one more waiter would have a connect of its own, so that it takes nothing from those before it.
    fn has_one_to_spare(&self) -> bool {
        let connecting = self.connecting as usize;
        connecting > self.waiters.len() || (connecting == self.waiters.len() && self.may_connect())
    }

    fn may_connect(&self) -> bool {
        let room = self
            .options
            .maximum()
            .is_none_or(|maximum| self.total() < maximum);
        room && !self.closed && !(self.failing && self.connecting > 0)
    }

    /// Connections open and not on their way out.
    fn kept(&self) -> u32 {
        count(self.idle.len()) + self.lent + self.pinging + self.resetting
    }
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_queue_is_bounded() {
        let mut state = State::<(), ()>::new(Options::default());
        let now = Instant::now();
        for asked in 0..=MAX_WAITERS {
            let mut claim = Claim {
                ticket: None,
                since: now,
                at_once: false,
            };
            let mut work = Work::default();
            let answer = state.ask(&mut claim, now, &mut work, || ((), ()));
            let queued = matches!(answer, Answer::Queued(..));
            assert_eq!(queued, asked < MAX_WAITERS, "caller {asked}");
        }
        assert_eq!(state.stats().0.timed_out, 1);
    }
}
