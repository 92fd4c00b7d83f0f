//! Owns asking the database whether it is there, over a pooled connection or a chain's own; leaves showing it to others.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use poolhouse_pool::{Condition, Request};
use tokio::time::{Instant, timeout_at};

use crate::actor::Acquire;
use crate::database::Database;
use crate::error::{Error, TimeoutKind};
use crate::tenant::clock;
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
        self.health_by(Acquire::Queue, LIMIT).await
    }

    pub(crate) async fn health_by(&self, acquire: Acquire, limit: Duration) -> Health {
        let started = Instant::now();
        let deadline = started + limit;
        let result = match timeout_at(deadline, self.round_trip(acquire, deadline)).await {
            Ok(result) => result,
            Err(_) => Err(self.silent(limit)),
        };
        let Err(Error::PoolExhausted {
            message,
            waited,
            size,
            overflow,
            checked_out,
            waiting,
        }) = result
        else {
            return Health::of(self, started, result);
        };
        let none_free = format!(
            "no connection was to be had for a round trip: {checked_out} are lent out and {waiting} callers wait"
        );
        let answered = self.last_answer().filter(|ago| *ago <= LIMIT);
        if let Some(ago) = answered {
            return Health {
                message: format!("{none_free}; another one answered {ago:.1?} ago"),
                ..Health::of(self, started, Ok(String::new()))
            };
        }
        let full = self.maximum().is_some_and(|most| most <= checked_out);
        let error = if full || acquire == Acquire::AtOnce {
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
        } else {
            // There was room for a connection, and it was not opened in time.
            self.silent(waited)
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

    async fn round_trip(&self, acquire: Acquire, deadline: Instant) -> Result<String, Error> {
        let request = Request {
            at_once: acquire == Acquire::AtOnce,
            until: Some(deadline),
            ..Request::default()
        };
        let mut lease = self.own().acquire(self, &request).await?;
        let mut operation = lease
            .operation(Some(&Arc::from("health check")))
            .map_err(|_| self.silent(LIMIT))?;
        let result = operation.ping().await;
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
