//! The pool's one timer: looks when the earliest thing is due, and does nothing while nothing is.

use std::sync::{Arc, Weak};

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::connector::Connector;
use crate::shared::Shared;

/// Runs until the last handle to the pool is gone.
pub(crate) async fn keep<C: Connector>(pool: Weak<Shared<C>>, rouse: Arc<Notify>) {
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
