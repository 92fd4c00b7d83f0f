//! Owns the one database of the host: its pool, its statements' footprints and its settings; leaves work on it to `chain`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use poolhouse_pool::{AcquireError, Cause, Exhausted, Pool, Quota, QuotaError, Stats};
use tokio::time::Instant;

use crate::connection::DatabaseConnector;
use crate::error::{Error, LimitKind, UnavailableReason};
use crate::footprint::Footprints;
use crate::tenant::Tenant;
use crate::url::{Backend, DatabaseUrl, Target};

/// The tenant in whose name the host itself asks for connections.
/// Not what a plugin's file can be called.
const OWN: &str = "/host";

/// A database and the pool of its connections. Clones share both.
#[derive(Clone, Debug)]
pub struct Database {
    inner: Arc<Inner>,
}

/// How to open a database.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where it is.
    pub url: DatabaseUrl,
    /// The pool's own settings.
    pub pool: poolhouse_pool::Options,
    /// How long a statement waits on SQLite for another writer; 5 s by default.
    pub busy_timeout: Duration,
    /// Log every statement with its time, rows and holder.
    pub echo: bool,
}

struct Inner {
    pool: Pool<DatabaseConnector>,
    own: Tenant,
    footprints: Footprints,
    url: DatabaseUrl,
    echo: bool,
    /// How long a BEGIN may wait for another writer; zero where the database has no such wait.
    busy_timeout: Duration,
    opened: Instant,
    /// When a connection last answered, in milliseconds since `opened` and one more; 0 is never.
    answered: AtomicU64,
}

impl Settings {
    /// The defaults for a database.
    #[must_use]
    pub fn new(url: DatabaseUrl) -> Self {
        Self {
            url,
            pool: poolhouse_pool::Options::default(),
            busy_timeout: Duration::from_secs(5),
            echo: false,
        }
    }
}

impl Database {
    /// Makes the pool. No connection is opened yet, so a server that is down shows at the first statement or by
    /// [`Self::health`]. To be called inside a tokio runtime.
    ///
    /// # Errors
    /// `Unavailable` where the call is outside a tokio runtime.
    pub fn open(settings: Settings) -> Result<Self, Error> {
        if tokio::runtime::Handle::try_current().is_err() {
            return Err(Error::unavailable(
                UnavailableReason::Other,
                "a database is opened inside a tokio runtime",
            ));
        }
        let connector = DatabaseConnector::new(&settings.url, settings.busy_timeout);
        let busy_timeout = match settings.url.backend() {
            Backend::Sqlite => settings.busy_timeout,
            Backend::Postgresql => Duration::ZERO,
        };
        let pool = Pool::new(connector, settings.pool);
        let own = match pool.tenant(OWN, Quota::default()) {
            Ok(own) => Tenant::new(own),
            Err(
                QuotaError::Zero
                | QuotaError::ReservedOverMax { .. }
                | QuotaError::Overbooked { .. },
            ) => unreachable!("a quota that limits and reserves nothing can always be kept"),
        };
        let inner = Inner {
            pool,
            own,
            footprints: Footprints::new(settings.url.backend()),
            url: settings.url,
            echo: settings.echo,
            busy_timeout,
            opened: Instant::now(),
            answered: AtomicU64::new(0),
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// Which database it is.
    #[must_use]
    pub fn backend(&self) -> Backend {
        self.inner.url.backend()
    }

    /// Where it is; shown without the password.
    #[must_use]
    pub fn url(&self) -> &DatabaseUrl {
        &self.inner.url
    }

    /// The most connections at once (`pool_size` + `max_overflow`); none = no limit.
    #[must_use]
    pub fn maximum_connections(&self) -> Option<u32> {
        self.inner.pool.options().maximum()
    }

    /// How long a caller waits for a connection (`pool_timeout`).
    #[must_use]
    pub fn pool_timeout(&self) -> Duration {
        self.inner.pool.options().pool_timeout
    }

    /// Changes `pool_size` and `max_overflow`; what is lent over them is closed when it comes back.
    ///
    /// # Errors
    /// `Limit` where more is reserved for plugins than would be left.
    pub fn resize(&self, pool_size: u32, max_overflow: i32) -> Result<(), Error> {
        self.inner
            .pool
            .resize(pool_size, max_overflow)
            .map_err(|error| Error::Limit {
                kind: LimitKind::Connections,
                message: error.to_string(),
                maximum: self.maximum().map_or(u64::MAX, u64::from),
            })
    }

    /// Lends no connection until [`Self::resume`]: callers wait, within their time.
    pub fn pause(&self) {
        self.inner.pool.pause();
    }

    /// Ends a pause.
    pub fn resume(&self) {
        self.inner.pool.resume();
    }

    /// The pool's counts now.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.inner.pool.stats()
    }

    /// Refuses new work, waits for the old up to `deadline` and closes; answers how many connections were still out.
    pub async fn close(&self, deadline: Duration) -> u32 {
        let left = self.inner.pool.close(deadline).await;
        self.inner.pool.connector().end().await;
        left
    }

    pub(crate) fn footprints(&self) -> &Footprints {
        &self.inner.footprints
    }

    pub(crate) fn echo(&self) -> bool {
        self.inner.echo
    }

    pub(crate) fn busy_timeout(&self) -> Duration {
        self.inner.busy_timeout
    }

    /// The most connections ever open at once; none where that is not limited.
    pub(crate) fn maximum(&self) -> Option<u32> {
        self.inner.pool.options().maximum()
    }

    /// Notes that a connection has just answered.
    pub(crate) fn answered(&self) {
        let since = self.inner.opened.elapsed().as_millis();
        let stamp = u64::try_from(since).unwrap_or(u64::MAX).saturating_add(1);
        self.inner.answered.fetch_max(stamp, Ordering::Relaxed);
    }

    /// How long ago a connection last answered.
    pub(crate) fn last_answer(&self) -> Option<Duration> {
        let stamp = self.inner.answered.load(Ordering::Relaxed).checked_sub(1)?;
        Some(
            self.inner
                .opened
                .elapsed()
                .saturating_sub(Duration::from_millis(stamp)),
        )
    }

    pub(crate) fn retire_generation(&self) {
        self.inner.pool.retire_generation();
    }

    pub(crate) fn pool(&self) -> &Pool<DatabaseConnector> {
        &self.inner.pool
    }

    /// In whose name the host itself asks for connections.
    pub(crate) fn own(&self) -> &Tenant {
        &self.inner.own
    }

    pub(crate) fn refused(&self, error: AcquireError<Error>) -> Error {
        let exhausted = match error {
            AcquireError::Connect(cause) => return self.trouble(&cause),
            AcquireError::Closed => {
                return Error::unavailable(
                    UnavailableReason::NotReady,
                    "the database's pool is closed: the host is stopping",
                );
            }
            AcquireError::Exhausted(exhausted) => *exhausted,
        };
        if let Some(max) = exhausted.at_max {
            let tenant = &exhausted.tenant;
            return Error::Limit {
                kind: LimitKind::Connections,
                message: format!(
                    "plugin \"{tenant}\" already holds the {max} connections it may (limit `connections`)"
                ),
                maximum: u64::from(max),
            };
        }
        let Exhausted {
            waited,
            size,
            max_overflow,
            overflow,
            checked_out,
            connecting,
            waiting,
            pool_timeout,
            ..
        } = exhausted;
        let mut message = if exhausted.paused {
            format!("no connection was lent within {waited:.1?}: the pool is paused")
        } else {
            let none = if exhausted.at_once {
                "no connection is free at once, and a call chain that holds one does not wait for another".to_owned()
            } else {
                format!("no connection became free within {waited:.1?}")
            };
            format!(
                "{none}: {checked_out} are lent out and {connecting} being opened (pool_size {size}, max_overflow {max_overflow}, {overflow} open beyond pool_size), and {waiting} callers wait; hold transactions for less time, or raise pool_size, max_overflow or pool_timeout ({pool_timeout:?}) in [database]"
            )
        };
        if let Some(cause) = &exhausted.cause {
            message.push_str(&format!("; no more can be opened: {}", self.trouble(cause)));
        }
        Error::PoolExhausted {
            message,
            waited,
            size,
            overflow,
            checked_out,
            waiting,
        }
    }

    /// Why connections can't be had, as an error.
    pub(crate) fn trouble(&self, cause: &Cause<Error>) -> Error {
        let silent = |what: &str, limit: Duration| {
            let place = match &self.inner.url.target {
                Target::Sqlite(target) => format!("the SQLite file {}", target.path.display()),
                Target::Postgresql(target) => format!("PostgreSQL at {}", target.place),
            };
            Error::unavailable(
                UnavailableReason::Unreachable,
                format!(
                    "cannot reach {place} (no answer within {what}, {limit:?}): is the server running, and is `url` in [database] / DATABASE_URL right?"
                ),
            )
        };
        match cause {
            Cause::Refused(error) | Cause::Broken(error) => (**error).clone(),
            Cause::TimedOut(limit) => silent("connect_timeout", *limit),
            Cause::Silent(limit) => silent("ping_timeout", *limit),
            Cause::Panicked => Error::unavailable(
                UnavailableReason::Other,
                "a connection could not be opened: the driver panicked, which is a fault in it or in the host; the log has more",
            ),
        }
    }
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Inner")
            .field("url", &self.url)
            .field("echo", &self.echo)
            .finish_non_exhaustive()
    }
}
