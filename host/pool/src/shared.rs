//! What every handle and lease of a pool shares, and the tasks that open and close its connections; who gets which is
//! decided in [`State`].

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::sync::{Notify, oneshot, watch};
use tokio::time::{Instant, sleep, timeout};
use tracing::{debug, error, info, warn};

use crate::connector::Connector;
use crate::error::AcquireError;
use crate::loan::Loan;
use crate::options::Options;
use crate::state::State;
use crate::work::{Entry, Why, Work};

/// How long after a connector's panic the next attempt to connect begins.
const PAUSE_AFTER_PANIC: Duration = Duration::from_secs(1);

pub(crate) type Reply<C> = Result<Loan<C>, AcquireError<<C as Connector>::Error>>;
type Sender<C> = oneshot::Sender<Reply<C>>;
type PoolState<C> = State<<C as Connector>::Connection, Sender<C>>;
type PoolWork<C> = Work<<C as Connector>::Connection, Sender<C>>;

pub(crate) struct Shared<C: Connector> {
    pub(crate) connector: C,
    pub(crate) options: Options,
    pub(crate) runtime: Handle,
    pub(crate) state: Mutex<PoolState<C>>,
    /// Turned true once, to end connects that nobody waits for any more.
    pub(crate) closing: watch::Sender<bool>,
    /// Rung when the pool is closed and its last connection gone.
    pub(crate) drained: Notify,
}

impl<C: Connector> Shared<C> {
    pub(crate) fn new(connector: C, options: Options) -> Self {
        Self {
            connector,
            state: Mutex::new(State::new(options.clone())),
            options,
            runtime: Handle::current(),
            closing: watch::Sender::new(false),
            drained: Notify::new(),
        }
    }

    /// Changes the state, and does what follows from it after the lock is released: replies wake tasks and drop
    /// connections, which may come back here.
    pub(crate) fn change<R>(
        self: &Arc<Self>,
        change: impl FnOnce(&mut PoolState<C>, &mut PoolWork<C>) -> R,
    ) -> R {
        let mut work = Work::default();
        let result = {
            let mut state = self.state.lock();
            let result = change(&mut state, &mut work);
            state.settle(&mut work);
            result
        };
        self.carry_out(work);
        result
    }

    pub(crate) fn exhausted(&self, since: Instant) -> AcquireError<C::Error> {
        let (overflow, checked_out, waiting) = self.state.lock().pressure();
        AcquireError::Exhausted {
            waited: since.elapsed(),
            size: self.options.pool_size,
            overflow,
            checked_out,
            waiting,
            pool_timeout: self.options.pool_timeout,
        }
    }

    /// Closes the pool to newcomers; returns at once.
    pub(crate) fn start_closing(self: &Arc<Self>) {
        let first = self.change(|state, work| state.close(work));
        self.closing.send_replace(true);
        if first {
            info!(target: "poolhouse::pool", "pool closing");
        }
    }

    fn carry_out(self: &Arc<Self>, work: PoolWork<C>) {
        if let Some((waiter, handed)) = work.handed {
            // A waiter who has just left lets its reply fall, and the loan goes back to the next one.
            drop(waiter.send(Ok(Loan::new(Arc::clone(self), handed))));
        }
        for waiter in work.turned_away {
            drop(waiter.send(Err(AcquireError::Closed)));
        }
        for (entry, why) in work.closing {
            let Entry { id, connection, .. } = entry;
            log_close(id, why);
            let place = Closing {
                shared: Arc::clone(self),
                id,
            };
            self.runtime.spawn(close(place, connection));
        }
        let pause = if work.pause {
            PAUSE_AFTER_PANIC
        } else {
            Duration::ZERO
        };
        for _ in 0..work.connects {
            let place = Connecting {
                shared: Arc::clone(self),
                generation: work.generation,
                settled: false,
            };
            self.runtime.spawn(connect(place, pause));
        }
        if work.drained {
            self.drained.notify_waiters();
        }
    }
}

/// A duration from now, or what is never reached if there is no such instant.
pub(crate) fn after(now: Instant, duration: Duration) -> Instant {
    const THIRTY_YEARS: Duration = Duration::from_secs(30 * 365 * 86_400);
    now.checked_add(duration).unwrap_or(now + THIRTY_YEARS)
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
        Why::Overflow | Why::PoolClosed => {
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
        self.shared.change(|state, _| state.closed_one());
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
    Connected(C::Connection, Duration),
    Failed(C::Error),
    TimedOut,
    /// The pool closed meanwhile.
    Cancelled,
}

/// The place of a connection being opened: handed on by [`settle`](Connecting::settle), or free again when this is
/// dropped without.
struct Connecting<C: Connector> {
    shared: Arc<Shared<C>>,
    generation: u64,
    settled: bool,
}

impl<C: Connector> Connecting<C> {
    fn settle(mut self, attempt: Attempt<C>) {
        self.settled = true;
        match attempt {
            Attempt::Connected(connection, took) => {
                let now = Instant::now();
                let id = self.shared.change(|state, work| {
                    state.connected(connection, self.generation, took, now, work)
                });
                let ms = took.as_secs_f64() * 1000.0;
                info!(target: "poolhouse::pool", id, ms, "connect");
            }
            Attempt::Failed(error) => {
                error!(target: "poolhouse::pool", %error, "connect failed");
                self.fail(AcquireError::Connect(Arc::new(error)));
            }
            Attempt::TimedOut => {
                let limit = self.shared.options.connect_timeout;
                error!(target: "poolhouse::pool", ?limit, "connect took longer than connect_timeout");
                self.fail(AcquireError::ConnectTimeout(limit));
            }
            Attempt::Cancelled => self.shared.change(|state, _| state.connect_cancelled()),
        }
    }

    fn fail(&self, error: AcquireError<C::Error>) {
        if let Some(waiter) = self.shared.change(|state, _| state.connect_failed()) {
            drop(waiter.send(Err(error)));
        }
    }
}

impl<C: Connector> Drop for Connecting<C> {
    fn drop(&mut self) {
        if self.settled {
            return;
        }
        if std::thread::panicking() {
            error!(target: "poolhouse::pool", "connect panicked");
            self.shared.change(|state, _| state.connect_panicked());
        } else {
            // Nothing but the end of the runtime drops the task, and then nobody can be served any more.
            self.shared.change(|state, work| {
                state.connect_cancelled();
                state.close(work);
            });
        }
    }
}

async fn connect<C: Connector>(place: Connecting<C>, pause: Duration) {
    let shared = Arc::clone(&place.shared);
    let attempt = async {
        if !pause.is_zero() {
            sleep(pause).await;
        }
        let started = Instant::now();
        match timeout(shared.options.connect_timeout, shared.connector.connect()).await {
            Ok(Ok(connection)) => Attempt::Connected(connection, started.elapsed()),
            Ok(Err(error)) => Attempt::Failed(error),
            Err(_) => Attempt::TimedOut,
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
