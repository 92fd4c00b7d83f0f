//! Owns asking a chain's own connection whether the database is there; leaves asking over another to the database.

use tokio::time::{Instant, timeout_at};

use crate::actor::Actor;
use crate::health::{Health, LIMIT};

use super::{Chain, held_too_long};

impl Chain {
    /// A round trip to the database, made now and bounded to five seconds and the chain's deadline: over the chain's
    /// own connection while it holds one, whatever the state of its transaction; else over another, as
    /// [`Database::health`](crate::Database::health) does, taken as [`Self::set_acquire`] says. Without an answer in
    /// time the chain's connection is closed, and its transaction with it.
    pub async fn health(&mut self, actor: &Actor) -> Health {
        self.notice_loss();
        let started = Instant::now();
        let left = self.deadline.map_or(LIMIT, |deadline| {
            deadline.saturating_duration_since(started)
        });
        if left.is_zero() {
            return Health::of(&self.database, started, Err(self.call_timeout()));
        }
        let limit = left.min(LIMIT);
        let Some(lease) = self.lease.as_mut() else {
            let tenant = self.tenant(actor);
            return self.database.health_by(tenant, self.request(), limit).await;
        };
        let Ok(mut operation) = lease.operation(None) else {
            return Health::of(&self.database, started, Err(held_too_long()));
        };
        let error = match timeout_at(started + limit, operation.ping()).await {
            Ok(Ok(())) => {
                let version = operation.version().to_owned();
                operation.complete();
                self.database.answered();
                return Health::of(&self.database, started, Ok(version));
            }
            Ok(Err(error)) => {
                operation.complete();
                error
            }
            Err(_) => {
                drop(operation);
                self.database.silent(limit)
            }
        };
        self.lose(&error);
        Health::of(&self.database, started, Err(error))
    }
}
