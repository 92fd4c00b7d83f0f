//! The shortest ways to a session or a transaction, for work that is one closure.

use crate::database::scope;
use crate::database::{Error, ScopedSession, Session, Transaction, TransactionOptions};

/// Runs `work` in a session whose statements are one transaction: committed if it answers `Ok`, rolled back if `Err`.
/// The first statement begins it, so work that turns out to need no database holds no connection.
///
/// Where a caller has a transaction open, the work joins it as a savepoint.
///
/// ```no_run
/// use poolhouse::database;
/// use poolhouse::{Failure, params};
///
/// fn rename(user: &str, name: &str) -> Result<(), Failure> {
///     database::session(|s| {
///         if name.is_empty() {
///             return Err(Failure::failed(format!("user `{user}` would have no name; give one")));
///         }
///         s.execute("UPDATE users SET name = $2 WHERE id = $1", params![user, name])?;
///         s.execute("INSERT INTO renamed (user_id) VALUES ($1)", params![user])?;
///         Ok(())
///     })
/// }
/// ```
///
/// A single statement needs none of this: [`Session::open`] and run it.
///
/// # Errors
/// What `work` answered, or that the session could not be opened or its transaction committed.
pub fn session<T, E: From<Error>>(
    work: impl FnOnce(&ScopedSession) -> Result<T, E>,
) -> Result<T, E> {
    session_with(TransactionOptions::default(), work)
}

/// [`session`] with an isolation level, read-only, or with a timeout, which runs from the first statement on.
///
/// # Errors
/// What `work` answered, or that the session could not be opened or its transaction committed.
pub fn session_with<T, E: From<Error>>(
    options: TransactionOptions,
    work: impl FnOnce(&ScopedSession) -> Result<T, E>,
) -> Result<T, E> {
    scope::run(ScopedSession::new(Session::open()?, options), work)
}

/// Runs `work` in a transaction, or in a savepoint where a caller has a transaction open: committed if it answers `Ok`,
/// rolled back if `Err`.
///
/// ```no_run
/// use poolhouse::database::{self, Decimal, Error};
/// use poolhouse::params;
///
/// fn raise(user: &str, by: &Decimal) -> Result<Decimal, Error> {
///     database::transaction(|tx| {
///         tx.execute("UPDATE users SET exposure = exposure + $2 WHERE id = $1", params![user, by])?;
///         tx.query_scalar("SELECT exposure FROM users WHERE id = $1", params![user])
///     })
/// }
/// ```
///
/// # Errors
/// What `work` answered, or that the transaction could not begin or commit.
pub fn transaction<T, E: From<Error>>(
    work: impl FnOnce(&Transaction) -> Result<T, E>,
) -> Result<T, E> {
    Session::open()?.transaction(work)
}

/// [`transaction`] with an isolation level, read-only, or with a timeout.
///
/// # Errors
/// What `work` answered, or that the transaction could not begin or commit.
pub fn transaction_with<T, E: From<Error>>(
    options: TransactionOptions,
    work: impl FnOnce(&Transaction) -> Result<T, E>,
) -> Result<T, E> {
    Session::open()?.transaction_with(options, work)
}

/// [`transaction_with`], run again from its start when somebody else's work was in the way: `attempts` times in all. See
/// [`Session::transaction_retrying_conflicts`].
///
/// ```no_run
/// use poolhouse::database::{self, Error, Isolation, TransactionOptions};
/// use poolhouse::params;
///
/// fn next_number(of: &str) -> Result<i64, Error> {
///     let options = TransactionOptions::default().isolation(Isolation::Serializable);
///     database::transaction_retrying_conflicts(5, options, |tx| {
///         let next = 1 + tx.query_scalar::<i64>("SELECT number FROM counters WHERE id = $1", params![of])?;
///         tx.execute("UPDATE counters SET number = $2 WHERE id = $1", params![of, next])?;
///         Ok(next)
///     })
/// }
/// ```
///
/// # Errors
/// What `work` answered last, or that a transaction could not begin or commit.
pub fn transaction_retrying_conflicts<T, E: From<Error>>(
    attempts: u32,
    options: TransactionOptions,
    work: impl FnMut(&Transaction) -> Result<T, E>,
) -> Result<T, E> {
    Session::open()?.transaction_retrying_conflicts(attempts, options, work)
}

/// Runs `work` in a transaction on a connection of its own, which the caller's rollback does not undo: committed if it
/// answers `Ok`, rolled back if `Err`. While the call chain holds a connection it never queues: it is served at once or
/// refused, so an audit record that must not stop the work is written with its error looked at and let go.
///
/// # Errors
/// What `work` answered, or that the transaction could not begin or commit.
pub fn separate<T, E: From<Error>>(
    work: impl FnOnce(&Transaction) -> Result<T, E>,
) -> Result<T, E> {
    separate_with(TransactionOptions::default(), work)
}

/// [`separate`] with an isolation level, read-only, or with a timeout.
///
/// # Errors
/// What `work` answered, or that the transaction could not begin or commit.
pub fn separate_with<T, E: From<Error>>(
    options: TransactionOptions,
    work: impl FnOnce(&Transaction) -> Result<T, E>,
) -> Result<T, E> {
    Session::separate()?.transaction_with(options, work)
}
