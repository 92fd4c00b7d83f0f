//! The warm instances of one plugin: those that wait for its next calls, the one used last on top, so that those that are not
//! needed any more are at the bottom and grow old there.

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::instance::Running;
use crate::limits::Limits;

/// A bounded stack of instances.
#[derive(Default)]
pub(crate) struct Warm(Mutex<Stack>);

#[derive(Default)]
struct Stack {
    idle: Vec<(Running, Instant)>,
    /// None are kept any more.
    is_closed: bool,
}

impl Warm {
    /// The one that was used last.
    pub(crate) fn take(&self) -> Option<Running> {
        self.0.lock().idle.pop().map(|(running, _)| running)
    }

    /// Keeps an instance, unless there are as many as may be.
    pub(crate) fn keep(&self, running: Running, limits: &Limits) {
        // The time of the tick before would do; asking for it costs less than a tenth of a call.
        let now = Instant::now();
        let mut stack = self.0.lock();
        if !stack.is_closed && stack.idle.len() < limits.warm_instances {
            stack.idle.push((running, now));
        } else {
            drop(stack);
            drop(running);
        }
    }

    /// Drops those that have been idle for as long as they may.
    pub(crate) fn shrink(&self, limits: &Limits) {
        let Some(before) = Instant::now().checked_sub(limits.warm_idle) else {
            return;
        };
        let mut stack = self.0.lock();
        let old = stack.idle.partition_point(|(_, since)| *since <= before);
        let dropped: Vec<_> = stack.idle.drain(..old).collect();
        drop(stack);
        drop(dropped);
    }

    /// Drops them all, and keeps none from now on.
    pub(crate) fn close(&self) {
        let mut stack = self.0.lock();
        stack.is_closed = true;
        let dropped = std::mem::take(&mut stack.idle);
        drop(stack);
        drop(dropped);
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.lock().idle.len()
    }
}
