//! Owns asking the database whether it is there, over a pooled connection or a chain's own; leaves showing it to others.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use poolhouse_pool::{Condition, Request};
use tokio::time::{Instant, timeout_at};

use crate::database::Database;
use crate::error::{Error, TimeoutKind};
use crate::tenant::{Tenant, clock};
use crate::url::Backend;

/// How long a health check may take.
pub(crate) const LIMIT: Duration = Duration::from_secs(5);

/// What a round trip to the database gave.
#[derive(Clone, Debug)]
pub struct Health {
    /// Whether the round trip succeeded; where no connection was free for one, whether another connection answered
    /// within the last five seconds.
    pub up: bool,
    /// Up, or degraded where the round trip succeeded though the pool has trouble with opening connections, or down.
    pub condition: Condition,
    /// Since when that is so.
    pub since: SystemTime,
    /// Which database it is.
    pub backend: Backend,
    /// The server's own version; empty where no round trip succeeded.
    pub version: String,
    /// How long the round trip took, the wait for a connection included.
    pub latency: Duration,
    /// Why it is down, or degraded, or up without a round trip, for a person; else empty.
    pub message: String,
    /// Why it is down, as an error; none when up.
    pub error: Option<Error>,
}

impl Health {
    /// What a round trip that began at `started` says.
    pub(crate) fn of(database: &Database, started: Instant, result: Result<String, Error>) -> Self {
        let (up, version, error) = match result {
            Ok(version) => (true, version, None),
            Err(error) => (false, String::new(), Some(error)),
        };
        let pool = database.pool_health();
        let condition = match (up, pool.condition) {
            (true, Condition::Up) => Condition::Up,
            (true, Condition::Degraded | Condition::Down) => Condition::Degraded,
            (false, _) => Condition::Down,
        };
        Self {
            up,
            condition,
            since: if condition == pool.condition {
                pool.since
            } else {
                clock(started)
            },
            backend: database.backend(),
            version,
            latency: started.elapsed(),
            message: error.as_ref().map_or(pool.message, ToString::to_string),
            error,
        }
    }
}

impl Database {
    /// A round trip over a pooled connection, made now and bounded to five seconds. Where all are lent out, others'
    /// answers tell whether the database is up. Cancel-safe.
    pub async fn health(&self) -> Health {
        self.health_by(self.own(), Request::default(), LIMIT).await
    }

    pub(crate) async fn health_by(
        &self,
        tenant: &Tenant,
        request: Request,
        limit: Duration,
    ) -> Health {
        let started = Instant::now();
        let request = Request {
            until: Some(started + limit),
            ..request
        };
        let none_free = match self.round_trip(tenant, &request, limit).await {
            Err(error @ (Error::PoolExhausted { .. } | Error::Limit { .. })) => error,
            result => return Health::of(self, started, result),
        };
        if let Some(ago) = self.last_answer().filter(|ago| *ago <= LIMIT) {
            return Health {
                message: format!(
                    "no connection was to be had for a round trip ({none_free}); another one answered {ago:.1?} ago"
                ),
                ..Health::of(self, started, Ok(String::new()))
            };
        }
        let error = match none_free {
            Error::PoolExhausted {
                message,
                waited,
                size,
                overflow,
                checked_out,
                waiting,
            } if request.at_once || self.maximum().is_some_and(|most| most <= checked_out) => {
                Error::PoolExhausted {
                    message: format!(
                        "whether the database is up is not known: none has answered within {LIMIT:?}, and {message}"
                    ),
                    waited,
                    size,
                    overflow,
                    checked_out,
                    waiting,
                }
            }
            // There was room for a connection, and it was not opened in time.
            Error::PoolExhausted { waited, .. } => self.silent(waited),
            at_its_limit => at_its_limit,
        };
        Health::of(self, started, Err(error))
    }

    /// What is said of a database that gave no answer in time.
    pub(crate) fn silent(&self, limit: Duration) -> Error {
        Error::Timeout {
            kind: TimeoutKind::Statement,
            message: format!(
                "the {} database did not answer within {limit:.1?}: is it overloaded, or its host gone?",
                self.backend()
            ),
            limit,
        }
    }

    async fn round_trip(
        &self,
        tenant: &Tenant,
        request: &Request,
        limit: Duration,
    ) -> Result<String, Error> {
        let mut lease = tenant.acquire(self, request).await?;
        let mut operation = lease
            .operation(Some(&Arc::from("health check")))
            .map_err(|_| self.silent(limit))?;
        let until = request.until.unwrap_or_else(Instant::now);
        let Ok(result) = timeout_at(until, operation.ping()).await else {
            return Err(self.silent(limit));
        };
        let version = operation.version().to_owned();
        operation.complete();
        match &result {
            Ok(()) => self.answered(),
            Err(error) => lease.break_off(error.clone()),
        }
        lease.release().await;
        result.map(|()| version)
    }
}
