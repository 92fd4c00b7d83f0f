//! Owns one connection of either database behind one set of methods, and opening and closing them for the pool.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use poolhouse_pool::Connector;

use crate::column::{Batch, ColumnInfo};
use crate::error::Error;
use crate::many::Many;
use crate::postgres::{PostgresConnection, PostgresConnector, PostgresCursor};
use crate::session::Session;
use crate::sqlite::{SqliteConnection, SqliteConnector, SqliteCursor};
use crate::statement::{Failed, Ran, Request};
use crate::transaction::TransactionOptions;
use crate::url::{DatabaseUrl, Target};

/// Opens the connections of one database.
#[derive(Debug)]
pub(crate) enum DatabaseConnector {
    Sqlite(Box<SqliteConnector>),
    Postgresql(Box<PostgresConnector>),
}

/// An open connection. A future of its methods that is dropped leaves it busy: it can then only be closed.
#[derive(Debug)]
pub(crate) enum Connection {
    Sqlite(Box<SqliteConnection>),
    Postgresql(Box<PostgresConnection>),
}

/// A cursor in a connection's transaction; it ends with that at the latest.
#[derive(Debug)]
pub(crate) enum Cursor {
    Sqlite(Box<SqliteCursor>),
    Postgresql(Box<PostgresCursor>),
}

/// By what a connection's statement is cancelled from outside.
#[derive(Debug)]
pub(crate) enum ConnectionKey {
    /// Read by SQLite's progress handler.
    Sqlite(Arc<AtomicBool>),
    /// The server's process.
    Postgresql(i32),
}

impl DatabaseConnector {
    pub(crate) fn new(url: &DatabaseUrl, busy_timeout: Duration) -> Self {
        match &url.target {
            Target::Sqlite(target) => {
                Self::Sqlite(Box::new(SqliteConnector::new(target, busy_timeout)))
            }
            Target::Postgresql(target) => {
                Self::Postgresql(Box::new(PostgresConnector::new(target)))
            }
        }
    }
}

impl DatabaseConnector {
    /// Closes what is open beside the pool.
    pub(crate) async fn end(&self) {
        if let Self::Postgresql(connector) = self {
            connector.end().await;
        }
    }
}

impl Connector for DatabaseConnector {
    type Connection = Connection;
    type Key = ConnectionKey;
    type Error = Error;

    async fn connect(&self) -> Result<(Connection, ConnectionKey), Error> {
        Ok(match self {
            Self::Sqlite(connector) => {
                let connection = connector.connect().await?;
                let key = ConnectionKey::Sqlite(connection.canceller());
                (Connection::Sqlite(Box::new(connection)), key)
            }
            Self::Postgresql(connector) => {
                let connection = connector.connect().await?;
                let key = ConnectionKey::Postgresql(connection.pid());
                (Connection::Postgresql(Box::new(connection)), key)
            }
        })
    }

    async fn ping(&self, connection: &mut Connection) -> Result<(), Error> {
        connection.ping().await
    }

    async fn reset(&self, connection: &mut Connection) -> Result<(), Error> {
        match connection {
            Connection::Sqlite(connection) => connection.reset().await,
            Connection::Postgresql(connection) => connection.reset().await,
        }
    }

    async fn cancel(&self, key: &ConnectionKey) {
        match (self, key) {
            (_, ConnectionKey::Sqlite(cancelled)) => cancelled.store(true, Ordering::Relaxed),
            (Self::Postgresql(connector), ConnectionKey::Postgresql(pid)) => {
                connector.cancel(*pid).await;
            }
            // A connector is asked only about what it opened.
            (Self::Sqlite(_), ConnectionKey::Postgresql(_)) => {}
        }
    }

    async fn close(&self, connection: Connection) {
        match (self, connection) {
            (_, Connection::Sqlite(connection)) => connection.close().await,
            (Self::Postgresql(connector), Connection::Postgresql(connection)) => {
                connector.close(*connection).await
            }
            // A connector closes what it opened; another's is closed by dropping it.
            (Self::Sqlite(_), Connection::Postgresql(_)) => {}
        }
    }
}

impl Connection {
    /// The server's own version.
    pub(crate) fn version(&self) -> &str {
        match self {
            Self::Sqlite(connection) => connection.version(),
            Self::Postgresql(connection) => connection.version(),
        }
    }

    /// The names of functions that somebody has added to the database: what may be called by names that look harmless.
    pub(crate) fn added_functions(&self) -> &BTreeSet<String> {
        static NONE: BTreeSet<String> = BTreeSet::new();
        match self {
            Self::Sqlite(_) => &NONE,
            Self::Postgresql(connection) => connection.added_functions(),
        }
    }

    /// A round trip to the database.
    pub(crate) async fn ping(&mut self) -> Result<(), Error> {
        match self {
            Self::Sqlite(connection) => connection.ping().await,
            Self::Postgresql(connection) => connection.ping().await,
        }
    }

    /// Prepares, binds and runs one statement of a plugin's or of ours.
    pub(crate) async fn run(&mut self, request: Request<'_>) -> Result<Ran, Failed> {
        match self {
            Self::Sqlite(connection) => connection.run(request).await,
            Self::Postgresql(connection) => connection.run(request).await,
        }
    }

    /// Sets the session, outside of any transaction, for whoever acts next; nothing happens where it is so already.
    pub(crate) async fn set_for(&mut self, session: &Session) -> Result<(), Failed> {
        match self {
            Self::Sqlite(connection) => connection.set_for(session).await,
            Self::Postgresql(connection) => connection.set_for(session).await,
        }
    }

    /// The pool's number for what the session is set for now.
    pub(crate) fn setting(&self) -> u64 {
        match self {
            Self::Sqlite(connection) => connection.session().setting(),
            Self::Postgresql(connection) => connection.session().setting(),
        }
    }

    /// Takes a role, if it is not taken already, and leaves whether the session only reads as it is: a transaction says
    /// that by itself.
    pub(crate) async fn act_as(&mut self, role: Option<&Arc<str>>) -> Result<(), Failed> {
        match self {
            // It has no roles, and whoever names one has got no further than `set_for`.
            Self::Sqlite(_) => Ok(()),
            Self::Postgresql(connection) => connection.act_as(role).await,
        }
    }

    /// A statement that was run may have changed the session.
    pub(crate) fn doubt_session(&mut self) {
        match self {
            // What can be changed there is looked at by the reset.
            Self::Sqlite(_) => {}
            Self::Postgresql(connection) => connection.doubt_session(),
        }
    }

    /// Runs one statement in a transaction of its own, which may write or not: whatever error it answers, nothing of it
    /// stays.
    pub(crate) async fn run_whole(
        &mut self,
        request: Request<'_>,
        read_only: bool,
    ) -> Result<Ran, Failed> {
        let options = TransactionOptions {
            read_only,
            ..TransactionOptions::default()
        };
        self.begin(&options).await?;
        match self.run(request).await {
            Ok(ran) => self.commit().await.map(|()| ran),
            Err(mut failed) => {
                if !failed.broken {
                    failed.broken = self.rollback().await.is_err();
                }
                Err(failed)
            }
        }
    }

    /// Runs a statement for many rows in a transaction of its own.
    pub(crate) async fn many_whole(
        &mut self,
        many: &Many<'_>,
        read_only: bool,
    ) -> Result<u64, Failed> {
        let options = TransactionOptions {
            read_only,
            ..TransactionOptions::default()
        };
        self.begin(&options).await?;
        match self.many(many).await {
            Ok(changed) => self.commit().await.map(|()| changed),
            Err(mut failed) => {
                if !failed.broken {
                    failed.broken = self.rollback().await.is_err();
                }
                Err(failed)
            }
        }
    }

    /// Runs a statement for many rows in the transaction that is open: after a failure nothing of it is left.
    pub(crate) async fn many_within(&mut self, many: &Many<'_>) -> Result<u64, Failed> {
        self.batch("SAVEPOINT poolhouse_many").await?;
        match self.many(many).await {
            Ok(changed) => {
                self.batch("RELEASE SAVEPOINT poolhouse_many").await?;
                Ok(changed)
            }
            Err(failed) => {
                // It fails where the database has already ended the transaction, which the chain finds out by itself.
                if !failed.broken
                    && let Err(undone) = self.roll_back_to("poolhouse_many").await
                    && undone.broken
                {
                    return Err(undone);
                }
                Err(failed)
            }
        }
    }

    async fn many(&mut self, many: &Many<'_>) -> Result<u64, Failed> {
        match self {
            Self::Sqlite(connection) => connection.many(many).await,
            Self::Postgresql(connection) => connection.many(many).await,
        }
    }

    /// Runs statements of our own that take no parameters and whose rows nobody wants.
    pub(crate) async fn batch(&mut self, sql: &str) -> Result<(), Failed> {
        match self {
            Self::Sqlite(connection) => connection.batch(sql).await,
            Self::Postgresql(connection) => connection.batch(sql).await,
        }
    }

    /// Begins a transaction.
    pub(crate) async fn begin(&mut self, options: &TransactionOptions) -> Result<(), Failed> {
        match self {
            Self::Sqlite(connection) => connection.begin(options).await,
            Self::Postgresql(connection) => connection.begin(options).await,
        }
    }

    /// Ok means committed.
    pub(crate) async fn commit(&mut self) -> Result<(), Failed> {
        match self {
            Self::Sqlite(connection) => connection.commit().await,
            Self::Postgresql(connection) => connection.commit().await,
        }
    }

    /// Rolls the whole transaction back; nothing happens where none is open.
    pub(crate) async fn rollback(&mut self) -> Result<(), Failed> {
        match self {
            Self::Sqlite(connection) => connection.rollback().await,
            Self::Postgresql(connection) => connection.rollback().await,
        }
    }

    /// Undoes everything since a savepoint, and the savepoint itself.
    pub(crate) async fn roll_back_to(&mut self, savepoint: &str) -> Result<(), Failed> {
        match self {
            Self::Sqlite(connection) => {
                let sql =
                    format!("ROLLBACK TO SAVEPOINT {savepoint}; RELEASE SAVEPOINT {savepoint}");
                connection.batch(&sql).await
            }
            Self::Postgresql(connection) => connection.roll_back_to(savepoint).await,
        }
    }

    /// After a failed statement: whether the transaction is still open. SQLite ends it by itself on some errors.
    pub(crate) async fn is_in_transaction(&mut self) -> Result<bool, Failed> {
        match self {
            Self::Sqlite(connection) => connection.is_in_transaction().await,
            Self::Postgresql(_) => Ok(true),
        }
    }

    /// Opens a cursor, `number` in the process, in the transaction that is open.
    pub(crate) async fn declare(
        &mut self,
        number: u64,
        request: &Request<'_>,
    ) -> Result<Cursor, Failed> {
        Ok(match self {
            Self::Sqlite(connection) => {
                Cursor::Sqlite(Box::new(connection.declare(number, request).await?))
            }
            Self::Postgresql(connection) => {
                Cursor::Postgresql(Box::new(connection.declare(number, request).await?))
            }
        })
    }

    /// Reads until the cursor is ready.
    pub(crate) async fn fetch(&mut self, cursor: &mut Cursor) -> Result<(), Failed> {
        match (self, cursor) {
            (Self::Sqlite(connection), Cursor::Sqlite(cursor)) => connection.fetch(cursor).await,
            (Self::Postgresql(connection), Cursor::Postgresql(cursor)) => {
                connection.fetch(cursor).await
            }
            _ => unreachable!("a cursor is the connection's that declared it"),
        }
    }

    /// Takes a cursor away that has neither failed nor ended with its transaction.
    pub(crate) async fn close_cursor(&mut self, cursor: &Cursor) -> Result<(), Failed> {
        match (self, cursor) {
            (Self::Sqlite(connection), Cursor::Sqlite(cursor)) => {
                connection.close_cursor(cursor).await
            }
            (Self::Postgresql(connection), Cursor::Postgresql(cursor)) => {
                connection.close_cursor(cursor).await
            }
            _ => unreachable!("a cursor is the connection's that declared it"),
        }
    }
}

impl Cursor {
    pub(crate) fn infos(&self) -> &[ColumnInfo] {
        match self {
            Self::Sqlite(cursor) => cursor.infos(),
            Self::Postgresql(cursor) => cursor.infos(),
        }
    }

    /// Whether the next batch, the end or an error is known without asking the database.
    pub(crate) fn is_ready(&self) -> bool {
        match self {
            Self::Sqlite(cursor) => cursor.is_ready(),
            Self::Postgresql(cursor) => cursor.is_ready(),
        }
    }

    /// What is known without asking the database; none at the end.
    pub(crate) fn ready(&mut self) -> Result<Option<Batch>, Error> {
        match self {
            Self::Sqlite(cursor) => cursor.ready(),
            Self::Postgresql(cursor) => cursor.ready(),
        }
    }

    /// Whether the database refused to go on, and with that its transaction.
    pub(crate) fn is_failed(&self) -> bool {
        match self {
            Self::Sqlite(_) => false,
            Self::Postgresql(cursor) => cursor.is_failed(),
        }
    }
}
