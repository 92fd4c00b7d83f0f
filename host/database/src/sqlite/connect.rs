//! Owns opening SQLite files, and saying plainly why one could not be opened.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lru::LruCache;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Row};
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::error::{ConflictKind, Error, UnavailableReason};
use crate::url::SqliteTarget;

use super::authorizer::Authorizer;
use super::{PREPARED, SqliteConnection, errors, session};

/// SQLite's virtual machine looks so often, in its own instructions, whether it was cancelled.
const CANCEL_EVERY: i32 = 1_000;

/// Bytes that SQLite may take from the process.
const HEAP: &str = "536870912";

/// Rows that may wait between SQLite's thread and us.
const ROWS_AHEAD: usize = 256;

/// Between two tries to open a file that somebody else is just opening for the first time.
const RETRY: Duration = Duration::from_millis(20);

/// How long opening waits for others at least, however short `busy_timeout` is: the host's own connections are in one
/// another's way when the last of them is just being closed.
const PATIENCE: Duration = Duration::from_secs(5);

/// Opens connections to one file.
#[derive(Debug)]
pub(crate) struct SqliteConnector {
    path: PathBuf,
    options: SqliteConnectOptions,
    busy_timeout: Duration,
    create: bool,
    /// One at a time: the first one switches the file to WAL, which fails where another is half open.
    opening: Mutex<()>,
}

impl SqliteConnector {
    pub(crate) fn new(target: &SqliteTarget, busy_timeout: Duration) -> Self {
        // What SQLite can count: milliseconds in 31 bits.
        let busy_timeout = busy_timeout.min(Duration::from_millis(i32::MAX.unsigned_abs().into()));
        let mut options = SqliteConnectOptions::new()
            .filename(&target.path)
            .read_only(target.read_only)
            .create_if_missing(target.create)
            .foreign_keys(true)
            .busy_timeout(busy_timeout)
            .row_buffer_size(ROWS_AHEAD)
            // For all connections of the process together: `zeroblob(1000000000)` is a few bytes of SQL.
            .pragma("hard_heap_limit", HEAP)
            .disable_statement_logging();
        if !target.read_only {
            // FULL, so that what was committed is there after the power failed.
            options = options
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full);
        }
        Self {
            path: target.path.clone(),
            options,
            busy_timeout,
            create: target.create,
            opening: Mutex::new(()),
        }
    }

    pub(crate) async fn connect(&self) -> Result<SqliteConnection, Error> {
        let _one = self.opening.lock().await;
        let until = Instant::now() + self.busy_timeout.max(PATIENCE);
        loop {
            match self.try_connect().await {
                Err(Error::Conflict { .. }) if Instant::now() < until => {
                    tokio::time::sleep(RETRY).await
                }
                Err(Error::Conflict { message, .. }) => {
                    return Err(Error::Conflict {
                        kind: ConflictKind::Busy,
                        message: format!(
                            "the SQLite file {} stayed locked: {message}",
                            self.path.display()
                        ),
                    });
                }
                result => return result,
            }
        }
    }

    async fn try_connect(&self) -> Result<SqliteConnection, Error> {
        let refused = |error: sqlx::Error| {
            let code = errors::code(&error);
            let error = errors::failed(error, &self.path).error;
            if matches!(
                &error,
                Error::Unavailable {
                    reason: UnavailableReason::File,
                    ..
                }
            ) {
                self.why(code, error)
            } else {
                error
            }
        };
        let mut inner = self.options.connect().await.map_err(refused)?;
        let cancelled = Arc::new(AtomicBool::new(false));
        {
            let cancelled = Arc::clone(&cancelled);
            inner
                .lock_handle()
                .await
                .map_err(refused)?
                .set_progress_handler(CANCEL_EVERY, move || !cancelled.load(Ordering::Relaxed));
        }
        // Before anything is prepared, for what was prepared before it would have to be so anew.
        let authorizer = Authorizer::install(&mut inner).await.map_err(refused)?;
        let version = sqlx::query("SELECT sqlite_version()")
            .fetch_one(&mut inner)
            .await
            .map_err(refused)?
            .try_get::<String, _>(0)
            .unwrap_or_default();
        let (as_opened, _) = session::state(&mut inner).await.map_err(refused)?;
        Ok(SqliteConnection {
            inner,
            as_opened,
            path: self.path.clone(),
            version,
            busy: false,
            query_only: false,
            read_only: false,
            authorizer,
            cancelled,
            schema_version: None,
            checked_at: std::time::Instant::now(),
            prepared: LruCache::new(PREPARED),
            declared: std::collections::HashMap::new(),
        })
    }

    /// SQLite says only that it can't open the file; the folder usually tells why.
    fn why(&self, code: Option<i32>, error: Error) -> Error {
        let Error::Unavailable {
            reason,
            message,
            outcome_unknown,
        } = error
        else {
            return error;
        };
        let folder = self
            .path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        let advice = if code == Some(errors::NOT_A_DATABASE) {
            "it is another kind of file: correct `url` in [database] / DATABASE_URL".to_owned()
        } else if code == Some(errors::CORRUPT) {
            "restore it from a backup".to_owned()
        } else if code == Some(errors::FULL) {
            "make room on its disk".to_owned()
        } else if is_out_of_files() {
            "the host may open no more files: raise its limit (ulimit -n)".to_owned()
        } else if !folder.exists() {
            format!(
                "its folder {} does not exist: create it, or correct `url` in [database] / DATABASE_URL",
                folder.display()
            )
        } else if !folder.is_dir() {
            format!(
                "{} is not a folder: correct `url` in [database] / DATABASE_URL",
                folder.display()
            )
        } else if self.path.is_dir() {
            "it is a folder: correct `url` in [database] / DATABASE_URL".to_owned()
        } else if !self.path.exists() && !self.create {
            "it does not exist, and mode=ro and mode=rw do not create it".to_owned()
        } else {
            format!(
                "make the file and its folder {} writable for the host's user (SQLite keeps -wal and -shm files beside it)",
                folder.display()
            )
        };
        Error::Unavailable {
            reason,
            message: format!("{message}; {advice}"),
            outcome_unknown,
        }
    }
}

/// Whether the process has as many files open as it may.
fn is_out_of_files() -> bool {
    /// EMFILE, on every Unix.
    const TOO_MANY_OPEN_FILES: i32 = 24;
    std::fs::File::open("/dev/null")
        .is_err_and(|error| error.raw_os_error() == Some(TOO_MANY_OPEN_FILES))
}
