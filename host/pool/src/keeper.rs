//! The pool's one timer: looks when the earliest thing is due, and does nothing while nothing is.

use std::sync::{Arc, Weak};

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::connector::Connector;
use crate::shared::Shared;

/// Without its keeper nobody's wait ends in time: where the task ends before the pool, as with its runtime, the pool
/// is closed to newcomers.
struct Kept<C: Connector>(Weak<Shared<C>>);

impl<C: Connector> Drop for Kept<C> {
    fn drop(&mut self) {
        if let Some(shared) = self.0.upgrade() {
            shared.start_closing();
        }
    }
}

/// Runs until the last handle to the pool is gone.
pub(crate) async fn keep<C: Connector>(pool: Weak<Shared<C>>, rouse: Arc<Notify>) {
    let kept = Kept(pool);
    let Kept(pool) = &kept;
    loop {
        let next = match pool.upgrade() {
            Some(shared) => shared.look(Instant::now()),
            None => return,
        };
        match next {
            Some(at) => {
                tokio::select! {
                    () = sleep_until(at) => {}
                    () = rouse.notified() => {}
                }
            }
            None => rouse.notified().await,
        }
    }
}
