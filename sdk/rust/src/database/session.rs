//! Sessions and transactions: the contract's handles with rows and Rust's closures around them.

use std::cell::{Cell, OnceCell};
use std::rc::Rc;
use std::time::Duration;

use crate::bindings::imports::poolhouse::database::{database as contract, types};
use crate::database::cursor::HostBatches;
use crate::database::scope::{self, Scope};
use crate::database::statements::statements_of;
use crate::database::{
    Column, Cursor, Error, FromCell, FromRow, Isolation, Row, Rows, Statements, TransactionOptions,
    Value,
};

/// A way to the database. It holds no connection between statements: each takes one, commits by itself and gives
/// it back, so a session may be kept as long as one likes.
#[derive(Debug)]
pub struct Session(contract::Session);

/// An open transaction, or a savepoint inside one; [`Session::transaction`] and [`Transaction::savepoint`] lend it.
#[derive(Debug)]
pub struct Transaction {
    handle: contract::Transaction,
    /// Whether a statement of it, or of a savepoint in it, met a conflict.
    met_conflict: Rc<Cell<bool>>,
}

/// The session of [`database::session`](crate::database::session): its first statement begins a transaction.
#[derive(Debug)]
pub struct ScopedSession {
    session: Session,
    options: TransactionOptions,
    transaction: OnceCell<Transaction>,
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

/// ```
/// use poolhouse::database::{Isolation, TransactionOptions};
/// use std::time::Duration;
///
/// let options = TransactionOptions::default()
///     .isolation(Isolation::Serializable)
///     .read_only()
///     .timeout(Duration::from_millis(250));
/// assert_eq!(options.timeout, Some(250_000));
/// ```
impl TransactionOptions {
    /// With that isolation level.
    pub fn isolation(self, isolation: Isolation) -> Self {
        Self { isolation, ..self }
    }

    /// Writes are refused by the database.
    pub fn read_only(self) -> Self {
        Self {
            read_only: true,
            ..self
        }
    }

    /// From its beginning to its commit, to the microsecond; past it every statement answers a timeout, and the
    /// transaction is rolled back.
    pub fn timeout(self, timeout: Duration) -> Self {
        Self {
            timeout: Some(u64::try_from(timeout.as_micros()).unwrap_or(u64::MAX)),
            ..self
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
        scope::run(self.begin(options)?, work)
    }

    /// [`transaction_with`](Self::transaction_with), run again from its start when somebody else's work was in the way:
    /// `attempts` times in all, without a pause between. It is for work that does nothing outside the transaction, and
    /// for a call that no caller's transaction is around: that one would have to be run again whole, so the conflict
    /// is answered.
    ///
    /// # Errors
    /// What `work` answered last, or that a transaction could not begin or commit. A commit whose outcome is unknown is
    /// never run again.
    pub fn transaction_retrying_conflicts<T, E: From<Error>>(
        &self,
        attempts: u32,
        options: TransactionOptions,
        work: impl FnMut(&Transaction) -> Result<T, E>,
    ) -> Result<T, E> {
        scope::run_retrying_conflicts(attempts, || self.begin(options), work)
    }

    fn begin(&self, options: TransactionOptions) -> Result<Transaction, Error> {
        Ok(Transaction {
            handle: self.0.begin(options)?,
            met_conflict: Rc::default(),
        })
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
        let savepoint = Self {
            handle: self.noted(self.handle.savepoint())?,
            met_conflict: Rc::clone(&self.met_conflict),
        };
        scope::run(savepoint, work)
    }

    fn noted<T>(&self, result: Result<T, types::Error>) -> Result<T, Error> {
        result.map_err(|error| {
            let error = Error::from(error);
            self.met_conflict
                .set(self.met_conflict.get() || error.is_conflict());
            error
        })
    }
}

impl Scope for Transaction {
    fn commit(self) -> Result<(), Error> {
        Ok(contract::Transaction::commit(self.handle)?)
    }

    fn roll_back(self) {
        // A rollback that fails has lost the connection and the work with it: why it was rolled back still is what
        // matters.
        let _lost = contract::Transaction::rollback(self.handle);
    }

    fn met_conflict(&self) -> bool {
        self.met_conflict.get()
    }
}

impl ScopedSession {
    pub(super) fn new(session: Session, options: TransactionOptions) -> Self {
        Self {
            session,
            options,
            transaction: OnceCell::new(),
        }
    }

    /// The session's transaction, begun if no statement has done so.
    ///
    /// # Errors
    /// It could not begin.
    pub fn transaction(&self) -> Result<&Transaction, Error> {
        if let Some(transaction) = self.transaction.get() {
            return Ok(transaction);
        }
        let transaction = self.session.begin(self.options)?;
        Ok(self.transaction.get_or_init(|| transaction))
    }

    /// Runs `work` in a savepoint of the session's transaction: see [`Transaction::savepoint`].
    ///
    /// # Errors
    /// What `work` answered, or that the savepoint could not be made or kept.
    pub fn savepoint<T, E: From<Error>>(
        &self,
        work: impl FnOnce(&Transaction) -> Result<T, E>,
    ) -> Result<T, E> {
        self.transaction()?.savepoint(work)
    }
}

impl Scope for ScopedSession {
    fn commit(self) -> Result<(), Error> {
        self.transaction
            .into_inner()
            .map_or(Ok(()), Transaction::commit)
    }

    fn roll_back(self) {
        if let Some(transaction) = self.transaction.into_inner() {
            transaction.roll_back();
        }
    }

    fn met_conflict(&self) -> bool {
        self.transaction
            .get()
            .is_some_and(Transaction::met_conflict)
    }
}

impl Statements for Session {
    fn query(&self, sql: &str, params: &[Value]) -> Result<Rows, Error> {
        Ok(self.0.query(sql, params)?.into())
    }

    fn execute(&self, sql: &str, params: &[Value]) -> Result<u64, Error> {
        Ok(self.0.execute(sql, params)?)
    }

    fn execute_many(&self, sql: &str, columns: &[Column]) -> Result<u64, Error> {
        Ok(self.0.execute_many(sql, columns)?)
    }

    fn cursor(&self, sql: &str, params: &[Value]) -> Result<Cursor, Error> {
        Ok(cursor(self.0.open_cursor(sql, params)?, None))
    }
}

impl Statements for Transaction {
    fn query(&self, sql: &str, params: &[Value]) -> Result<Rows, Error> {
        Ok(self.noted(self.handle.query(sql, params))?.into())
    }

    fn execute(&self, sql: &str, params: &[Value]) -> Result<u64, Error> {
        self.noted(self.handle.execute(sql, params))
    }

    fn execute_many(&self, sql: &str, columns: &[Column]) -> Result<u64, Error> {
        self.noted(self.handle.execute_many(sql, columns))
    }

    fn cursor(&self, sql: &str, params: &[Value]) -> Result<Cursor, Error> {
        let opened = self.noted(self.handle.open_cursor(sql, params))?;
        Ok(cursor(opened, Some(Rc::clone(&self.met_conflict))))
    }
}

impl Statements for ScopedSession {
    fn query(&self, sql: &str, params: &[Value]) -> Result<Rows, Error> {
        self.transaction()?.query(sql, params)
    }

    fn execute(&self, sql: &str, params: &[Value]) -> Result<u64, Error> {
        self.transaction()?.execute(sql, params)
    }

    fn execute_many(&self, sql: &str, columns: &[Column]) -> Result<u64, Error> {
        self.transaction()?.execute_many(sql, columns)
    }

    fn cursor(&self, sql: &str, params: &[Value]) -> Result<Cursor, Error> {
        self.transaction()?.cursor(sql, params)
    }
}

fn cursor(cursor: contract::Cursor, met_conflict: Option<Rc<Cell<bool>>>) -> Cursor {
    let infos = cursor.columns().into();
    let batches = HostBatches {
        cursor,
        met_conflict,
    };
    Cursor::new(infos, Box::new(batches))
}

statements_of!(Session);
statements_of!(Transaction);
statements_of!(ScopedSession);
