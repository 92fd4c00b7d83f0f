//! Owns the one connection beside the pool, by which statements are cancelled on the server.

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{Connection, Executor};
use tokio::sync::Mutex;
use tracing::{debug, warn};

use crate::url::PostgresTarget;

use super::connect::open;

const APPLICATION: &str = "poolhouse-control";

/// How long a cancel may take, connecting and waiting for another cancel included.
const LIMIT: Duration = Duration::from_secs(2);

/// Cancels statements. Its connection is opened at the first use and dropped at an error.
pub(super) struct Control {
    target: PostgresTarget,
    options: PgConnectOptions,
    connection: Mutex<Option<PgConnection>>,
}

impl Control {
    pub(super) fn new(target: PostgresTarget) -> Self {
        let options = target.options.clone().application_name(APPLICATION);
        Self {
            target,
            options,
            connection: Mutex::new(None),
        }
    }

    /// Asks the server to cancel what this process does. Bounded to two seconds; a failure is logged only, as the
    /// server notices a closed socket by itself, later.
    pub(super) async fn cancel(&self, pid: i32) {
        match tokio::time::timeout(LIMIT, self.try_cancel(pid)).await {
            Ok(Ok(())) => debug!(target: "poolhouse::database", pid, "cancelled a statement"),
            Ok(Err(message)) => {
                warn!(target: "poolhouse::database", pid, message, "could not cancel a statement")
            }
            Err(_) => {
                warn!(target: "poolhouse::database", pid, "could not cancel a statement within 2 s")
            }
        }
    }

    /// Closes the connection, if it is open.
    pub(super) async fn end(&self) {
        let ended = async {
            if let Some(connection) = self.connection.lock().await.take() {
                let _ = connection.close().await;
            }
        };
        let _ = tokio::time::timeout(LIMIT, ended).await;
    }

    async fn try_cancel(&self, pid: i32) -> Result<(), String> {
        let mut held = self.connection.lock().await;
        // Taken out while in use: a dropped or failed cancel leaves none behind.
        let mut connection = match held.take() {
            Some(connection) => connection,
            None => open(&self.target, &self.options)
                .await
                .map_err(|error| error.to_string())?,
        };
        let sql = format!("SELECT pg_cancel_backend({pid})");
        match connection
            .execute(sqlx::raw_sql(sqlx::AssertSqlSafe(sql)))
            .await
        {
            Ok(_) => {
                *held = Some(connection);
                Ok(())
            }
            Err(error) => Err(error.to_string()),
        }
    }
}
