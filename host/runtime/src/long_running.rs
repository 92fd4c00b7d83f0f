//! Keeps guests that compute for long from holding up everybody else's work on the same threads; knows no limits and
//! ends nothing.
//!
//! A guest that yields at every tick of the engine's clock gives its thread back, but that alone is not enough: with one such
//! guest on each thread, whatever else is ready to run waits for a tick each time it is woken, and a statement is woken
//! several times; sockets and timers are looked at once in sixty-one tasks, which is then every 610 ms. So a guest that
//! computed for a tick goes on outside of the runtime's threads, as work that blocks does, and it is the system's
//! scheduler that shares the processors between it and the others. One processor is left to the others altogether,
//! where there are several; guests that are more than the rest take turns.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, ready};

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Ticks that find a guest running since it was last woken, of which the first may have come just then: by the second it has
/// computed for one whole tick.
const LONG: u32 = 2;

/// Ticks of one turn outside, after which another guest has one. Each turn costs a change of threads.
const TURN: u32 = 5;

/// Who may go on outside; of the whole process, for its processors are what is shared.
static TURNS: LazyLock<Arc<Semaphore>> = LazyLock::new(|| {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    Arc::new(Semaphore::new(processors.saturating_sub(1).max(1)))
});

/// Ticks of the engines' clocks; only how many pass in between is of interest.
static TICKED: AtomicU32 = AtomicU32::new(0);

/// To be called at every tick of an engine's clock.
pub(crate) fn tick() {
    TICKED.fetch_add(1, Ordering::Relaxed);
}

/// How long one instance's guest has computed. A clone is the same instance's.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pace(Arc<Ticks>);

#[derive(Debug, Default)]
struct Ticks {
    /// Those that found it running since it was last woken.
    found: AtomicU32,
    /// As many of them as there may be before it yields.
    allowed: AtomicU32,
    /// The last call of the plugin's that ended, of whichever instance, was a long one.
    plugin: Arc<AtomicBool>,
}

impl Pace {
    /// Of another instance of the same plugin.
    pub(crate) fn of_another(&self) -> Self {
        Self(Arc::new(Ticks {
            plugin: Arc::clone(&self.0.plugin),
            ..Ticks::default()
        }))
    }

    /// To be called at every tick that finds the guest running: whether it is to yield now.
    pub(crate) fn tick(&self) -> bool {
        let found = self.0.found.load(Ordering::Relaxed) + 1;
        self.0.found.store(found, Ordering::Relaxed);
        found >= self.0.allowed.load(Ordering::Relaxed)
    }

    fn woken(&self, allowed: u32) {
        self.0.found.store(0, Ordering::Relaxed);
        self.0.allowed.store(allowed, Ordering::Relaxed);
    }

    fn was_long(&self) -> bool {
        self.0.found.load(Ordering::Relaxed) >= LONG
    }

    fn plugin_was_long(&self) -> bool {
        self.0.plugin.load(Ordering::Relaxed)
    }
}

thread_local! {
    /// This thread has a turn: a guest called by the one whose turn it is needs none of its own, and could wait for it for ever.
    static HAS_TURN: Cell<bool> = const { Cell::new(false) };
    /// The guest polled last on this thread waits for a turn, or one that it called does.
    static WAITS: Cell<bool> = const { Cell::new(false) };
}

type Turn = Pin<Box<dyn Future<Output = Option<OwnedSemaphorePermit>> + Send>>;

/// A guest's work, done where it is in nobody's way.
///
/// Cancel safety: that of the work itself.
pub(crate) struct Considerate<W> {
    work: W,
    pace: Pace,
    /// The next of the work is to be done outside of the runtime's threads.
    outside: bool,
    turn: Option<Turn>,
}

impl<W> Considerate<W> {
    /// Where the plugin's last call was a long one, this one is outside from its beginning: guests that come again and again
    /// for a tick or two would hold up the others as much as one that stays.
    pub(crate) fn new(work: W, pace: Pace) -> Self {
        let outside = pace.plugin_was_long();
        Self {
            work,
            pace,
            outside,
            turn: None,
        }
    }
}

impl<W: Future + Unpin> Future for Considerate<W> {
    type Output = W::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<W::Output> {
        let this = self.get_mut();
        let work = Pin::new(&mut this.work);
        let begun = TICKED.load(Ordering::Relaxed);
        let polled = if this.outside && !HAS_TURN.get() && has_threads() {
            let turn = this.turn.get_or_insert_with(|| Box::pin(next_turn()));
            WAITS.set(true);
            // Held for this one poll only, so that who waits here never keeps one from anybody.
            let _permit = ready!(turn.as_mut().poll(context));
            WAITS.set(false);
            this.turn = None;
            this.pace.woken(TURN);
            let _turn = TakenTurn::new();
            tokio::task::block_in_place(|| work.poll(context))
        } else {
            WAITS.set(false);
            this.pace.woken(if HAS_TURN.get() { TURN } else { LONG });
            work.poll(context)
        };
        // What the host does for the guest, such as taking in a large answer, is found by no tick.
        let passed = TICKED.load(Ordering::Relaxed).wrapping_sub(begun);
        let was_long = this.pace.was_long() || passed >= LONG;
        // The turn that its callee waits for may be given at any moment, and nobody else has it then until the callee is polled:
        // were this one to wait for a turn first, it would wait for its own callee.
        this.outside = was_long && !WAITS.get();
        // Compared first: it hardly ever changes, and a plain load is all that a short call pays.
        if (was_long || polled.is_ready()) && was_long != this.pace.plugin_was_long() {
            this.pace.0.plugin.store(was_long, Ordering::Relaxed);
        }
        polled
    }
}

/// While it lives, its thread has a turn.
struct TakenTurn;

impl TakenTurn {
    fn new() -> Self {
        HAS_TURN.set(true);
        Self
    }
}

impl Drop for TakenTurn {
    fn drop(&mut self) {
        HAS_TURN.set(false);
    }
}

/// None only if the semaphore were closed, which it never is.
async fn next_turn() -> Option<OwnedSemaphorePermit> {
    Arc::clone(&TURNS).acquire_owned().await.ok()
}

/// A runtime with one thread has no other that its work could go on in.
fn has_threads() -> bool {
    Handle::try_current().is_ok_and(|handle| handle.runtime_flavor() == RuntimeFlavor::MultiThread)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that finds no value has failed")]
mod tests {
    use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
    use std::time::Duration;

    use super::*;

    const LONGEST: Duration = Duration::from_secs(10);

    /// Computes until the ticks allowed are over and yields; when woken, it holds its thread until it hears from another task.
    struct Guest {
        pace: Pace,
        yielded: bool,
        others: Receiver<()>,
    }

    impl Future for Guest {
        type Output = Result<(), RecvTimeoutError>;

        fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
            if self.yielded {
                return Poll::Ready(self.others.recv_timeout(LONGEST));
            }
            while !self.pace.tick() {}
            self.yielded = true;
            context.waker().wake_by_ref();
            Poll::Pending
        }
    }

    #[test]
    fn others_run_on_the_only_thread_while_a_guest_computes() {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .build()
            .unwrap();
        let pace = Pace::default();
        let (say, others) = channel();
        let guest = Guest {
            pace: pace.clone(),
            yielded: false,
            others,
        };
        let guest = runtime.spawn(Considerate::new(guest, pace));
        runtime.spawn(async move { say.send(()) });
        runtime.block_on(guest).unwrap().unwrap();
    }

    #[test]
    fn the_first_tick_is_no_sign_and_the_last_call_is_one() {
        let pace = Pace::default();
        pace.woken(LONG);
        assert!(!pace.tick() && !pace.was_long());
        assert!(pace.tick() && pace.was_long());
        pace.woken(TURN);
        assert_eq!((0..TURN).filter(|_| pace.tick()).count(), 1);
        let other = pace.of_another();
        assert!(!other.was_long() && !other.plugin_was_long());
        pace.0.plugin.store(true, Ordering::Relaxed);
        assert!(other.plugin_was_long());
    }

    /// Polls what it calls, and then computes for as long as makes a call a long one.
    struct LongCaller<W> {
        callee: W,
        pace: Pace,
    }

    impl<W: Future + Unpin> Future for LongCaller<W> {
        type Output = W::Output;

        fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
            let polled = Pin::new(&mut self.callee).poll(context);
            while !self.pace.tick() {}
            polled
        }
    }

    #[test]
    fn a_caller_does_not_wait_for_the_turn_that_its_callee_was_given() {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_time()
            .build()
            .unwrap();
        let ended = runtime.block_on(async {
            let turns = u32::try_from(TURNS.available_permits()).unwrap();
            let all = TURNS.acquire_many(turns).await.unwrap();
            let (caller, callee) = (Pace::default(), Pace::default());
            callee.0.plugin.store(true, Ordering::Relaxed);
            let callee = Considerate::new(Box::pin(std::future::ready(())), callee.of_another());
            let chain = LongCaller {
                callee,
                pace: caller.clone(),
            };
            let (say, waits) = tokio::sync::oneshot::channel();
            let mut chain = Considerate::new(chain, caller);
            let mut say = Some(say);
            let chain = tokio::spawn(std::future::poll_fn(move |context| {
                let polled = Pin::new(&mut chain).poll(context);
                if let Some(say) = say.take() {
                    say.send(()).unwrap();
                }
                polled
            }));
            waits.await.unwrap();
            drop(all);
            tokio::time::timeout(LONGEST, chain).await
        });
        ended.unwrap().unwrap();
    }

    #[test]
    fn those_called_in_another_s_turn_wait_for_none() {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_time()
            .build()
            .unwrap();
        let long = Pace::default();
        long.0.plugin.store(true, Ordering::Relaxed);
        let mut work: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(std::future::ready(()));
        // One more than there can be turns at once.
        for _ in 0..=TURNS.available_permits() {
            work = Box::pin(Considerate::new(work, long.of_another()));
        }
        let ended = runtime.spawn(async { tokio::time::timeout(LONGEST, work).await });
        runtime.block_on(ended).unwrap().unwrap();
    }
}
