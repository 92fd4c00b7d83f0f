//! Owns opening and closing PostgreSQL connections, and saying plainly why one could not be opened.

use std::time::Duration;

use lru::LruCache;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{ConnectOptions, Connection as _, Executor, Row, ValueRef};

use crate::error::Error;
use crate::url::PostgresTarget;

use super::control::Control;
use super::prepared::{KEPT, KNOWN};
use super::session::Remembered;
use super::{PostgresConnection, added, errors};

/// The name by which `pg_stat_activity` shows the pool's connections.
const APPLICATION: &str = "poolhouse";

/// How long saying goodbye may take.
const GOODBYE: Duration = Duration::from_secs(1);

/// How many statements were prepared by SQL, which only a reconnect would take away surely, and how many by the driver.
const PREPARED: &str = "SELECT count(*) FILTER (WHERE from_sql), count(*) FILTER (WHERE NOT from_sql) FROM pg_prepared_statements";

/// Opens connections to one server as one user.
pub(crate) struct PostgresConnector {
    target: PostgresTarget,
    control: Control,
}

impl std::fmt::Debug for PostgresConnector {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("PostgresConnector")
            .field("place", &self.target.place)
            .finish_non_exhaustive()
    }
}

impl PostgresConnector {
    pub(crate) fn new(target: &PostgresTarget) -> Self {
        let mut target = target.clone();
        target.options = target
            .options
            .application_name(APPLICATION)
            .statement_cache_capacity(KEPT);
        let control = Control::new(target.clone());
        Self { target, control }
    }

    pub(crate) async fn connect(&self) -> Result<PostgresConnection, Error> {
        let mut inner = open(&self.target, &self.target.options).await?;
        let refused = |error| errors::failed(error, &self.target.place).error;
        let row = inner
            .fetch_one(sqlx::raw_sql(
                "SELECT pg_backend_pid(), current_setting('server_version')",
            ))
            .await
            .map_err(refused)?;
        let text = |at: usize| {
            row.try_get_raw(at)
                .ok()
                .filter(|value| !value.is_null())
                .and_then(|value| value.as_str().ok().map(str::to_owned))
        };
        let pid = text(0).and_then(|pid| pid.parse().ok()).unwrap_or(0);
        let version = text(1).unwrap_or_default();
        let server = inner.server_version_num().unwrap_or(0);
        let settings = session_settings(server);
        let seed = random_seed(server);
        inner
            .execute(sqlx::raw_sql(sqlx::AssertSqlSafe(settings)))
            .await
            .map_err(refused)?;
        let added = added::functions(&mut inner).await.map_err(refused)?;
        Ok(PostgresConnection {
            added,
            reset: format!(
                "ROLLBACK; CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ROLE; RESET ALL; UNLISTEN *; SELECT pg_advisory_unlock_all(); DISCARD TEMP; DISCARD SEQUENCES; {seed}{settings}; {PREPARED}"
            ),
            inner,
            session: Remembered::default(),
            busy: false,
            pid,
            version,
            place: self.target.place.clone(),
            prepared: LruCache::new(KNOWN),
        })
    }

    /// Closes the control connection; it would be opened again when needed.
    pub(crate) async fn end(&self) {
        self.control.end().await;
    }

    /// Ends the statement that a server's process runs.
    pub(crate) async fn cancel(&self, pid: i32) {
        if pid != 0 {
            self.control.cancel(pid).await;
        }
    }

    /// Closes a connection; one with a statement under way is cancelled on the server first.
    pub(crate) async fn close(&self, connection: PostgresConnection) {
        if connection.busy {
            self.cancel(connection.pid).await;
        }
        // Whether the goodbye arrives or not, the socket is closed when this returns.
        let _ = tokio::time::timeout(GOODBYE, connection.inner.close()).await;
    }
}

/// Connects, with libpq's second try for `sslmode=allow`.
pub(super) async fn open(
    target: &PostgresTarget,
    options: &PgConnectOptions,
) -> Result<PgConnection, Error> {
    let first = options.connect().await;
    let result = match first {
        // 28000: no entry in pg_hba.conf for a connection without TLS.
        Err(error) if target.tls_second && errors::sqlstate(&error).as_deref() == Some("28000") => {
            options.clone().ssl_mode(PgSslMode::Require).connect().await
        }
        other => other,
    };
    result.map_err(|error| errors::connect(&error, target))
}

/// What every session has, beyond the server's defaults. Notices would only tell of our own resets.
fn session_settings(server: u32) -> &'static str {
    if server >= 140_000 {
        "SELECT set_config('client_min_messages', 'error', false), set_config('standard_conforming_strings', 'on', false), set_config('client_connection_check_interval', '1s', false)"
    } else {
        "SELECT set_config('client_min_messages', 'error', false), set_config('standard_conforming_strings', 'on', false)"
    }
}

/// RESET leaves `setseed` as it is; who called it could foresee what `random()` tells the next one.
fn random_seed(server: u32) -> &'static str {
    if server >= 130_000 {
        "SELECT setseed(('x' || left(gen_random_uuid()::text, 8))::bit(32)::int / 2147483648.0); "
    } else {
        ""
    }
}
