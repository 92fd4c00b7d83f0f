//! How a waiter learns what became of it, past the pool's own lock.

use std::task::Waker;

use parking_lot::Mutex;

use super::Outcome;

/// Shared by a waiter and the pool. Filled once, with the pool's lock held; emptied by the waiter.
pub(crate) struct Delivery<S, E> {
    inner: Mutex<Inner<S, E>>,
}

struct Inner<S, E> {
    waker: Option<Waker>,
    outcome: Option<Outcome<S, E>>,
}

impl<S, E> Delivery<S, E> {
    pub(crate) fn new(waker: Waker) -> Self {
        Self {
            inner: Mutex::new(Inner {
                waker: Some(waker),
                outcome: None,
            }),
        }
    }

    /// Ends the wait. Answers whom to wake.
    pub(crate) fn fill(&self, outcome: Outcome<S, E>) -> Option<Waker> {
        let mut inner = self.inner.lock();
        inner.outcome = Some(outcome);
        inner.waker.take()
    }

    /// What became of the waiter, once.
    pub(crate) fn take(&self) -> Option<Outcome<S, E>> {
        self.inner.lock().outcome.take()
    }

    /// The same; while there is nothing yet, it is `waker` who is woken, and the one before is left there instead.
    pub(crate) fn poll(&self, waker: &mut Option<Waker>) -> Option<Outcome<S, E>> {
        let mut inner = self.inner.lock();
        if inner.outcome.is_none() {
            std::mem::swap(&mut inner.waker, waker);
        }
        inner.outcome.take()
    }
}
