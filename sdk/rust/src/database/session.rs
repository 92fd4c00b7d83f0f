//! Sessions, transactions and cursors: the contract's handles with rows and Rust's closures around them.

use std::rc::Rc;

use crate::bindings::imports::poolhouse::database::{database as contract, types};
use crate::database::{Column, ColumnInfo, Error, Isolation, Row, Rows, TransactionOptions, Value};

/// A way to the database. It holds no connection between statements: each takes one, commits by itself and gives
/// it back, so a session may be kept as long as one likes.
#[derive(Debug)]
pub struct Session(contract::Session);

/// An open transaction, or a savepoint inside one; [`Session::transaction`] and [`Transaction::savepoint`] lend it.
#[derive(Debug)]
pub struct Transaction(contract::Transaction);

/// An open result that is read batch by batch; dropping it cancels the rest.
#[derive(Debug)]
pub struct Cursor {
    cursor: contract::Cursor,
    infos: Rc<[ColumnInfo]>,
}

impl Default for TransactionOptions {
    /// The database's own isolation, reading and writing, until the call's deadline.
    fn default() -> Self {
        Self {
            isolation: Isolation::Default,
            read_only: false,
            timeout: None,
        }
    }
}

impl Session {
    /// A session on the call chain's own connection: where a caller has a transaction open, the work joins it.
    ///
    /// # Errors
    /// The plugin has no grant, or the host has no room for another handle.
    pub fn open() -> Result<Self, Error> {
        Ok(Self(contract::Session::open(contract::Sharing::Shared)?))
    }

    /// A session on a connection of its own, for what must survive the caller's rollback. While the call chain holds a
    /// connection it never queues: it is served at once or refused.
    ///
    /// # Errors
    /// The plugin has no grant, or the host has no room for another handle.
    pub fn separate() -> Result<Self, Error> {
        Ok(Self(contract::Session::open(contract::Sharing::Separate)?))
    }

    /// Runs `work` in a transaction, or in a savepoint where the chain has a transaction open: committed if it answers
    /// `Ok`, rolled back if `Err`.
    ///
    /// # Errors
    /// What `work` answered, or that the transaction could not begin or commit.
    pub fn transaction<T, E: From<Error>>(
        &self,
        work: impl FnOnce(&Transaction) -> Result<T, E>,
    ) -> Result<T, E> {
        self.transaction_with(TransactionOptions::default(), work)
    }

    /// [`transaction`](Self::transaction) with an isolation level, read-only, or with a timeout.
    ///
    /// # Errors
    /// What `work` answered, or that the transaction could not begin or commit.
    pub fn transaction_with<T, E: From<Error>>(
        &self,
        options: TransactionOptions,
        work: impl FnOnce(&Transaction) -> Result<T, E>,
    ) -> Result<T, E> {
        let tx = self.0.begin(options).map_err(Error::from)?;
        finish(Transaction(tx), work)
    }
}

impl Transaction {
    /// Runs `work` in a savepoint: kept if it answers `Ok`, rolled back to here if `Err`. The transaction itself is not
    /// to be used meanwhile.
    ///
    /// # Errors
    /// What `work` answered, or that the savepoint could not be made or kept.
    pub fn savepoint<T, E: From<Error>>(
        &self,
        work: impl FnOnce(&Transaction) -> Result<T, E>,
    ) -> Result<T, E> {
        let savepoint = self.0.savepoint().map_err(Error::from)?;
        finish(Transaction(savepoint), work)
    }
}

fn finish<T, E: From<Error>>(
    tx: Transaction,
    work: impl FnOnce(&Transaction) -> Result<T, E>,
) -> Result<T, E> {
    match work(&tx) {
        Ok(done) => {
            contract::Transaction::commit(tx.0).map_err(Error::from)?;
            Ok(done)
        }
        Err(error) => {
            // A rollback that fails has lost the connection and the work with it: `error` still is what matters.
            let _lost = contract::Transaction::rollback(tx.0);
            Err(error)
        }
    }
}

/// The statements that sessions and transactions have alike.
macro_rules! statements {
    ($handle:ty) => {
        impl $handle {
            /// Runs a statement and answers all its rows.
            ///
            /// # Errors
            /// The host's error; more rows or bytes than the plugin's limit are one, never a part of the rows.
            pub fn query(&self, sql: &str, params: &[Value]) -> Result<Rows, Error> {
                Ok(self.0.query(sql, params)?.into())
            }

            /// Runs a statement and answers the number of rows it changed.
            ///
            /// # Errors
            /// The host's error.
            pub fn execute(&self, sql: &str, params: &[Value]) -> Result<u64, Error> {
                Ok(self.0.execute(sql, params)?)
            }

            /// Runs one statement once for each row of `columns`, one column for each parameter, all of it or
            /// nothing, and answers the sum of the rows changed.
            ///
            /// # Errors
            /// The host's error.
            pub fn execute_many(&self, sql: &str, columns: &[Column]) -> Result<u64, Error> {
                Ok(self.0.execute_many(sql, columns)?)
            }

            /// Opens a cursor. Outside a transaction it holds a connection of its own until it is dropped.
            ///
            /// # Errors
            /// The host's error.
            pub fn cursor(&self, sql: &str, params: &[Value]) -> Result<Cursor, Error> {
                let cursor = self.0.open_cursor(sql, params)?;
                let infos = cursor.columns().into();
                Ok(Cursor { cursor, infos })
            }

            /// Runs a query and hands each row to `visit`: in one answer where that is within the plugin's limits,
            /// through a cursor where it is not. A query that changes rows is not for it, for it may run twice.
            ///
            /// # Errors
            /// What `visit` answered, which ends it, or the host's error; where no cursor is to be had, the limit.
            pub fn each<E: From<Error>>(
                &self,
                sql: &str,
                params: &[Value],
                mut visit: impl FnMut(Row<'_>) -> Result<(), E>,
            ) -> Result<(), E> {
                match self.query(sql, params) {
                    Ok(rows) => rows.iter().try_for_each(visit),
                    Err(error) if error.is_too_large() => {
                        let cursor = match self.cursor(sql, params) {
                            // A host without cursors, or a query that can't have one: the limit is what matters.
                            Err(Error::Database(types::Error::Invalid(_))) => {
                                return Err(error.into());
                            }
                            cursor => cursor?,
                        };
                        while let Some(rows) = cursor.next()? {
                            rows.iter().try_for_each(&mut visit)?;
                        }
                        Ok(())
                    }
                    Err(error) => Err(error.into()),
                }
            }
        }
    };
}

statements!(Session);
statements!(Transaction);

impl Cursor {
    /// What the database says of the columns.
    pub fn columns(&self) -> &[ColumnInfo] {
        &self.infos
    }

    /// The next rows, at most the plugin's limit; none at the end.
    ///
    /// # Errors
    /// The host's error.
    pub fn next(&self) -> Result<Option<Rows>, Error> {
        let batch = self.cursor.next()?;
        Ok(batch.map(|batch| Rows::new(Rc::clone(&self.infos), batch)))
    }
}
