//! Owns asking the database whether it is there, over a pooled connection; leaves showing it to others.

use std::sync::Arc;
use std::time::Duration;

use poolhouse_pool::Holder;
use tokio::time::Instant;

use crate::database::Database;
use crate::error::{Error, TimeoutKind};
use crate::url::Backend;

/// How long a health check may take.
const LIMIT: Duration = Duration::from_secs(5);

/// What a round trip to the database gave.
#[derive(Clone, Debug)]
pub struct Health {
    /// Whether the round trip succeeded.
    pub up: bool,
    /// Which database it is.
    pub backend: Backend,
    /// The server's own version; empty when down.
    pub version: String,
    /// How long the round trip took, the wait for a connection included.
    pub latency: Duration,
    /// Why it is down, for a person; empty when up.
    pub message: String,
    /// The same as an error, when down.
    pub error: Option<Error>,
}

impl Database {
    /// A round trip over a pooled connection, made now and bounded to five seconds. Cancel-safe.
    pub async fn health(&self) -> Health {
        let started = Instant::now();
        let result = match tokio::time::timeout(LIMIT, self.round_trip(started + LIMIT)).await {
            Ok(result) => result,
            Err(_) => Err(Error::Timeout {
                kind: TimeoutKind::Statement,
                message: format!(
                    "the {} database did not answer within {LIMIT:?}: is it overloaded, or its host gone?",
                    self.backend()
                ),
                limit: LIMIT,
            }),
        };
        let latency = started.elapsed();
        let backend = self.backend();
        match result {
            Ok(version) => Health {
                up: true,
                backend,
                version,
                latency,
                message: String::new(),
                error: None,
            },
            Err(error) => Health {
                up: false,
                backend,
                version: String::new(),
                latency,
                message: error.to_string(),
                error: Some(error),
            },
        }
    }

    async fn round_trip(&self, deadline: Instant) -> Result<String, Error> {
        let holder = Holder {
            name: Arc::from("health"),
            chain: 0,
        };
        let mut lease = self.acquire(&holder, Some(deadline)).await?;
        let mut operation = lease.operation();
        let result = operation.ping().await;
        let version = operation.version().to_owned();
        operation.complete();
        if result.is_err() {
            lease.break_off();
        }
        lease.release().await;
        result.map(|()| version)
    }
}
