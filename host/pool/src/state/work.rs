//! What a change to the state leaves to be done once the lock is free; decides nothing.

use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use smallvec::SmallVec;

use crate::error::Cause;
use crate::stats::Condition;

use super::Why;

/// A connection on its way out of the pool.
pub(crate) struct Discarded<S> {
    pub(crate) slot: S,
    pub(crate) id: u64,
    pub(crate) why: Why,
}

/// A lease that is held for too long.
pub(crate) struct Overdue<S> {
    pub(crate) slot: S,
    pub(crate) key: usize,
    pub(crate) id: u64,
    pub(crate) tenant: Arc<str>,
    pub(crate) chain: u64,
    pub(crate) held: Duration,
    /// Until it is revoked, if it ever is.
    pub(crate) left: Option<Duration>,
    /// Past its deadline, and not only past the time to warn: it is revoked.
    pub(crate) revoked: bool,
}

/// What is to be done after the lock is released.
#[must_use]
pub(crate) struct Work<S, E> {
    pub(crate) wakers: SmallVec<[Waker; 2]>,
    pub(crate) closing: Vec<Discarded<S>>,
    pub(crate) overdue: Vec<Overdue<S>>,
    /// Connections to open, each counted as connecting already.
    pub(crate) connects: u32,
    /// The number of the last of them.
    pub(crate) attempt: u64,
    pub(crate) generation: u64,
    /// What the pool's condition has become, and why, if it has changed.
    pub(crate) turned: Option<(Condition, Option<Cause<E>>)>,
    /// Whether the pool's keeper must look earlier than it meant to.
    pub(crate) rouse: bool,
    /// Whether the pool is closed and its last connection gone.
    pub(crate) drained: bool,
}

impl<S, E> Work<S, E> {
    pub(crate) fn new() -> Self {
        Self {
            wakers: SmallVec::new(),
            closing: Vec::new(),
            overdue: Vec::new(),
            connects: 0,
            attempt: 0,
            generation: 0,
            turned: None,
            rouse: false,
            drained: false,
        }
    }

    /// As after most changes.
    pub(crate) fn is_nothing(&self) -> bool {
        self.wakers.is_empty()
            && self.closing.is_empty()
            && self.overdue.is_empty()
            && self.connects == 0
            && self.turned.is_none()
            && !self.rouse
            && !self.drained
    }
}
