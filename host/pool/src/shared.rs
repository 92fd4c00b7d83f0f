//! What every handle and lease of a pool shares, and the tasks that open, cancel and close its connections; who gets
//! which is decided in [`State`].

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout};
use tracing::{debug, error, info, warn};

use crate::connector::Connector;
use crate::error::Cause;
use crate::keeper;
use crate::options::Options;
use crate::slot::Slot;
use crate::state::{Discarded, Overdue, State, Why, Work};
use crate::stats::Condition;

pub(crate) type SlotOf<C> = Arc<Slot<C>>;
type PoolState<C> = State<SlotOf<C>, <C as Connector>::Error>;
type PoolWork<C> = Work<SlotOf<C>, <C as Connector>::Error>;

pub(crate) struct Shared<C: Connector> {
    pub(crate) connector: C,
    /// The settings the pool began with; what can change of them is the state's.
    pub(crate) options: Options,
    pub(crate) runtime: Handle,
    pub(crate) state: Mutex<PoolState<C>>,
    /// Turned true once, to end connects that nobody waits for any more.
    closing: watch::Sender<bool>,
    /// Rung when the pool is closed and its last connection gone.
    pub(crate) drained: Notify,
    /// Rung when something is due before the keeper meant to look, and at the pool's end.
    rouse: Arc<Notify>,
}

impl<C: Connector> Shared<C> {
    pub(crate) fn start(connector: C, options: Options) -> Arc<Self> {
        let rouse = Arc::new(Notify::new());
        let shared = Arc::new(Self {
            connector,
            state: Mutex::new(State::new(options.clone(), Instant::now())),
            options,
            runtime: Handle::current(),
            closing: watch::Sender::new(false),
            drained: Notify::new(),
            rouse: Arc::clone(&rouse),
        });
        let keeper = keeper::keep(Arc::downgrade(&shared), rouse);
        shared.runtime.spawn(keeper);
        shared
    }

    /// Changes the state, and does what follows from it after the lock is released: wakers and connections may come
    /// back here.
    pub(crate) fn change<R>(
        self: &Arc<Self>,
        now: Instant,
        change: impl FnOnce(&mut PoolState<C>, &mut PoolWork<C>) -> R,
    ) -> R {
        let mut work = Work::new();
        let result = {
            let mut state = self.state.lock();
            let result = change(&mut state, &mut work);
            state.settle(now, &mut work);
            result
        };
        self.carry_out(&mut work);
        result
    }

    /// Does what is due. Answers when to look again; from then on, what is due earlier rouses the keeper.
    pub(crate) fn look(self: &Arc<Self>, now: Instant) -> Option<Instant> {
        let mut work = Work::new();
        let next = {
            let mut state = self.state.lock();
            state.tick(now, &mut work);
            state.settle(now, &mut work);
            state.next_look()
        };
        work.rouse = false;
        self.carry_out(&mut work);
        next
    }

    /// Closes the pool to newcomers; returns at once.
    pub(crate) fn start_closing(self: &Arc<Self>) {
        let first = self.change(Instant::now(), |state, work| state.close(work));
        self.closing.send_replace(true);
        if first {
            info!(target: "poolhouse::pool", "pool closing");
        }
    }

    /// Closes a revoked connection that is in its slot.
    pub(crate) fn close_revoked(self: &Arc<Self>, key: usize, id: u64) {
        let now = Instant::now();
        self.change(now, |state, work| state.discard_revoked(key, id, now, work));
    }

    fn carry_out(self: &Arc<Self>, work: &mut PoolWork<C>) {
        if work.is_nothing() {
            return;
        }
        for discarded in work.closing.drain(..) {
            self.dispose(discarded);
        }
        for overdue in work.overdue.drain(..) {
            self.recall(overdue);
        }
        for behind in 0..work.connects {
            let place = Connecting {
                shared: Arc::clone(self),
                attempt: work.attempt - u64::from(behind),
                generation: work.generation,
                settled: false,
            };
            self.runtime.spawn(connect(place));
        }
        for waker in work.wakers.drain(..) {
            waker.wake();
        }
        if let Some((condition, cause)) = work.turned.take() {
            log_turn(condition, cause);
        }
        if work.rouse {
            self.rouse.notify_one();
        }
        if work.drained {
            self.drained.notify_waiters();
        }
    }

    fn dispose(self: &Arc<Self>, discarded: Discarded<SlotOf<C>>) {
        let Discarded { slot, id, why } = discarded;
        log_close(id, why);
        let place = Closing {
            shared: Arc::clone(self),
            id,
        };
        // None only after an operation was forgotten: then there is nothing to close.
        if let Some(connection) = slot.take() {
            self.runtime.spawn(close(place, connection));
        }
    }

    /// Logs a lease that is held for long, and takes it back if it is past its deadline.
    fn recall(self: &Arc<Self>, overdue: Overdue<SlotOf<C>>) {
        let Overdue {
            slot,
            key,
            id,
            tenant,
            chain,
            held,
            left,
            revoked,
        } = overdue;
        let statement = slot.statement();
        let statement = statement.as_deref().unwrap_or("none yet");
        if !revoked {
            warn!(target: "poolhouse::pool", id, holder = &*tenant, chain, ?held, revoked_in = ?left, statement, "long lease");
            return;
        }
        warn!(target: "poolhouse::pool", id, holder = &*tenant, chain, ?held, statement, "lease revoked");
        if !slot.revoke() {
            self.close_revoked(key, id);
            return;
        }
        let shared = Arc::clone(self);
        self.runtime.spawn(async move {
            let limit = shared.options.close_timeout;
            let cancel = shared.connector.cancel(&slot.key);
            if timeout(limit, cancel).await.is_err() {
                warn!(target: "poolhouse::pool", id, ?limit, "cancelling took longer than close_timeout");
            }
        });
    }
}

impl<C: Connector> Drop for Shared<C> {
    fn drop(&mut self) {
        self.rouse.notify_one();
    }
}

/// A duration from now, or what is never reached if there is no such instant.
pub(crate) fn after(now: Instant, duration: Duration) -> Instant {
    const THIRTY_YEARS: Duration = Duration::from_secs(30 * 365 * 86_400);
    now.checked_add(duration).unwrap_or(now + THIRTY_YEARS)
}

fn log_turn<E: std::fmt::Display>(condition: Condition, cause: Option<Cause<E>>) {
    let cause = cause.map_or_else(String::new, |cause| cause.to_string());
    match condition {
        Condition::Up => info!(target: "poolhouse::pool", "up: connections can be opened again"),
        Condition::Degraded => warn!(target: "poolhouse::pool", cause, "degraded"),
        Condition::Down => error!(target: "poolhouse::pool", cause, "down"),
    }
}

fn log_close(id: u64, why: Why) {
    let reason = why.as_str();
    match why {
        Why::Recycle | Why::Retired => {
            info!(target: "poolhouse::pool", id, why = reason, "recycle");
        }
        Why::InFlight | Why::Broken | Why::PingFailed | Why::NotReset => {
            warn!(target: "poolhouse::pool", id, why = reason, "discard");
        }
        Why::IdleTimeout | Why::Overflow | Why::Revoked | Why::PoolClosed => {
            debug!(target: "poolhouse::pool", id, why = reason, "let go");
        }
    }
}

/// The place of a connection being closed, free again when this is dropped, however closing ended.
struct Closing<C: Connector> {
    shared: Arc<Shared<C>>,
    id: u64,
}

impl<C: Connector> Drop for Closing<C> {
    fn drop(&mut self) {
        info!(target: "poolhouse::pool", id = self.id, "close");
        self.shared
            .change(Instant::now(), |state, _| state.closed_one());
    }
}

/// Parameters are dropped last to first: the connection is gone before its place is free.
async fn close<C: Connector>(place: Closing<C>, connection: C::Connection) {
    let shared = &place.shared;
    let limit = shared.options.close_timeout;
    if timeout(limit, shared.connector.close(connection))
        .await
        .is_err()
    {
        warn!(
            target: "poolhouse::pool",
            id = place.id,
            ?limit,
            "closing took longer than close_timeout: the connection is dropped"
        );
    }
}

enum Attempt<C: Connector> {
    Connected(C::Connection, C::Key, Duration),
    Failed(Cause<C::Error>),
    /// The pool closed meanwhile.
    Cancelled,
}

/// The place of a connection being opened: handed on by [`settle`](Connecting::settle), or free again when this is
/// dropped without.
struct Connecting<C: Connector> {
    shared: Arc<Shared<C>>,
    attempt: u64,
    generation: u64,
    settled: bool,
}

impl<C: Connector> Connecting<C> {
    fn settle(mut self, attempt: Attempt<C>) {
        self.settled = true;
        let now = Instant::now();
        match attempt {
            Attempt::Connected(connection, key, took) => {
                let slot = |id| Arc::new(Slot::new(id, key, connection));
                let generation = self.generation;
                let id = self.shared.change(now, |state, work| {
                    state.connected(slot, generation, took, now, work)
                });
                let ms = took.as_secs_f64() * 1000.0;
                info!(target: "poolhouse::pool", id, ms, "connect");
            }
            Attempt::Failed(cause) => self.fail(&cause, now),
            Attempt::Cancelled => self
                .shared
                .change(now, |state, _| state.connect_cancelled()),
        }
    }

    fn fail(&self, cause: &Cause<C::Error>, now: Instant) {
        debug!(target: "poolhouse::pool", attempt = self.attempt, %cause, "connect failed");
        self.shared.change(now, |state, work| {
            state.connect_failed(cause, self.attempt, now, work);
        });
    }
}

impl<C: Connector> Drop for Connecting<C> {
    fn drop(&mut self) {
        if self.settled {
            return;
        }
        let now = Instant::now();
        if std::thread::panicking() {
            self.fail(&Cause::Panicked, now);
        } else {
            // Nothing but the end of the runtime drops the task, and then nobody can be served any more.
            self.shared.change(now, |state, work| {
                state.connect_cancelled();
                state.close(work);
            });
        }
    }
}

async fn connect<C: Connector>(place: Connecting<C>) {
    let shared = Arc::clone(&place.shared);
    let attempt = async {
        let started = Instant::now();
        let limit = shared.options.connect_timeout;
        match timeout(limit, shared.connector.connect()).await {
            Ok(Ok((connection, key))) => Attempt::Connected(connection, key, started.elapsed()),
            Ok(Err(error)) => Attempt::Failed(Cause::Refused(Arc::new(error))),
            Err(_) => Attempt::Failed(Cause::TimedOut(limit)),
        }
    };
    let mut closing = shared.closing.subscribe();
    let closed = async {
        // An error means that the sender is gone, which `shared` rules out.
        drop(closing.wait_for(|closing| *closing).await);
    };
    let attempt = tokio::select! {
        biased;
        attempt = attempt => attempt,
        () = closed => Attempt::Cancelled,
    };
    place.settle(attempt);
}
